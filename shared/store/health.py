"""Is Redis fit to keep what we owe: does it take writes, and does it never evict."""

import redis

from shared.store.connection import translated

_PROBE = "health:{finestra}"
_PROBE_LIFE_MS = 10_000


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
