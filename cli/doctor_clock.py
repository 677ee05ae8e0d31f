"""Checks of clocks: this machine's against that of Redis, which counts, and against the provider's."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cli.findings import Finding, ok, warning

_FAR = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Another clock, read between two looks at ours."""

    asked_at: datetime
    told: datetime
    answered_at: datetime
    #: What the other clock leaves out: a Date header has whole seconds.
    step: timedelta = timedelta(0)

    @property
    def least_off(self) -> timedelta:
        """So far apart they are at least, whenever in between the other was read."""
        behind, ahead = self.asked_at - self.told - self.step, self.told - self.answered_at
        return max(behind, ahead, timedelta(0))


def check_clock(reading: Reading, other: str, *, about: str = "") -> Finding:
    """`other`: whose clock it is."""
    off = reading.least_off.total_seconds()
    if reading.least_off > _FAR:
        seen = f"{off:.1f} s off {other}'s"
        todo = "let NTP keep the time here and there: windows, leases and signatures are counted by clocks"
        return warning("clock", seen, todo, about=about)
    return ok("clock", f"agrees with {other}'s", about=about)


def now() -> datetime:
    """This machine's own clock, which is what is to be checked."""
    return datetime.now(UTC)
