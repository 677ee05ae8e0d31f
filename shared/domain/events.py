"""What providers tell us, in the past tense, once it is understood.

Adapters turn webhooks into these; the store records them. Nothing here knows a wire format. Text is what
UTF-8 can carry, times are aware UTC by the provider's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.consent import Category, ConsentStatus
from shared.domain.content import Content
from shared.domain.halts import Halt
from shared.domain.identifiers import AttemptReference, ContactId, ProviderMessageId
from shared.domain.message import MessageState
from shared.domain.provider_errors import ErrorRow
from shared.domain.retry import ErrorClass
from shared.domain.templates import Approval, TemplateStatus
from shared.domain.window import InboundKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A contact wrote to one of our numbers, called it, or WhatsApp says something about the contact."""

    #: Our number or its provider id, as the webhook names it: who it belongs to is ours to say.
    recipient: str
    #: The number as WhatsApp writes it (the `wa_id`) when the webhook shows it, else the BSUID.
    contact: ContactId
    #: The provider's id, or a fingerprint where the provider gives none.
    event_id: str
    kind: InboundKind
    at: datetime
    #: The BSUID, when the webhook shows it beside a number.
    user_id: ContactId | None = None
    #: What the contact wrote or pressed, never a caption or a name.
    text: str | None = None
    #: What stands behind the button or row that was pressed.
    payload: str | None = None
    content: Content | None = None
    #: The provider's id of the message that this one quotes.
    reply_to: str | None = None
    is_forwarded: bool = False
    #: The advertisement or button that brought the contact here: words and numbers by name.
    referral: Mapping[str, Any] = field(default_factory=dict)
    #: How the contact calls itself.
    profile_name: str | None = None
    #: By what the provider marks this message as read; None: by `event_id`, or not at all.
    read_handle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedError:
    """Why a provider says that a message failed. `detail` is the provider's, for people who may read it."""

    code: str
    row: ErrorRow
    detail: str

    @property
    def error_class(self) -> ErrorClass:
        return self.row.error_class


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReported:
    """The provider reports about one attempt of a message of ours."""

    recipient: str | None
    #: None when the report carries no reference of ours.
    reference: AttemptReference | None
    provider_message_id: ProviderMessageId | None
    state: MessageState
    at: datetime
    error: ReportedError | None = None
    pricing: Mapping[str, Any] = field(default_factory=dict)
    #: Of a free entry point: its id, origin and end, by name.
    conversation: Mapping[str, Any] = field(default_factory=dict)
    #: The contact's number and BSUID, where the report shows them.
    contact: ContactId | None = None
    user_id: ContactId | None = None
    #: It failed because the contact told WhatsApp that it wants no such messages.
    unwanted: Category | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceChanged:
    """A contact told WhatsApp, not us, whether it wants a category of messages."""

    recipient: str
    contact: ContactId
    user_id: ContactId | None = None
    category: Category
    status: ConsentStatus
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStatusChanged:
    """WhatsApp decided about a template of an account."""

    account: str
    name: str
    language: str
    #: The decision at WhatsApp's gate, when the event is one.
    approval: Approval | None
    #: paused, disabled, archived; None: not stopped (any more).
    stopped: TemplateStatus | None
    reason: str | None
    #: When a pause is expected to end; None: nobody said.
    until: datetime | None = None
    #: None: the provider did not say when.
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCategoryChanged:
    """WhatsApp re-labelled a template, or announces that it will."""

    account: str
    name: str
    language: str
    #: What it is from now on.
    category: Category
    #: What it will be, and when, if this only announces it.
    announced: Category | None = None
    announced_for: datetime | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateQualityChanged:
    account: str
    name: str
    language: str
    #: green, yellow, red or unknown.
    quality: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateContentChanged:
    """Somebody edited the template at the provider: what we hold may be old."""

    account: str
    name: str
    language: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """News of an account or one of its numbers: restrictions, bans, tiers, alerts, security."""

    #: The business account; None when the update names only a number.
    account: str | None
    #: The provider's word for the kind of news: `account_update`, `phone_number_quality_update`, …
    topic: str
    #: What happened, in the provider's word: `DISABLED_UPDATE`, `TIER_1K`, … Lower case.
    event: str
    #: The number it is about, as `recipient` of a message; None: the whole account.
    recipient: str | None = None
    #: What else it says: words, numbers, and lists and objects of them.
    details: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    #: What may not leave any more because of it.
    halts: tuple[Halt, ...] = ()
    #: What such news halted before goes on.
    lifts: bool = False
    #: The news is an error of a code that we may know.
    error: ReportedError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateNoted:
    """An update that we know, and that changes nothing here: counted, not kept.

    `kind` is one of ours: group_message, group_status, history, message_echo, call_ended, own_call,
    template_flagged and the like.
    """

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSetAside:
    """An update that is authentic but that we cannot read: kept raw, counted by reason."""

    reason: str
    raw: str


TemplateEvent = (
    TemplateStatusChanged | TemplateCategoryChanged | TemplateQualityChanged | TemplateContentChanged
)

ProviderEvent = (
    MessageReceived
    | StatusReported
    | PreferenceChanged
    | TemplateEvent
    | AccountChanged
    | UpdateNoted
    | UpdateSetAside
)
