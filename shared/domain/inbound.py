"""What a contact's message does: does it open the window, and is it a consent keyword."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.consent import ConsentRecord
from shared.domain.content import Reply
from shared.domain.events import MessageReceived
from shared.domain.keywords import Keyword, read_keyword, read_payload
from shared.domain.window import WindowPolicy, effective_event_time

#: A list's rows and a flow's fields have ids of their own kind: `stop-1` may be one of a bus.
_BUTTONS = ("quick_reply", "button_reply")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A contact's message, understood."""

    event: MessageReceived
    #: The provider's time; never after we heard of it.
    at: datetime
    opens_window: bool
    #: What it says of consent.
    keyword: Keyword | None = None

    @property
    def consent(self) -> ConsentRecord | None:
        if self.keyword is None:
            return None
        return ConsentRecord(
            status=self.keyword.status, at=self.at, source="keyword", evidence=self.event.event_id
        )


def understand(
    event: MessageReceived, *, received_at: datetime, policy: WindowPolicy, languages: Iterable[str]
) -> Inbound:
    at = effective_event_time(event.at, received_at)
    keyword = _keyword(event, tuple(languages))
    return Inbound(event=event, at=at, opens_window=policy.opens(event.kind), keyword=keyword)


def _keyword(event: MessageReceived, languages: tuple[str, ...]) -> Keyword | None:
    """What a button is named for goes before what it shows: `STOP_PROMO` may show "Stop"."""
    found = None
    if event.payload:
        read = read_payload if _is_button(event) else read_keyword
        found = read(event.payload, languages)
    return found or (read_keyword(event.text, languages) if event.text else None)


def _is_button(event: MessageReceived) -> bool:
    return not isinstance(event.content, Reply) or event.content.type in _BUTTONS
