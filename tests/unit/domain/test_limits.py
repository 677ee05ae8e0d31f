"""The rate arithmetic: never more than the burst at once, nor than the rate over any span."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.limits import Limits as SandboxLimits
from sandbox.settings import Settings
from shared.domain.limits import (
    DAY_MS,
    DayStanding,
    PairLimit,
    RateLimit,
    day_free_at,
    free_at,
    pair_free_at,
    pair_take,
    take,
)

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


PAIR = PairLimit(interval_ms=6_000, burst=45)


def begin_all(limit: PairLimit, messages: int, delays: list[int]) -> list[int]:
    """When each of many waiting messages begins: the next after the answer to the last, a delay later."""
    now, burst, begun = START_MS, None, []
    for number in range(messages):
        now = max(now, pair_free_at(limit, burst, now))
        burst = pair_take(limit, burst, now)
        begun.append(now)
        now += delays[number % len(delays)]
    return begun


def test_a_contact_takes_a_burst_at_once_and_then_nothing_for_as_many_intervals():
    begun = begin_all(PAIR, 46, [0])

    assert begun[:45] == [START_MS] * 45
    assert begun[45] == START_MS + 45 * 6_000 + 1_200


def test_a_burst_ends_before_the_interval_so_that_its_last_message_arrives_within():
    begun = begin_all(PAIR, 4, [1_900])

    assert [at - START_MS for at in begun] == [0, 1_900, 3_800, 3 * 6_000 + 1_200]


def test_who_is_written_to_now_and_then_never_waits():
    burst = None
    for now in range(START_MS, START_MS + 10 * 7_200, 7_200):
        assert pair_free_at(PAIR, burst, now) == now
        burst = pair_take(PAIR, burst, now)


@given(
    st.integers(100, 60_000),
    st.integers(1, 45),
    st.lists(st.floats(0, 1), min_size=1, max_size=7),
)
def test_meta_refuses_none_however_long_requests_take_to_get_there(interval_ms, burst, shares):
    """By the sandbox's own reading of the rule. A request is on its way for almost a fifth of an interval."""
    settings = Settings(pair_interval_seconds=interval_ms / 1000, pair_burst=burst)
    delays = [int(share * interval_ms / 6) for share in shares]
    provider = SandboxLimits()

    begun = begin_all(PairLimit(interval_ms=interval_ms, burst=burst), 60, delays)

    for number, at in enumerate(begun):
        arrives = (at + delays[number % len(delays)] - START_MS) / 1000
        assert provider.admit("+1", "+2", at=arrives, settings=settings) is None


@given(st.integers(1, 60), st.integers(1, 45))
def test_on_the_long_run_a_contact_gets_a_message_an_interval(messages, burst):
    begun = begin_all(PairLimit(interval_ms=1_000, burst=burst), messages, [10])

    assert begun[-1] - START_MS <= messages * 1_200


def test_a_contact_reached_today_is_free_and_others_wait_until_the_day_has_room():
    now = START_MS

    assert day_free_at(DayStanding(), now) == now
    assert day_free_at(DayStanding(reached_at_ms=now - DAY_MS + 1, full_since_ms=now - 5), now) == now
    assert (
        day_free_at(DayStanding(reached_at_ms=now - DAY_MS, full_since_ms=now - 5), now) == now - 5 + DAY_MS
    )
    assert day_free_at(DayStanding(full_since_ms=now - DAY_MS), now) == now
