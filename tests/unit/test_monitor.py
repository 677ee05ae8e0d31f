"""Rows in Flower, by the rules that Celery keeps them by: each says how its message stands now."""

from itertools import count, product

import pytest
from celery.events.state import State

from shared.store.claims import Outcome
from tests.builders import NOW
from workers.monitor import events_of
from workers.report import Settled

STATES = {
    **dict.fromkeys((Outcome.SUBMITTED, Outcome.HELD, Outcome.CANCELLED), "SUCCESS"),
    **dict.fromkeys((Outcome.FAILED, Outcome.REFUSED, Outcome.EXPIRED), "FAILURE"),
    **dict.fromkeys((Outcome.DEFERRED, Outcome.WINDOW_REFUSED, Outcome.RELEASED), "RETRY"),
    Outcome.UNKNOWN: "UNKNOWN",
}


def row_after(*outcomes: Outcome):
    """Of one message that was settled so, one after the other."""
    state, clock = State(), count(1)
    for outcome in outcomes:
        settled = Settled(
            message_id="msg_1", route="session", outcome=outcome, attempt=1, started_at=NOW, ended_at=NOW
        )
        for kind, fields in events_of("shop", [settled]):
            at = next(clock)
            more = {"hostname": "here", "timestamp": at, "local_received": at, "clock": at, "pid": 1}
            state.event({"type": kind, **fields, **more})
    return state.tasks["msg_1"]


def test_every_outcome_has_its_state():
    assert set(STATES) == set(Outcome)


@pytest.mark.parametrize(("first", "then"), list(product(Outcome, Outcome)))
def test_a_row_says_how_its_message_stands_now_whatever_it_said_before(first, then):
    row = row_after(first, then)

    assert (row.state, row.result) == (STATES[then], f"shop → {then}")
