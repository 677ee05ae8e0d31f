"""What can be configured about senders, apps and policy: values only. The TOML file is read in schemas/."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import assert_never

from shared.domain.consent import Category
from shared.domain.identifiers import PhoneNumber
from shared.domain.lint import PromotionalContent
from shared.domain.message import WhenOpen
from shared.domain.provider_errors import Scope

DEFAULT_MAX_BACKLOG = 100_000
SCOPES = ("messages", "contacts:read", "contacts", "templates:read", "templates", "events", "admin")


Network = IPv4Network | IPv6Network


class Secret:
    """A string that does not show itself; `reveal()` where it is used."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One of our WhatsApp Business numbers; what the two providers have in common."""

    alias: str
    number: PhoneNumber
    business: str
    base_url: str
    throughput_per_second: float
    window_margin: timedelta
    when_open: WhenOpen
    #: The pace for one contact; no interval: none that we know of.
    pair_interval: timedelta = timedelta(0)
    pair_burst: int = 1
    #: Contacts outside their windows in a rolling 24 hours; 0: not watched here.
    messaging_limit_per_day: int = 0
    #: The senders that share that limit; empty: all of the business.
    portfolio_name: str = ""
    #: Where its webhooks may come from; empty: from anywhere.
    allowed_source_ips: tuple[Network, ...] = ()
    #: Where its media may be fetched from: host names.
    media_hosts: tuple[str, ...] = ()

    @property
    def portfolio(self) -> str:
        return self.portfolio_name or self.business


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaSender(Sender):
    phone_number_id: str
    business_account_id: str
    access_token: Secret
    app_secrets: tuple[Secret, ...]
    verify_token: Secret
    api_version: str

    @property
    def account(self) -> str:
        """Who owns its templates."""
        return self.business_account_id

    @property
    def provider(self) -> str:
        return "meta"


@dataclass(frozen=True, slots=True, kw_only=True)
class CmSender(Sender):
    product_token: Secret
    webhook_tokens: tuple[Secret, ...]
    template_namespace: str
    batch_size: int
    is_provider_approval_automatic: bool
    #: CM.com says only that the id to mark as read comes in the webhook; one live client finds it here.
    is_message_context_own_id: bool = False

    @property
    def account(self) -> str:
        return self.template_namespace

    @property
    def provider(self) -> str:
        return "cm"


AnySender = MetaSender | CmSender


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An internal program that calls us."""

    name: str
    api_keys: tuple[Secret, ...]
    #: Aliases it may use; empty: all.
    senders: tuple[str, ...]
    scopes: frozenset[str]
    #: Where its events are pushed to; None: it pulls them.
    callback_url: str | None = None
    callback_secrets: tuple[Secret, ...] = ()
    #: Private networks that its callback may lie in; only there may it be plain http.
    callback_networks: tuple[Network, ...] = ()
    #: Messages of it that may wait at most, in one business.
    max_backlog: int = DEFAULT_MAX_BACKLOG

    def may_use(self, alias: str) -> bool:
        return not self.senders or alias in self.senders

    def may(self, scope: str) -> bool:
        return "admin" in self.scopes or scope in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    languages: tuple[str, ...] = ("it", "en")
    reactions_open_window: bool = False
    unsupported_opens_window: bool = True
    stop_on_category_change: bool = True
    confirm_opt_out: bool = False
    #: In templates; a marketing template counts as such whatever it says.
    promotional_content: PromotionalContent = PromotionalContent.REFUSE

    @property
    def refused_categories(self) -> frozenset[Category]:
        """Of templates that are not sent at all."""
        is_refused = self.promotional_content is PromotionalContent.REFUSE
        return frozenset({Category.MARKETING}) if is_refused else frozenset()


@dataclass(frozen=True, kw_only=True)
class Configuration:
    senders: Mapping[str, AnySender] = field(default_factory=dict)
    apps: Mapping[str, App] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)

    @cached_property
    def sender_by_recipient(self) -> Mapping[str, AnySender]:
        """By what a webhook names: Meta's phone number id, and every number's digits."""
        by_number: dict[str, AnySender] = {sender.number.digits: sender for sender in self.senders.values()}
        by_id = {s.phone_number_id: s for s in self.senders.values() if isinstance(s, MetaSender)}
        return {**by_number, **by_id}

    @cached_property
    def aliases_of(self) -> Mapping[str, tuple[str, ...]]:
        """The senders of each business."""
        aliases: dict[str, tuple[str, ...]] = {}
        for sender in self.senders.values():
            aliases[sender.business] = (*aliases.get(sender.business, ()), sender.alias)
        return aliases

    @cached_property
    def pushed_apps(self) -> tuple[App, ...]:
        """The apps that want their events pushed."""
        return tuple(app for app in self.apps.values() if app.callback_url is not None)

    def businesses_of(self, app: App) -> tuple[str, ...]:
        """Whose senders an app may use."""
        found = {sender.business for sender in self.senders.values() if app.may_use(sender.alias)}
        return tuple(sorted(found))

    def reached(self, sender: AnySender, scope: Scope) -> tuple[AnySender, ...]:
        """Whom an error of `sender` speaks of, itself included. No portfolio is configured: its business."""
        return tuple(other for other in self.senders.values() if _shares(sender, other, scope))

    def senders_of_account(self, account: str) -> Iterator[AnySender]:
        return (sender for sender in self.senders.values() if sender.account == account)


def _shares(sender: AnySender, other: AnySender, scope: Scope) -> bool:
    if sender.provider != other.provider:
        return False
    match scope:
        case Scope.MESSAGE | Scope.PAIR | Scope.SENDER:
            return sender.alias == other.alias
        case Scope.ACCOUNT:
            return sender.account == other.account
        case Scope.APP:
            return bool(_program(sender) & _program(other))
        case Scope.PORTFOLIO:
            return sender.business == other.business
        case _:
            assert_never(scope)


def _program(sender: AnySender) -> frozenset[Secret]:
    """By what the provider knows the program that calls it."""
    return frozenset(sender.app_secrets if isinstance(sender, MetaSender) else (sender.product_token,))
