"""After an error: how long to wait, and when to give up."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.retry import ErrorClass, GiveUp, RetryAt, backoff, next_step
from tests.builders import DAY, NOW

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
PASSING = [ErrorClass.RETRY, ErrorClass.THROTTLE]
chance = st.floats(0, 1)


def step(error_class=ErrorClass.RETRY, **changes) -> RetryAt | GiveUp:
    values = {
        "tries": 1,
        "allowed": None,
        "minimum_wait": timedelta(0),
        "jitter": 0.5,
        "now": NOW,
        "expires_at": NOW + DAY,
    }
    return next_step(error_class, **{**values, **changes})


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 1), (2, 4), (3, 16), (4, 64), (5, 256), (6, 1024), (7, 3600), (500, 3600)]
)
def test_the_wait_is_4_to_the_n_seconds_and_an_hour_at_most(tries, seconds):
    assert backoff(tries, 0.5) == timedelta(seconds=seconds)


@given(st.integers(1, 10_000), chance)
def test_chance_moves_a_wait_by_a_fifth_at_most_and_never_over_an_hour(tries, jitter):
    middle = 4.0 ** min(tries - 1, 6)
    wait = backoff(tries, jitter).total_seconds()

    assert min(0.8 * middle, 3600) - 1e-6 <= wait <= min(1.2 * middle, 3600) + 1e-6


@given(st.integers(1, 20), chance)
def test_a_later_try_never_waits_less(tries, jitter):
    assert backoff(tries + 1, jitter) >= backoff(tries, jitter)


@pytest.mark.parametrize("error_class", PASSING)
def test_an_error_that_may_pass_is_tried_again(error_class):
    assert step(error_class) == RetryAt(NOW + SECOND)


@pytest.mark.parametrize("error_class", [one for one in ErrorClass if one not in PASSING])
def test_any_other_error_is_final_and_says_its_class(error_class):
    assert step(error_class) == GiveUp(error_class.value)


def test_the_providers_minimum_is_waited_at_least():
    assert step(minimum_wait=HOUR) == RetryAt(NOW + HOUR)


def test_a_minimum_shorter_than_our_wait_changes_nothing():
    assert step(tries=4, minimum_wait=SECOND) == RetryAt(NOW + 64 * SECOND)


@pytest.mark.parametrize(("tries", "is_over"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_row_may_grant_only_so_many_tries(tries, is_over):
    assert (step(tries=tries, allowed=3) == GiveUp("tries_exhausted")) is is_over


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (SECOND + timedelta(microseconds=1), RetryAt(NOW + SECOND)),
        (SECOND, GiveUp("expires_before_retry")),
        (timedelta(0), GiveUp("expires_before_retry")),
    ],
)
def test_nothing_is_tried_after_it_has_expired(left, expected):
    assert step(expires_at=NOW + left) == expected


@given(
    st.sampled_from(ErrorClass),
    st.integers(1, 50),
    st.none() | st.integers(1, 10),
    st.timedeltas(timedelta(0), DAY),
    chance,
    st.timedeltas(timedelta(0), 2 * DAY),
)
def test_a_retry_lies_after_its_minimum_and_before_the_expiry(
    error_class, tries, allowed, minimum, jitter, left
):
    answer = step(
        error_class,
        tries=tries,
        allowed=allowed,
        minimum_wait=minimum,
        jitter=jitter,
        expires_at=NOW + left,
    )

    if isinstance(answer, RetryAt):
        assert NOW + minimum <= answer.at < NOW + left
        assert answer.at > NOW
        assert allowed is None or tries < allowed
