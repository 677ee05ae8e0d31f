"""How fast one number may send at Meta: its throughput, and the pace for one customer.

reference: Meta "Throughput" (read 2026-09): messages in and out together, 80 a second; "About the platform"
(read 2025-12): one message to a customer every 6 s, up to 45 at once, borrowed from what comes.
"""

import threading
from dataclasses import dataclass

from sandbox.settings import Settings

THROUGHPUT_HIT, PAIR_LIMIT_HIT = 130429, 131056


@dataclass(slots=True)
class _Bucket:
    """A second's worth of messages, filled as they flow off."""

    level: float
    at: float


@dataclass(slots=True)
class _Burst:
    started_at: float
    messages: int


class Limits:
    """Counts what passes; a message that is refused takes nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._buckets: dict[str, _Bucket] = {}
            self._bursts: dict[tuple[str, str], _Burst] = {}

    def admit(self, number: str, customer: str, *, at: float, settings: Settings) -> int | None:
        """Take a message to a customer; the code of the limit that refuses it, or None."""
        with self._lock:
            bucket = self._filled(number, at, settings)
            if bucket is not None and bucket.level < 1:
                return THROUGHPUT_HIT
            if not self._borrow((number, customer), at, settings):
                return PAIR_LIMIT_HIT
            if bucket is not None:
                bucket.level -= 1
            return None

    def hear(self, number: str, *, at: float, settings: Settings) -> None:
        """A customer's message comes through whatever the level is, and counts."""
        with self._lock:
            bucket = self._filled(number, at, settings)
            if bucket is not None:
                bucket.level = max(0, bucket.level - 1)

    def _filled(self, number: str, at: float, settings: Settings) -> _Bucket | None:
        rate = settings.throughput_per_second
        if rate is None:
            return None
        bucket = self._buckets.setdefault(number, _Bucket(rate, at))
        bucket.level = min(rate, bucket.level + (at - bucket.at) * rate)
        bucket.at = at
        return bucket

    def _borrow(self, pair: tuple[str, str], at: float, settings: Settings) -> bool:
        interval = settings.pair_interval_seconds
        if interval is None:
            return True
        burst = self._bursts.get(pair)
        if burst is None or at >= burst.started_at + burst.messages * interval:
            self._bursts[pair] = _Burst(at, 1)
            return True
        if at < burst.started_at + interval and burst.messages < settings.pair_burst:
            burst.messages += 1
            return True
        return False
