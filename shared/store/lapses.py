"""Messages that the clock alone ended or brought into doubt: listed until Flower has their rows.

Of very many at once some are listed, and the others counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

import redis

from shared.clock import from_ms
from shared.domain.message import MessageState
from shared.store.connection import translated
from shared.store.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    message_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """What has become of some messages of one sender, for one reason."""

    sender: str
    state: MessageState
    reason: str
    #: The oldest first.
    listed: Sequence[Lapse]
    #: How many there are beyond those that are listed.
    more: int
    #: What forgetting it takes out.
    fields: Sequence[str] = field(repr=False)


class Lapses:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def waiting(self, business: str) -> list[Lapsed]:
        """Whoever shows them says so: shown twice, each is the same row."""
        with translated(self._client):
            found: Any = self._client.hgetall(Keys(business).lapsed())
        listed = sorted((value, name) for name, value in found.items() if "|" not in name)
        kinds = {kind: list(rows) for kind, rows in groupby(listed, key=_kind)}
        counted = {name: int(value) for name, value in found.items() if "|" in name}
        return [_load(kind, kinds.get(kind, []), counted.get(kind, 0)) for kind in sorted(kinds | counted)]

    def forget(self, business: str, shown: Sequence[Lapsed]) -> None:
        with translated(self._client):
            self._client.hdel(Keys(business).lapsed(), *(name for one in shown for name in one.fields))


def _kind(row: tuple[str, str]) -> str:
    return row[0].rpartition("|")[0]


def _load(kind: str, rows: Sequence[tuple[str, str]], count: int) -> Lapsed:
    """As parts/lapses.lua has it. What came while the last was shown is listed without being counted."""
    sender, state, reason = kind.split("|")
    return Lapsed(
        sender=sender,
        state=MessageState(state),
        reason=reason,
        listed=[Lapse(message_id=name, at=from_ms(int(value.rpartition("|")[2]))) for value, name in rows],
        more=max(0, count - len(rows)),
        fields=[kind, *(name for _, name in rows)],
    )
