"""All the sandbox remembers: accounts, windows, templates, faults and the requests that came in.

One lock, short critical sections. Speaks no HTTP and no wire format.
"""

import hashlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.accounts import Account, CmAccount, MetaAccount
from sandbox.faults import Fault
from sandbox.files import Files, SentFile
from sandbox.limits import Limits
from sandbox.receipts import Receipts
from sandbox.registry import Registry
from sandbox.settings import Settings, merge
from sandbox.shapes import is_e164
from sandbox.templates import Template

_DEFAULT_NAME = "Customer"
#: Enough countries for a simulated user id to look right; all others get "ZZ".
_COUNTRIES = {"1": "US", "31": "NL", "33": "FR", "34": "ES", "39": "IT", "44": "GB", "49": "DE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What a request seems to ask for; None where it could not be read."""

    to: str | None = None
    #: "session" or "template".
    kind: str | None = None
    template: str | None = None
    #: What the customer reads: free text, or the template with its values.
    text: str | None = None
    #: biz_opaque_callback_data, or CM.com's reference.
    reference: str | None = None
    #: What it holds beside text: image, interactive, … as the provider names it.
    content: str | None = None
    #: The id of the message that it answers.
    quotes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One message that a script has a customer write."""

    #: As the webhook shows them: +E164, or a user id.
    writer: str
    #: As the windows know them: +E164 wherever the sandbox has seen it.
    contact: str
    #: Meta only: what the webhook shows beside the number, or instead of it.
    user_id: str
    text: str
    message_id: str
    at: float
    name: str | None
    #: Its text is the caption then, and may be empty.
    file: SentFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMessage:
    """One message that reached the provider."""

    at: float
    provider: str
    number: str
    sketch: Sketch
    #: None at CM.com, whose answer holds no message id.
    provider_message_id: str | None
    #: "accepted", "refused" or "dropped".
    outcome: str
    #: Why it was refused, or why an accepted one failed later.
    code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The customer service window of one customer with one number."""

    number: str
    contact: str
    last_inbound_at: float
    open: bool


@dataclass(frozen=True, slots=True)
class _Customer:
    last_inbound_at: float
    name: str


class World:
    """The state of one sandbox. Every method is safe to call from any thread.

    `clock` gives Unix seconds; tests bring their own.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._accounts: dict[str, Account] = {}
        self.files = Files()
        self.receipts = Receipts()
        self.limits = Limits()
        self.registry = Registry()
        self._forget()

    def _forget(self) -> None:
        self._settings = Settings()
        self._templates: dict[tuple[str, str, str], Template] = {}
        self._customers: dict[tuple[str, str], _Customer] = {}
        self._phones_by_user_id: dict[str, str] = {}
        self._user_ids: dict[tuple[str, str], str] = {}
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._recorded: list[RecordedMessage] = []

    def reset(self) -> None:
        """Forget everything but the accounts; settings return to their defaults."""
        with self._lock:
            self._forget()
        self.files.clear()
        self.receipts.clear()
        self.limits.clear()
        self.registry.clear()

    def now(self) -> float:
        return self._clock()

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the process."""
        if seconds > 0:
            self._closing.wait(seconds)

    def close(self) -> None:
        """End every pause at once."""
        self._closing.set()

    @property
    def settings(self) -> Settings:
        return self._settings

    def change_settings(self, changes: dict[str, object]) -> Settings:
        """Raises `ScriptError` and changes nothing if one of them is not possible."""
        with self._lock:
            self._settings = merge(self._settings, changes)
            return self._settings

    def put_accounts(self, accounts: Iterable[Account]) -> int:
        """Add, or replace by number; returns how many there are now."""
        with self._lock:
            self._accounts.update({account.number: account for account in accounts})
            return len(self._accounts)

    def account(self, number: str) -> Account | None:
        return self._accounts.get(number)

    def meta_accounts(self) -> list[MetaAccount]:
        with self._lock:
            return [account for account in self._accounts.values() if isinstance(account, MetaAccount)]

    def cm_accounts(self, product_token: str) -> list[CmAccount]:
        """Every number that this token may send from."""
        with self._lock:
            known = [account for account in self._accounts.values() if isinstance(account, CmAccount)]
        return [account for account in known if account.product_token == product_token]

    def put_templates(self, templates: Iterable[Template]) -> int:
        """Add, or replace by account, name and language; returns how many there are now."""
        with self._lock:
            self._templates.update({(each.account, each.name, each.language): each for each in templates})
            return len(self._templates)

    def template(self, owner: str, name: str, language: str) -> Template | None:
        return self._templates.get((owner, name, language))

    def templates_of(self, owner: str) -> list[Template]:
        with self._lock:
            return [one for (account, _, _), one in sorted(self._templates.items()) if account == owner]

    def drop_template(self, template: Template) -> None:
        with self._lock:
            self._templates.pop((template.account, template.name, template.language), None)

    def hear_from(self, account: Account, inbound: Inbound) -> None:
        """A customer wrote: their window runs from `at`, unless they wrote later already."""
        key = (account.number, inbound.contact)
        with self._lock:
            known = self._customers.get(key, _Customer(inbound.at, _DEFAULT_NAME))
            heard_at = max(inbound.at, known.last_inbound_at)
            self._customers[key] = _Customer(heard_at, inbound.name or known.name)
            self._phones_by_user_id[inbound.user_id] = inbound.contact
            self._user_ids[account.template_owner, inbound.contact] = inbound.user_id

    def window_is_open(self, number: str, contact: str) -> bool:
        """Open while now < last inbound + the length of the window."""
        with self._lock:
            customer = self._customers.get((number, contact))
            return customer is not None and self._is_open(customer)

    def _is_open(self, customer: _Customer) -> bool:
        return self._clock() < customer.last_inbound_at + self._settings.window_seconds

    def windows(self) -> list[Window]:
        with self._lock:
            return [
                Window(
                    number=number,
                    contact=contact,
                    last_inbound_at=customer.last_inbound_at,
                    open=self._is_open(customer),
                )
                for (number, contact), customer in self._customers.items()
            ]

    def name_of(self, number: str, contact: str) -> str:
        customer = self._customers.get((number, contact))
        return customer.name if customer else _DEFAULT_NAME

    def contact_of(self, recipient: str) -> str:
        """The phone number behind a user id, once that customer has shown it; else the user id itself.

        Of a phone number the one that WhatsApp knows.
        """
        contact = self._phones_by_user_id.get(recipient, recipient)
        return self._settings.wa_ids.get(contact, contact)

    def user_id_of(self, account: Account, contact: str) -> str:
        """The business-scoped id that a customer was last shown with, else one made up for them."""
        return self._user_ids.get((account.template_owner, contact)) or made_up_user_id(account, contact)

    def add_faults(self, number: str, fault: Fault, times: int) -> int:
        """Returns how many wait for this number now."""
        with self._lock:
            self._faults[number].extend([fault] * times)
            return len(self._faults[number])

    def take_fault(self, number: str) -> Fault | None:
        """The oldest fault of this number, used up by asking."""
        with self._lock:
            waiting = self._faults.get(number)
            return waiting.popleft() if waiting else None

    def clear_faults(self) -> None:
        with self._lock:
            self._faults.clear()

    def record(
        self,
        account: Account,
        sketch: Sketch,
        *,
        outcome: str,
        code: int | None = None,
        provider_message_id: str | None = None,
    ) -> None:
        with self._lock:
            message = RecordedMessage(
                at=self._clock(),
                provider=account.provider,
                number=account.number,
                sketch=sketch,
                provider_message_id=provider_message_id,
                outcome=outcome,
                code=code,
            )
            self._recorded.append(message)

    def recorded(self, number: str | None) -> list[RecordedMessage]:
        """In order of arrival; None: of every number."""
        with self._lock:
            return [each for each in self._recorded if number in (None, each.number)]


def made_up_user_id(account: Account, contact: str) -> str:
    """A business-scoped id for a customer, always the same for the same business and phone number.

    reference: Meta "Business-scoped user IDs", read 2026-02: country, dot, up to 128 alphanumerics.
    """
    if not is_e164(contact):
        return contact
    country = next((_COUNTRIES[code] for code in _COUNTRIES if contact.startswith(f"+{code}")), "ZZ")
    digest = hashlib.sha256(f"{account.template_owner} {contact}".encode()).hexdigest()
    return f"{country}.{int(digest[:14], 16)}"
