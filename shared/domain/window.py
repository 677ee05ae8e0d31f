"""The customer service window: what opens it, whether it is open, when it closes.

WhatsApp lets a business write freely for 24 hours after the contact's last message or call (Meta,
"Service messages", read 2025-11). The window is a prediction: when the provider says it is closed, the
provider is right until the contact writes again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WINDOW_LENGTH = timedelta(hours=24)


class InboundKind(StrEnum):
    """What a contact sent, in the provider's words; `unknown` stands for a kind that we never heard of."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACTS = "contacts"
    INTERACTIVE = "interactive"
    BUTTON = "button"
    ORDER = "order"
    CALL = "call"
    REACTION = "reaction"
    SYSTEM = "system"
    EDIT = "edit"
    REVOKE = "revoke"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


#: Kinds that Meta's wording covers: "whenever the user messages you or calls you".
_OPENERS = frozenset(
    {
        InboundKind.TEXT,
        InboundKind.IMAGE,
        InboundKind.VIDEO,
        InboundKind.AUDIO,
        InboundKind.DOCUMENT,
        InboundKind.STICKER,
        InboundKind.LOCATION,
        InboundKind.CONTACTS,
        InboundKind.INTERACTIVE,
        InboundKind.BUTTON,
        InboundKind.ORDER,
        InboundKind.CALL,
    }
)
_UNSUPPORTED = frozenset({InboundKind.UNSUPPORTED, InboundKind.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPolicy:
    """How long a window lasts, and the kinds on which there is no official word."""

    length: timedelta = WINDOW_LENGTH
    reactions_open: bool = False
    unsupported_opens: bool = True

    def opens(self, kind: InboundKind) -> bool:
        if kind is InboundKind.REACTION:
            return self.reactions_open
        if kind in _UNSUPPORTED:
            return self.unsupported_opens
        return kind in _OPENERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The window of one (sender, contact). There is no stored flag: only times, compared when asked."""

    #: Event time of the newest message that opened it; None: the contact never wrote.
    last_inbound_at: datetime | None = None
    #: Start of the attempt that the provider refused for a closed window.
    refused_at: datetime | None = None
    length: timedelta = WINDOW_LENGTH

    @property
    def expires_at(self) -> datetime | None:
        return None if self.last_inbound_at is None else self.last_inbound_at + self.length

    def remaining(self, now: datetime) -> timedelta:
        """How long it stays open from `now` (aware UTC); zero when it is closed."""
        if self.expires_at is None or self._is_refuted():
            return timedelta(0)
        return max(self.expires_at - now, timedelta(0))

    def is_open(self, now: datetime) -> bool:
        ends = self.expires_at
        return ends is not None and now < ends and not self._is_refuted()

    def is_open_for(self, margin: timedelta, now: datetime) -> bool:
        """Open, with at least `margin` left: only then may a session message leave."""
        ends = self.expires_at
        return ends is not None and now < ends and ends - now >= margin and not self._is_refuted()

    def _is_refuted(self) -> bool:
        if self.refused_at is None or self.last_inbound_at is None:
            return False
        return self.last_inbound_at <= self.refused_at


CLOSED = Window()


def effective_event_time(event_at: datetime, received_at: datetime) -> datetime:
    """The time from which a window counts: the provider's, but a time in the future counts as now."""
    return min(event_at, received_at)
