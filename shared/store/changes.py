"""What people do with messages: cancel, send again, say how a doubt ended. One step each, safe to repeat."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.clock import duration_ms, to_ms
from shared.domain.identifiers import MessageId
from shared.domain.message import MessageRequest, MessageState
from shared.store.codec import dump_request
from shared.store.lanes import BELL_LIFE
from shared.store.scripts import Call, Scripts


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who does it."""

    name: str
    #: The app whose messages it may touch; None: everybody's.
    app: str | None


class Change(StrEnum):
    """How it went."""

    DONE = "done"
    #: There is no such message, or not of this app.
    MISSING = "missing"
    #: Its state does not allow it.
    REFUSED = "refused"
    #: A worker has it in hand.
    IN_HAND = "in_hand"
    #: Its time has passed: it needs a new one.
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of one message."""

    message_id: MessageId
    change: Change
    #: As it stood when it was refused.
    state: MessageState | None = None
    must_ring: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How to send again."""

    #: Makes it safe to repeat.
    nonce: str
    #: None: as before.
    expires_at: datetime | None = None
    accepts_duplicate: bool = False


class Resolution(StrEnum):
    """How a doubt ended: the provider took it, the contact has it, or it never went."""

    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    FAILED = "failed"


class Changes:
    def __init__(self, scripts: Scripts, *, retention: timedelta) -> None:
        self._scripts = scripts
        self._retention = retention

    def cancel(self, business: str, ids: Sequence[MessageId], *, hand: Hand, now: datetime) -> list[Changed]:
        """Stop those that have not left."""
        rows = [(message_id, (hand.name,)) for message_id in ids]
        return self._run("cancel", business, rows, hand=hand, now=now)

    def retry(
        self,
        business: str,
        messages: Sequence[tuple[MessageId, MessageRequest]],
        retry: Retry,
        *,
        hand: Hand,
        now: datetime,
    ) -> list[Changed]:
        """Queue again what failed, was refused or expired; what is in doubt only if it may arrive twice."""
        rows = [
            (
                message_id,
                (
                    hand.name,
                    retry.nonce,
                    to_ms(retry.expires_at) if retry.expires_at else "",
                    dump_request(replace(request, expires_at=retry.expires_at)) if retry.expires_at else "",
                    int(retry.accepts_duplicate),
                    duration_ms(self._retention),
                    duration_ms(BELL_LIFE),
                ),
            )
            for message_id, request in messages
        ]
        return self._run("retry", business, rows, hand=hand, now=now)

    def resolve(
        self, business: str, message_id: MessageId, resolution: Resolution, *, hand: Hand, now: datetime
    ) -> Changed:
        """Say how one in doubt ended."""
        rows = [(message_id, (hand.name, resolution))]
        return self._run("resolve", business, rows, hand=hand, now=now)[0]

    def _run(
        self,
        script: str,
        business: str,
        rows: Sequence[tuple[MessageId, tuple[str | int, ...]]],
        *,
        hand: Hand,
        now: datetime,
    ) -> list[Changed]:
        calls = [
            Call.of(script, business, to_ms(now), message_id.value, hand.app or "", *more)
            for message_id, more in rows
        ]
        answers = self._scripts.run_all(calls) if calls else []
        return [_changed(message_id, answer) for (message_id, _), answer in zip(rows, answers, strict=True)]


_WORDS = {"cancelled": Change.DONE, "queued": Change.DONE, "resolved": Change.DONE}


def _changed(message_id: MessageId, answer: Sequence[Any]) -> Changed:
    change = _WORDS.get(answer[0]) or Change(answer[0])
    if change is Change.DONE:
        return Changed(message_id=message_id, change=change, must_ring=bool(answer[1:] and answer[1]))
    state = MessageState(answer[1]) if answer[1:] else None
    return Changed(message_id=message_id, change=change, state=state)
