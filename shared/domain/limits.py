"""Rate arithmetic: when may the next one go.

The generic cell rate algorithm: one number, the theoretical arrival time (TAT), is all the state there is.
`claim.lua` and `begin.lua` do the same sums; a property test holds the two together.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """`per_second` on average, at most `burst` at once."""

    per_second: float
    burst: int = 1

    @property
    def interval_ms(self) -> float:
        return 1000 / self.per_second

    @property
    def tolerance_ms(self) -> float:
        return self.interval_ms * (self.burst - 1)


def free_at(limit: RateLimit, tat_ms: float, now_ms: int) -> float:
    """The time (ms) from which the next one may go; not after `now_ms`: at once."""
    return max(tat_ms, now_ms) - limit.tolerance_ms


def take(limit: RateLimit, tat_ms: float, now_ms: int) -> float:
    """The TAT after one was let go at `now_ms`."""
    return max(tat_ms, now_ms) + limit.interval_ms
