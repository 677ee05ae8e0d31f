"""Rows in Flower, by the rules that Celery keeps them by: each says how its message stands now."""

from itertools import chain, count, product

import pytest
from celery.events.state import State

from shared.domain.message import MessageState
from shared.store.claims import Outcome
from shared.store.lapses import Lapse, Lapsed
from tests.builders import NOW
from workers.monitor import events_of, events_of_lapsed
from workers.report import Settled

STATES = {
    **dict.fromkeys((Outcome.SUBMITTED, Outcome.HELD, Outcome.CANCELLED), "SUCCESS"),
    **dict.fromkeys((Outcome.FAILED, Outcome.REFUSED, Outcome.EXPIRED), "FAILURE"),
    **dict.fromkeys((Outcome.DEFERRED, Outcome.WINDOW_REFUSED, Outcome.RELEASED), "RETRY"),
    Outcome.UNKNOWN: "UNKNOWN",
}


def rows_after(*events):
    state, clock = State(), count(1)
    for kind, fields in chain(*events):
        at = next(clock)
        more = {"hostname": "here", "timestamp": at, "local_received": at, "clock": at, "pid": 1}
        state.event({"type": kind, **fields, **more})
    return state.tasks


def settled_as(outcome: Outcome):
    settled = Settled(
        message_id="msg_1", route="session", outcome=outcome, attempt=1, started_at=NOW, ended_at=NOW
    )
    return events_of("shop", [settled])


def lapsed_as(state: MessageState, reason: str, more: int = 0):
    listed = [Lapse(message_id="msg_1", at=NOW)]
    return events_of_lapsed(
        [Lapsed(sender="shop", state=state, reason=reason, listed=listed, more=more, fields=())]
    )


def row_after(*outcomes: Outcome):
    """Of one message that was settled so, one after the other."""
    return rows_after(*map(settled_as, outcomes))["msg_1"]


def test_every_outcome_has_its_state():
    assert set(STATES) == set(Outcome)


@pytest.mark.parametrize(("first", "then"), list(product(Outcome, Outcome)))
def test_a_row_says_how_its_message_stands_now_whatever_it_said_before(first, then):
    row = row_after(first, then)

    assert (row.state, row.result) == (STATES[then], f"shop → {then}")


@pytest.mark.parametrize("before", Outcome)
@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (MessageState.EXPIRED, "expired", "shop → expired"),
        (MessageState.UNKNOWN, "worker_lost", "shop → unknown (worker_lost)"),
        (MessageState.FAILED, "internal_error", "shop → failed (internal_error)"),
    ],
)
def test_what_the_clock_ends_is_a_failure_whatever_its_row_said_before(before, state, reason, words):
    row = rows_after(settled_as(before), lapsed_as(state, reason))["msg_1"]

    assert (row.state, row.exception, row.name) == ("FAILURE", words, "outbound.lapsed")


def test_what_goes_on_after_the_clock_had_ended_it_is_no_failure_any_more():
    row = rows_after(lapsed_as(MessageState.EXPIRED, "expired"), settled_as(Outcome.SUBMITTED))["msg_1"]

    assert (row.state, row.result) == ("SUCCESS", "shop → submitted")


def test_of_very_many_a_row_says_how_many_more():
    rows = rows_after(lapsed_as(MessageState.FAILED, "internal_error", more=9_800))

    assert sorted(row.exception for row in rows.values()) == [
        "shop → failed (internal_error)",
        "shop → failed 9,800 more (internal_error)",
    ]
    assert {row.state for row in rows.values()} == {"FAILURE"}
