"""The rate arithmetic: never more than the burst at once, nor than the rate over any span."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.limits import RateLimit, free_at, take

START_MS = 1_795_348_800_000
limits = st.builds(RateLimit, per_second=st.floats(0.05, 1000), burst=st.integers(1, 50))
gaps_ms = st.lists(st.integers(0, 3_000), max_size=60)


def let_go(limit: RateLimit, times_ms: list[int]) -> list[int]:
    """The times of those that asked at `times_ms` and were let go."""
    tat, gone = 0.0, []
    for now_ms in times_ms:
        if free_at(limit, tat, now_ms) <= now_ms:
            tat = take(limit, tat, now_ms)
            gone.append(now_ms)
    return gone


def times_of(gaps: list[int]) -> list[int]:
    times = [START_MS]
    for gap in gaps:
        times.append(times[-1] + gap)
    return times


@pytest.mark.parametrize(
    ("per_second", "burst", "asked", "gone"),
    [(80, 40, 100, 40), (1, 1, 5, 1), (0.5, 1, 2, 1), (10, 3, 2, 2)],
)
def test_a_quiet_sender_may_send_its_burst_at_once(per_second, burst, asked, gone):
    limit = RateLimit(per_second=per_second, burst=burst)

    assert len(let_go(limit, [START_MS] * asked)) == gone


def test_after_the_burst_one_goes_each_interval():
    limit = RateLimit(per_second=10, burst=3)
    times = [START_MS] * 4 + [START_MS + 99, START_MS + 100, START_MS + 199, START_MS + 200]

    assert let_go(limit, times) == [START_MS] * 3 + [START_MS + 100, START_MS + 200]


def test_the_answer_names_the_time_from_which_the_next_one_may_go():
    limit = RateLimit(per_second=4)
    tat = take(limit, 0, START_MS)

    assert free_at(limit, tat, START_MS) == START_MS + 250


def test_what_was_not_used_is_kept_up_to_the_burst_only():
    limit = RateLimit(per_second=10, burst=3)
    an_hour_later = START_MS + 3_600_000

    assert len(let_go(limit, [START_MS] * 3 + [an_hour_later] * 10)) == 6


@given(limits, gaps_ms)
def test_no_span_sees_more_than_the_burst_and_its_rate(limit, gaps):
    gone = let_go(limit, times_of(gaps))

    for first in range(len(gone)):
        for last in range(first, len(gone)):
            span_seconds = (gone[last] - gone[first]) / 1000
            assert last - first + 1 <= limit.burst + limit.per_second * span_seconds + 1e-6


@given(limits, gaps_ms)
def test_somebody_who_waits_as_told_is_let_go(limit, gaps):
    tat = 0.0
    for now_ms in times_of(gaps):
        tat = take(limit, tat, now_ms)
    told_ms = int(free_at(limit, tat, START_MS)) + 1

    assert free_at(limit, tat, told_ms) <= told_ms
