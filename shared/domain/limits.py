"""Rate arithmetic: when may the next one go. Of a sender, of one of its contacts, of a day.

Times are whole milliseconds, so that the scripts, which have the last word, come to the same:
parts/limits.lua does the same sums, and property tests hold the two together.
"""

import math
from dataclasses import dataclass

#: Meta counts the contacts of a rolling day ("Messaging limits", read 2026-05-08).
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """`per_second` on average, at most `burst` at once.

    The generic cell rate algorithm: one number, the theoretical arrival time (TAT), is all its state.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLimit:
    """Meta's pace for one contact: at most `burst` messages at once, then quiet for as many intervals.

    "About the platform", read 2025-12-05: one message every 6 s; up to 45 within 6 s, borrowed from what
    comes. What counts is when Meta sees them: a burst ends here after two thirds of an interval, and the
    quiet is a fifth of an interval longer.
    """

    #: 0: no pace is kept.
    interval_ms: int
    burst: int


@dataclass(frozen=True, slots=True)
class Burst:
    """Messages to one contact that are not paid off yet: when the first began, and how many."""

    started_at_ms: int
    count: int


def _paid_off_at(limit: PairLimit, burst: Burst) -> int:
    return burst.started_at_ms + -(-(5 * burst.count + 1) * limit.interval_ms // 5)


def pair_free_at(limit: PairLimit, burst: Burst | None, now_ms: int) -> int:
    """The time (ms) from which the next message to the contact may begin; not after `now_ms`: at once."""
    if burst is None or limit.interval_ms == 0:
        return now_ms
    is_running = 3 * (now_ms - burst.started_at_ms) < 2 * limit.interval_ms
    if is_running and burst.count < limit.burst:
        return now_ms
    return _paid_off_at(limit, burst)


def pair_take(limit: PairLimit, burst: Burst | None, now_ms: int) -> Burst:
    """What is owed after one more was let go at `now_ms`."""
    if burst is None or now_ms >= _paid_off_at(limit, burst):
        return Burst(now_ms, 1)
    return Burst(burst.started_at_ms, burst.count + 1)


@dataclass(frozen=True, slots=True)
class DayStanding:
    """Where a contact stands with the daily limit of its sender's portfolio; None: it does not bind.

    `reached_at_ms`: the contact was last reached outside its window. `full_since_ms`: of those that fill the
    limit, the first was reached then; when a day has passed since, there is room for one more.
    """

    reached_at_ms: int | None = None
    full_since_ms: int | None = None


def day_free_at(standing: DayStanding, now_ms: int) -> int:
    """The time (ms) from which the contact may be reached outside its window; not after `now_ms`: at once."""
    if standing.reached_at_ms is not None and standing.reached_at_ms + DAY_MS > now_ms:
        return now_ms
    return now_ms if standing.full_since_ms is None else standing.full_since_ms + DAY_MS


def ceiling(milliseconds: float) -> int:
    """A moment to wait for, never before it."""
    return math.ceil(milliseconds)
