"""When an event is pushed again to an app that did not take it, and when that is given up."""

from datetime import datetime, timedelta

#: From one try to the next; the last gap repeats.
_GAPS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
)
GIVE_UP_AFTER = timedelta(days=3)
_SPREAD = 0.2
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=1)


def next_push(tries: int, *, first_at: datetime, now: datetime, jitter: float) -> datetime | None:
    """The time of the next try after `tries` of them; None: it is parked, for a person to look at.

    `jitter`: 0 to 1, so that what failed together does not come back together.
    """
    gap = _GAPS[min(tries, len(_GAPS)) - 1] if tries > 0 else timedelta(0)
    at = now + gap * (1 - _SPREAD / 2 + _SPREAD * jitter)
    return at if at <= first_at + GIVE_UP_AFTER else None


def app_pause(failures_in_a_row: int, *, away_after: int) -> timedelta:
    """How long an app is left alone that took nothing so often: not at all, then from 2 s to a minute."""
    if failures_in_a_row < away_after:
        return timedelta(0)
    doublings = min(failures_in_a_row - away_after, 8)
    return min(_SHORTEST_PAUSE * (1 << doublings), _LONGEST_PAUSE)
