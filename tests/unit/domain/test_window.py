"""The customer service window, to the second, in any time zone."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from shared.domain.window import (
    CLOSED,
    WINDOW_LENGTH,
    InboundKind,
    Window,
    WindowPolicy,
    effective_event_time,
)
from tests.builders import DAY, NOW
from tests.unit.domain.strategies import near, windows

SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
MARGIN = timedelta(seconds=60)
WROTE = Window(last_inbound_at=NOW)


@pytest.fixture(params=["UTC", "Asia/Kolkata", "America/Sao_Paulo"])
def time_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The process lives in this zone: it must make no difference."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_a_window_lasts_24_hours():
    assert WINDOW_LENGTH.total_seconds() == 86_400


@pytest.mark.parametrize(
    ("after", "is_open"),
    [
        (timedelta(0), True),
        (timedelta(hours=23, minutes=59, seconds=59), True),
        (DAY - MICROSECOND, True),
        (DAY, False),
        (DAY + MICROSECOND, False),
        (30 * DAY, False),
    ],
)
@pytest.mark.usefixtures("time_zone")
def test_a_window_is_open_until_exactly_24_hours_after_the_last_inbound(after, is_open):
    assert WROTE.is_open(NOW + after) is is_open


@pytest.mark.parametrize(
    ("left", "is_enough"),
    [(MARGIN + SECOND, True), (MARGIN, True), (MARGIN - MICROSECOND, False), (timedelta(0), False)],
)
@pytest.mark.usefixtures("time_zone")
def test_a_session_message_needs_the_whole_margin_left(left, is_enough):
    assert WROTE.is_open_for(MARGIN, NOW + DAY - left) is is_enough


@pytest.mark.usefixtures("time_zone")
def test_24_hours_are_24_hours_when_clocks_go_back():
    rome = ZoneInfo("Europe/Rome")
    wrote_at = datetime(2026, 10, 24, 12, 0, tzinfo=rome).astimezone(UTC)  # the night has 25 hours
    window = Window(last_inbound_at=wrote_at)

    assert window.expires_at == wrote_at + DAY
    assert window.is_open(datetime(2026, 10, 25, 10, 59, 59, tzinfo=rome))
    assert not window.is_open(datetime(2026, 10, 25, 11, 0, tzinfo=rome))


def test_a_margin_of_nothing_does_not_open_a_closed_window():
    assert not WROTE.is_open_for(timedelta(0), NOW + DAY)


def test_a_contact_who_never_wrote_has_a_closed_window():
    assert CLOSED.expires_at is None
    assert CLOSED.remaining(NOW) == timedelta(0)
    assert not CLOSED.is_open(NOW)


def test_what_remains_is_counted_to_the_end_and_never_below_nothing():
    assert WROTE.remaining(NOW + SECOND) == DAY - SECOND
    assert WROTE.remaining(NOW + 2 * DAY) == timedelta(0)


@pytest.mark.parametrize(
    ("refused_after", "is_open"),
    [(-SECOND, True), (timedelta(0), False), (SECOND, False)],
    ids=["wrote after the refused attempt", "wrote as it began", "wrote before it"],
)
def test_the_providers_refusal_closes_a_window_until_the_contact_writes_again(refused_after, is_open):
    window = Window(last_inbound_at=NOW, refused_at=NOW + refused_after)

    assert window.is_open(NOW + MARGIN) is is_open


def test_a_refusal_opens_nothing_for_a_contact_who_never_wrote():
    assert not Window(refused_at=NOW).is_open(NOW)


def test_a_shorter_window_is_a_setting():
    window = Window(last_inbound_at=NOW, length=timedelta(minutes=5))

    assert window.expires_at == NOW + timedelta(minutes=5)


@given(windows, near, near)
def test_a_window_that_has_closed_stays_closed(window, one, other):
    earlier, later = sorted([one, other])

    assert window.is_open(earlier) or not window.is_open(later)


@given(windows, near)
def test_open_is_the_same_as_something_remaining(window, now):
    assert window.is_open(now) is (window.remaining(now) > timedelta(0))
    assert window.is_open_for(MARGIN, now) is (window.remaining(now) >= MARGIN)


OPENERS = {
    InboundKind.TEXT,
    InboundKind.IMAGE,
    InboundKind.VIDEO,
    InboundKind.AUDIO,
    InboundKind.DOCUMENT,
    InboundKind.STICKER,
    InboundKind.LOCATION,
    InboundKind.CONTACTS,
    InboundKind.INTERACTIVE,
    InboundKind.BUTTON,
    InboundKind.ORDER,
    InboundKind.CALL,
}
UNSUPPORTED = {InboundKind.UNSUPPORTED, InboundKind.UNKNOWN}


@pytest.mark.parametrize(
    ("policy", "openers"),
    [
        (WindowPolicy(), OPENERS | UNSUPPORTED),
        (WindowPolicy(reactions_open=True), OPENERS | UNSUPPORTED | {InboundKind.REACTION}),
        (WindowPolicy(unsupported_opens=False), OPENERS),
    ],
    ids=["as shipped", "reactions too", "unsupported kinds not"],
)
def test_these_kinds_open_a_window_and_no_other_does(policy, openers):
    assert {kind for kind in InboundKind if policy.opens(kind)} == openers


@given(near, near)
def test_an_event_counts_from_its_own_time_but_never_from_the_future(event_at, received_at):
    counted = effective_event_time(event_at, received_at)

    assert counted in {event_at, received_at}
    assert counted <= event_at
    assert counted <= received_at
