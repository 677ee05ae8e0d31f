"""Attempts that the provider had taken and that failed later: listed until Flower has their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis

from shared.clock import from_ms
from shared.domain.message import MessageState
from shared.store.connection import translated
from shared.store.keys import Keys

_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFailure:
    message_id: str
    attempt: int
    sender: str
    #: Of the message, after it: failed for good, or back in its lane.
    state: MessageState
    #: As in the metrics: the provider's code.
    code: str
    #: When the report came.
    at: datetime


class ReportedFailures:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def waiting(self, business: str) -> list[ReportedFailure]:
        """The oldest first. Whoever shows one says so: shown twice, it is the same row."""
        with translated(self._client):
            found: Any = self._client.zrange(Keys(business).reported(), 0, _MOST_AT_ONCE - 1, withscores=True)
        return [_load(member, at) for member, at in found]

    def forget(self, business: str, shown: Sequence[ReportedFailure]) -> None:
        with translated(self._client):
            self._client.zrem(Keys(business).reported(), *map(_dump, shown))


def _load(member: str, at: float) -> ReportedFailure:
    message_id, attempt, sender, state, code = member.split("|")
    return ReportedFailure(
        message_id=message_id,
        attempt=int(attempt),
        sender=sender,
        state=MessageState(state),
        code=code,
        at=from_ms(int(at)),
    )


def _dump(one: ReportedFailure) -> str:
    """As parts/statuses.lua has it."""
    return "|".join((one.message_id, str(one.attempt), one.sender, one.state, one.code))
