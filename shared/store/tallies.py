"""Counts that no script makes: added up in the process and written once a second, at no round trip.

A process that is killed takes at most the last second's along.
"""

import threading
from collections import Counter

import redis

from shared.errors import StoreUnavailableError
from shared.metrics import LIMITS
from shared.observability import LogEvent, get_logger, place_of
from shared.store.connection import translated
from shared.store.keys import Keys

_EVERY_SECONDS = 1.0


class Tallies:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._lock = threading.Lock()
        #: (business, field) to what is not written yet.
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, business: str, name: str, amount: int = 1) -> None:
        """`name`: of a counter, with its labels after ':'."""
        with self._lock:
            self._counts[business, name] += amount

    def add_seconds(self, business: str, name: str, seconds: float) -> None:
        """`name`: of a histogram, with its labels after ':'."""
        limit = next(limit for limit in LIMITS if seconds <= float(limit))
        with self._lock:
            self._counts[business, f"{name}:{limit}"] += 1
            self._counts[business, f"{name}:ms"] += round(seconds * 1000)

    def flush(self) -> None:
        """Write what has come together. Raises StoreUnavailableError; then it is written the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with translated(self._client):
                pipeline = self._client.pipeline(transaction=True)
                for (business, name), amount in counts.items():
                    pipeline.hincrby(Keys(business).counters(), name, amount)
                pipeline.execute()
        except StoreUnavailableError:
            with self._lock:
                self._counts.update(counts)
            raise

    def keep_flushing(self) -> None:
        """On a thread of its own, for as long as the process lives."""
        threading.Thread(target=self._flush_for_ever, name="tallies", daemon=True).start()

    def _flush_for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(_EVERY_SECONDS):
            try:
                self.flush()
            except StoreUnavailableError:
                continue  # the doors say so loudly; the counts are kept
            except redis.RedisError as exc:
                get_logger().error(LogEvent.BUG, where="tallies", error=type(exc).__name__, at=place_of(exc))
