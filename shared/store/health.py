"""Is Redis fit to keep what we owe: does it take writes, does it never evict, and how it stands besides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from shared.clock import from_ms
from shared.store.connection import server_time, translated
from shared.store.keys import Keys

_PROBE = "health:{finestra}"
_PROBE_LIFE_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What INFO says. None: this server may not be asked, as some hosted ones."""

    version: str | None
    policy: str | None
    is_append_only: bool | None
    #: `ok`, unless the last write of the append-only file went wrong.
    last_write: str | None
    used_bytes: int | None
    #: 0: as much as the machine has.
    most_bytes: int | None


class Health:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def trouble(self) -> str | None:
        """Why it is not fit; None: it is. Raises StoreUnavailableError when it does not answer or write."""
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            pipeline.set(_PROBE, "1", px=_PROBE_LIFE_MS)
            pipeline.info("memory")
            _, memory = pipeline.execute()
        policy = memory.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            return f"Redis may evict what is owed: maxmemory-policy is {policy}, set it to noeviction"
        return None

    def time(self) -> datetime:
        return datetime.fromtimestamp(server_time(self._client), UTC)

    def condition(self) -> Condition:
        told = self._info()
        return Condition(
            version=_text(told, "redis_version"),
            policy=_text(told, "maxmemory_policy"),
            is_append_only=bool(int(told["aof_enabled"])) if "aof_enabled" in told else None,
            last_write=_text(told, "aof_last_write_status"),
            used_bytes=told.get("used_memory"),
            most_bytes=told.get("maxmemory"),
        )

    def runs_lua(self) -> bool:
        try:
            with translated(self._client):
                return bool(self._client.eval("return redis.call('PING')", 0))
        except redis.ResponseError:
            return False

    def last_beats(self, businesses: Iterable[str]) -> dict[str, datetime | None]:
        """When a worker last looked at what is due; None: none ever did."""
        beats: dict[str, datetime | None] = {}
        with translated(self._client):
            for business in businesses:
                beat: Any = self._client.hget(Keys(business).root(), "beat_at")
                beats[business] = None if beat is None else from_ms(beat)
        return beats

    def _info(self) -> Mapping[str, Any]:
        try:
            with translated(self._client):
                told: Any = self._client.info()
        except redis.ResponseError:
            return {}
        return dict(told)


def _text(told: Mapping[str, Any], name: str) -> str | None:
    return str(told[name]) if name in told else None
