"""Which templates are in use: named by what waits to be sent, or was accepted lately. Both bounded."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis

from shared.clock import to_ms
from shared.domain.message import MessageState
from shared.store.connection import translated
from shared.store.keys import Keys

LATELY = timedelta(days=7)
_WAITING = (MessageState.QUEUED, MessageState.DEFERRED, MessageState.HELD)
#: The newest of each state and of each app are looked at.
_MOST_MESSAGES = 2_000
_PER_TRIP = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How often a template is named, as an alternate too."""

    waiting: int
    recent: int


class TemplateUse:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def of(self, business: str, apps: Iterable[str], *, now: datetime) -> dict[str, Use]:
        """By template, `account:name:language`."""
        keys = Keys(business)
        waiting, recent = set[str](), set[str]()
        with translated(self._client):
            for state in _WAITING:
                queued: Any = self._client.zrevrange(keys.state(state), 0, _MOST_MESSAGES - 1)
                waiting |= set(queued)
            for app in apps:
                since, index = to_ms(now - LATELY), keys.accepted(app)
                found: Any = self._client.zrevrangebyscore(index, "+inf", since, start=0, num=_MOST_MESSAGES)
                recent |= set(found)
            named = self._named(keys, sorted(waiting | recent))
        waits = Counter(name for id_ in waiting for name in named[id_])
        lately = Counter(name for id_ in recent for name in named[id_])
        return {name: Use(waiting=waits[name], recent=lately[name]) for name in {*waits, *lately}}

    def _named(self, keys: Keys, ids: Sequence[str]) -> dict[str, list[str]]:
        """What each message names; one that is gone names nothing."""
        named: dict[str, list[str]] = {}
        for start in range(0, len(ids), _PER_TRIP):
            part = ids[start : start + _PER_TRIP]
            pipeline: Any = self._client.pipeline(transaction=False)
            for id_ in part:
                pipeline.hget(keys.message(id_), "templates")
            for id_, templates in zip(part, pipeline.execute(), strict=True):
                named[id_] = (templates or "").split()
        return named
