"""The time, from one clock for all processes: that of Redis.

`now()` is aware UTC. Windows, leases and limits are compared across machines, so each process measures
its offset to Redis' TIME and adds it to its own clock; every other module gets `now` as an argument.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

MEASURE_EVERY = timedelta(seconds=10)
STALE_AFTER = timedelta(seconds=30)
SLOWEST_MEASUREMENT = timedelta(seconds=0.5)


class Clock(Protocol):
    def now(self) -> datetime: ...

    def is_stale(self) -> bool:
        """True while nobody knows how far this clock is off: no claim may be made by it."""
        ...

    def sleep(self, duration: timedelta) -> None: ...


class ServerClock:
    """The server's clock, carried on by this machine's steady one between measurements.

    `read_server_time` answers seconds since the epoch. A measurement that fails, or that took so long that it
    says little, leaves the last one in force until it is stale.
    """

    def __init__(self, read_server_time: Callable[[], float]) -> None:
        self._read_server_time = read_server_time
        #: Server time less our steady clock; until it is measured our own idea of the time stands in.
        self._offset_seconds = time.time() - time.monotonic()
        self._measured_at: float | None = None

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.monotonic() + self._offset_seconds, UTC)

    def measure(self) -> None:
        """Measure the offset now; the answer is taken for the middle of the round trip."""
        asked_at = time.monotonic()
        server_time = self._read_server_time()
        answered_at = time.monotonic()
        if answered_at - asked_at > SLOWEST_MEASUREMENT.total_seconds():
            return
        self._offset_seconds = server_time - (asked_at + answered_at) / 2
        self._measured_at = answered_at

    def is_stale(self) -> bool:
        return self._age() >= STALE_AFTER

    def sleep(self, duration: timedelta) -> None:
        time.sleep(duration.total_seconds())

    def keep_measuring(self, on_failure: Callable[[Exception], None]) -> None:
        """Measure now and then every MEASURE_EVERY, on a thread that ends with the process."""
        threading.Thread(target=self._measure_forever, args=(on_failure,), name="clock", daemon=True).start()

    def _measure_forever(self, on_failure: Callable[[Exception], None]) -> None:
        while True:
            try:
                self.measure()
            except Exception as exc:  # noqa: BLE001 - without this thread no worker claims anything any more
                on_failure(exc)
            self.sleep(MEASURE_EVERY if not self.is_stale() else timedelta(seconds=1))

    def _age(self) -> timedelta:
        if self._measured_at is None:
            return timedelta.max
        return timedelta(seconds=time.monotonic() - self._measured_at)


class ManualClock:
    """A clock that moves only when told."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self.stale = False

    def now(self) -> datetime:
        return self._now

    def is_stale(self) -> bool:
        return self.stale

    def sleep(self, duration: timedelta) -> None:
        self.advance(duration)

    def advance(self, by: timedelta) -> None:
        self._now += by


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since the epoch, as stored in Redis."""
    return round(moment.timestamp() * 1000)


def from_ms(ms: float | str) -> datetime:
    return datetime.fromtimestamp(float(ms) / 1000, UTC)


def duration_ms(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)


@lru_cache(maxsize=1024)
def rfc3339(moment: datetime) -> str:
    """`2026-11-22T10:15:30.123Z`: how times look at every door. A decision writes some of them four times."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"
