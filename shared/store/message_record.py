"""A message as it stands: from the fields of its hash to what the doors show."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clock import from_ms
from shared.domain.identifiers import MessageId
from shared.domain.message import MessageRequest, MessageState
from shared.observability import LogEvent, get_logger, place_of
from shared.store.codec import load_request


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """A message as it stands. `route`, `attempts`, `timeline` are as the API shows them, times in ms."""

    id: MessageId
    app: str
    state: MessageState
    state_at: datetime
    request: MessageRequest
    accepted_at: datetime
    reason: str | None
    route: Mapping[str, Any] | None
    attempts: tuple[Mapping[str, Any], ...]
    timeline: tuple[Mapping[str, Any], ...]
    pricing: Mapping[str, Any] | None
    provider_message_id: str | None
    not_before: datetime | None
    #: Of content that waits or waited for an answer: the template that asks for it.
    nudged_by: str | None = None

    @property
    def last_error(self) -> Mapping[str, Any] | None:
        """What the provider said about the last attempt."""
        return self.attempts[-1].get("error") if self.attempts else None


def readable(message_id: MessageId, stored: Mapping[str, str]) -> MessageRecord | None:
    """One that cannot be read costs its neighbours nothing."""
    try:
        return read_message(message_id, stored) if stored else None
    except (ValueError, KeyError, TypeError) as exc:
        get_logger().error(
            LogEvent.BUG, message_id=message_id.value, error=type(exc).__name__, at=place_of(exc)
        )
        return None


def read_message(message_id: MessageId, stored: Mapping[str, str]) -> MessageRecord:
    """A message from the fields of its hash."""
    attempts = tuple(_attempt(stored, number) for number in range(1, int(stored["attempts"]) + 1))
    last_route = attempts[-1].get("route") if attempts else None
    not_before = int(stored["not_before"])
    return MessageRecord(
        id=message_id,
        app=stored["app"],
        state=MessageState(stored["state"]),
        state_at=from_ms(stored["state_at"]),
        request=load_request(stored["request"]),
        accepted_at=from_ms(stored["accepted_at"]),
        reason=stored.get("reason"),
        route=json.loads(stored["route"]) if "route" in stored else last_route,
        attempts=attempts,
        timeline=tuple(json.loads(line) for line in stored["timeline"].splitlines()),
        pricing=json.loads(stored["pricing"]) if "pricing" in stored else None,
        provider_message_id=stored.get("provider_message_id"),
        not_before=from_ms(not_before) if not_before else None,
        nudged_by=stored.get("nudged_by"),
    )


def _attempt(stored: Mapping[str, str], number: int) -> dict[str, Any]:
    started = json.loads(stored[f"attempt:{number}"])
    ended = json.loads(stored.get(f"result:{number}", "{}"))
    return {"number": number, **started, **ended}
