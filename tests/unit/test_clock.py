"""The clocks: the server's offset, staleness, and how times are written."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given

from shared.clock import STALE_AFTER, ManualClock, ServerClock, from_ms, rfc3339, to_ms
from shared.errors import StoreUnavailableError
from tests.builders import NOW
from tests.unit.domain.strategies import moments

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def unreachable() -> float:
    raise StoreUnavailableError("nobody there")


def test_a_manual_clock_moves_only_when_told():
    clock = ManualClock(NOW)

    assert clock.now() == clock.now() == NOW

    clock.advance(SECOND)
    clock.sleep(HOUR)

    assert clock.now() == NOW + SECOND + HOUR


def test_a_manual_clock_is_stale_only_when_told():
    clock = ManualClock(NOW)
    clock.stale = True

    assert clock.is_stale()


def test_a_clock_that_nobody_has_measured_is_stale():
    assert ServerClock(time.time).is_stale()


def test_a_measured_clock_is_fresh():
    clock = ServerClock(time.time)
    clock.measure()

    assert not clock.is_stale()
    assert STALE_AFTER >= 2 * SECOND


@pytest.mark.parametrize("ahead", [timedelta(0), HOUR, -HOUR])
def test_a_measured_clock_shows_the_servers_time(ahead):
    clock = ServerClock(lambda: time.time() + ahead.total_seconds())
    clock.measure()
    difference = clock.now() - (datetime.now(UTC) + ahead)

    assert abs(difference) < SECOND


def test_the_servers_answer_is_taken_for_the_middle_of_the_round_trip():
    asked_at: list[float] = []

    def ten_seconds_ahead_of_the_question() -> float:
        asked_at.append(time.time())
        return asked_at[0] + 10

    clock = ServerClock(ten_seconds_ahead_of_the_question)
    clock.measure()
    difference = clock.now() - (datetime.now(UTC) + 10 * SECOND)

    assert abs(difference) < SECOND


def test_a_measurement_that_fails_leaves_the_last_offset_in_force():
    answers = iter([time.time() + 3600])

    def once() -> float:
        return next(answers, None) or unreachable()

    clock = ServerClock(once)
    clock.measure()
    with pytest.raises(StoreUnavailableError):
        clock.measure()

    assert not clock.is_stale()
    assert clock.now() - datetime.now(UTC) > HOUR - SECOND


def test_a_first_measurement_that_fails_leaves_the_clock_stale():
    clock = ServerClock(unreachable)
    with pytest.raises(StoreUnavailableError):
        clock.measure()

    assert clock.is_stale()


def test_now_is_aware_utc():
    assert ServerClock(time.time).now().tzinfo is UTC


@given(moments)
def test_milliseconds_come_back_as_the_same_instant(moment):
    assert abs(from_ms(to_ms(moment)) - moment) <= timedelta(milliseconds=0.5)
    assert to_ms(from_ms(to_ms(moment))) == to_ms(moment)


@given(moments, moments)
def test_milliseconds_keep_the_order_of_times(one, other):
    earlier, later = sorted([one, other])

    assert to_ms(earlier) <= to_ms(later)


def test_milliseconds_are_read_from_the_text_that_redis_gives():
    assert from_ms("3688804800000") == NOW


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW, "2086-11-22T12:00:00.000Z"),
        (NOW + timedelta(microseconds=123_456), "2086-11-22T12:00:00.123Z"),
        (NOW.astimezone(timezone(timedelta(hours=5, minutes=30))), "2086-11-22T12:00:00.000Z"),
    ],
    ids=["whole second", "milliseconds", "from another zone"],
)
def test_times_are_written_in_utc_with_milliseconds(moment, text):
    assert rfc3339(moment) == text
