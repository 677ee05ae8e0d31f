"""What every provider does for us, and what it means when it does not answer.

A result is a value: submitted, rejected with a class, or in doubt. Nobody outside reads a provider's code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.content import Media
from shared.domain.identifiers import AttemptReference, ContactId, ProviderMessageId
from shared.domain.provider_errors import ErrorRow, Scope
from shared.domain.retry import ErrorClass
from shared.domain.routes import SessionRoute, TemplateRoute
from shared.http.client import HttpCall
from shared.providers.media import MediaFile, MediaRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One attempt, decided and begun."""

    reference: AttemptReference
    to: ContactId
    #: Only `decide` makes a SessionRoute, so nothing free-form can be built without an open window.
    route: SessionRoute | TemplateRoute
    #: After it nobody wants it any more: for a provider that can be told.
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The provider took it: no more than that."""

    provider_message_id: ProviderMessageId | None = None
    #: The number as WhatsApp knows it, when the answer says so; digits without `+`.
    wa_id: str | None = None
    #: Why the provider keeps it back for now, in its own word (`held_for_quality_assessment`); never resend.
    provider_hold: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The attempt did not go through, or nobody knows (`in_doubt`)."""

    #: The provider's code as text, or a word of ours such as `timeout`.
    code: str
    row: ErrorRow
    #: The provider's own words: for people who may read them, never for logs, metrics or Flower.
    detail: str = ""
    #: What the provider asked us to wait.
    retry_after: timedelta | None = None


SendResult = Submitted | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReceipt:
    """An inbound message that somebody of ours has read. Harmless when repeated."""

    event_id: str
    #: By what the provider knows it, where that is not `event_id`.
    read_handle: str | None
    contact: ContactId
    #: Show the contact that an answer is being written, too.
    typing: bool


@dataclass(frozen=True, slots=True)
class ReadMarked:
    """The provider took it."""


@dataclass(frozen=True, slots=True)
class ReadUnsupported:
    """The provider is not known to be able to; nothing was asked. `why` is for the caller."""

    why: str


ReadResult = ReadMarked | ReadUnsupported | Rejected


class Provider(Protocol):
    """One sender's way out. Safe to call from many threads."""

    @property
    def batch_size(self) -> int:
        """How many attempts one request may carry."""
        ...

    def build_call(self, batch: Sequence[Outgoing]) -> HttpCall: ...

    def send(self, batch: Sequence[Outgoing]) -> Sequence[SendResult]:
        """One request for the batch; one result each, in the same order. Never raises for what went wrong."""
        ...

    def fetch_media(self, media: Media) -> MediaFile | MediaRefused:
        """Open a contact's file, for the caller to close. The token reaches no host but the provider's."""
        ...

    def mark_read(self, receipt: ReadReceipt) -> ReadResult: ...


#: Words of ours for what has no code of the provider's.
NOT_SENT = ErrorRow(
    error_class=ErrorClass.RETRY,
    scope=Scope.SENDER,
    is_outage=True,
    advice="The provider could not be reached; nothing left. It is tried again.",
)
NOT_TAKEN = ErrorRow(
    error_class=ErrorClass.RETRY,
    scope=Scope.SENDER,
    is_outage=True,
    advice="The provider answered 503: not taken. It is tried again.",
)
THROTTLED = ErrorRow(
    error_class=ErrorClass.THROTTLE,
    scope=Scope.SENDER,
    minimum_wait=timedelta(seconds=1),
    advice="The provider answered 429: too fast. It is tried again later.",
)
IN_DOUBT = ErrorRow(
    error_class=ErrorClass.IN_DOUBT,
    advice="Nobody knows whether the provider took it; it waits for a status and is not repeated by itself.",
)
#: The same where the provider itself did not answer, or not in its own words.
SILENT = replace(IN_DOUBT, is_outage=True)
UNLISTED = ErrorRow(
    error_class=ErrorClass.PERMANENT,
    advice="A code we have no row for: look it up, then add it to errors.toml.",
)
