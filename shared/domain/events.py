"""What providers tell us, in the past tense, once it is understood.

Adapters turn webhooks into these; the store records them. Nothing here knows a wire format.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.identifiers import AttemptReference, ContactId, ProviderMessageId
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.domain.templates import Approval, TemplateStatus
from shared.domain.window import InboundKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A contact wrote to one of our numbers."""

    #: Our number or its provider id, as the webhook names it: who it belongs to is ours to say.
    recipient: str
    contact: ContactId
    #: The provider's id, or a fingerprint where the provider gives none.
    event_id: str
    kind: InboundKind
    #: The provider's clock, aware UTC.
    at: datetime
    text: str | None = None
    #: What the contact pressed, for replies to buttons and lists.
    payload: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedError:
    """Why a provider says that a message failed. `detail` is the provider's, for people who may read it."""

    code: str
    error_class: ErrorClass
    detail: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSetAside:
    """An update that is authentic but that we cannot, or need not, read: kept raw, counted by reason."""

    reason: str
    raw: str


ProviderEvent = MessageReceived | StatusReported | TemplateStatusChanged | UpdateSetAside
