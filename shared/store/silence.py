"""Messages that the provider took and nothing was heard of since: found by the clock, told once.

What waits for a word stands in the index of its state by when it came there. For each time to live a mark
says how far that index has been read: a message is looked at once for each, one that was heard of never.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import redis

from shared.clock import duration_ms, to_ms
from shared.domain.identifiers import MessageId
from shared.domain.message import MessageState
from shared.domain.silence import TIMES_TO_LIVE, time_to_live
from shared.store.connection import translated
from shared.store.keys import Keys
from shared.store.message_record import MessageRecord
from shared.store.messages import Messages
from shared.store.scripts import Call, Scripts

_STATES = (MessageState.SUBMITTED, MessageState.SENT)
_MOST_A_BEAT = 200
#: Told before it is forgotten, where its time to live is as long as it is kept.
_BEFORE_THE_END = timedelta(minutes=10)


class Silence:
    def __init__(
        self, client: redis.Redis, scripts: Scripts, messages: Messages, *, retention: timedelta
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._messages = messages
        self._longest = max(retention - _BEFORE_THE_END, retention / 2)

    def tell(self, business: str, *, now: datetime) -> int:
        """Tell of those whose time to live has passed since the last look; how many there were."""
        walks = [(state, life) for state in _STATES for life in TIMES_TO_LIVE]
        keys = Keys(business)
        with translated(self._client):
            marks: Any = self._client.hmget(keys.silence(), [_mark(*walk) for walk in walks])
            pipeline = self._client.pipeline(transaction=False)
            for (state, life), mark in zip(walks, marks, strict=True):
                until = to_ms(now) - duration_ms(min(life, self._longest))
                pipeline.zrangebyscore(
                    keys.state(state), f"({mark or 0}", until, 0, _MOST_A_BEAT, withscores=True
                )
            found = pipeline.execute()
        return sum(
            self._look_at(business, state, life, rows, now)
            for (state, life), rows in zip(walks, found, strict=True)
            if rows
        )

    def _look_at(
        self,
        business: str,
        state: MessageState,
        life: timedelta,
        rows: Sequence[tuple[str, float]],
        now: datetime,
    ) -> int:
        last = int(rows[-1][1])
        ids = [message_id for message_id, _ in rows]
        with translated(self._client):  # all of the last instant, which the limit may have cut
            cut: Any = self._client.zrangebyscore(Keys(business).state(state), last, last)
        records = self._messages.get_all(business, [MessageId(i) for i in dict.fromkeys(ids + cut)])
        silent = [record.id.value for record in records if _life_of(record) == life]
        calls = [Call.of("undelivered", business, to_ms(now), message_id) for message_id in silent]
        answers = self._scripts.run_all(calls) if calls else []
        with translated(self._client):
            self._client.hset(Keys(business).silence(), _mark(state, life), last)
        return sum(answer[0] == "told" for answer in answers)


def _mark(state: MessageState, life: timedelta) -> str:
    return f"{state}:{duration_ms(life)}"


def _life_of(record: MessageRecord) -> timedelta:
    route = record.attempts[-1].get("route") if record.attempts else None
    return time_to_live(route, record.request.category)
