"""What a contact's message does: does it open the window, and is it a consent keyword."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.consent import ConsentRecord, consent_keyword
from shared.domain.events import MessageReceived
from shared.domain.window import WindowPolicy, effective_event_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A contact's message, understood."""

    event: MessageReceived
    #: The provider's time; never after we heard of it.
    at: datetime
    opens_window: bool
    consent: ConsentRecord | None = None


def understand(
    event: MessageReceived, *, received_at: datetime, policy: WindowPolicy, languages: Iterable[str]
) -> Inbound:
    at = effective_event_time(event.at, received_at)
    return Inbound(
        event=event, at=at, opens_window=policy.opens(event.kind), consent=_consent(event, at, languages)
    )


def _consent(event: MessageReceived, at: datetime, languages: Iterable[str]) -> ConsentRecord | None:
    languages = tuple(languages)
    status = consent_keyword(event.text, languages) if event.text else None
    if status is None and event.payload:
        status = consent_keyword(event.payload, languages)
    if status is None:
        return None
    return ConsentRecord(status=status, at=at, source="keyword", evidence=event.event_id)
