"""The life of a message: one closed table, and statuses that never move it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.message import AWAITING_STATUS, BY_HAND, TRANSITIONS, MessageState, Priority, after_status

STATES = list(MessageState)
RANK = {
    MessageState.SUBMITTED: 0,
    MessageState.SENT: 1,
    MessageState.DELIVERED: 2,
    MessageState.READ: 3,
    MessageState.PLAYED: 4,
}
ARRIVED = [MessageState.DELIVERED, MessageState.READ, MessageState.PLAYED]
#: What a provider can report about an attempt.
REPORTED = [MessageState.SENT, *ARRIVED, MessageState.FAILED]

reports = st.lists(st.sampled_from(REPORTED), max_size=8)


def after_all(state: MessageState, reported: list[MessageState]) -> MessageState:
    for status in reported:
        state = after_status(state, status) or state
    return state


def test_every_state_stands_in_the_table_and_leads_to_known_states():
    assert set(TRANSITIONS) == set(MessageState)
    assert all(targets <= set(MessageState) for targets in TRANSITIONS.values())


def test_every_state_can_be_reached_from_queued():
    reached = {MessageState.QUEUED}
    while further := {target for state in reached for target in TRANSITIONS[state]} - reached:
        reached |= further

    assert reached == set(MessageState)


@pytest.mark.parametrize(
    "final", [MessageState.REFUSED, MessageState.EXPIRED, MessageState.CANCELLED, MessageState.PLAYED]
)
def test_a_final_state_leads_nowhere(final):
    assert not TRANSITIONS[final]
    assert all(after_status(final, status) is None for status in STATES)


def test_a_hand_stops_only_what_waits_and_sends_again_only_what_ended_badly():
    stopped = {state for state in STATES if MessageState.CANCELLED in BY_HAND.get(state, ())}
    sent_again = {state for state in STATES if MessageState.QUEUED in BY_HAND.get(state, ())}

    assert stopped == {MessageState.QUEUED, MessageState.HELD, MessageState.DEFERRED}
    assert sent_again == {
        MessageState.FAILED,
        MessageState.REFUSED,
        MessageState.EXPIRED,
        MessageState.UNKNOWN,
    }


def test_failed_yields_only_to_what_shows_that_it_arrived():
    assert TRANSITIONS[MessageState.FAILED] == set(ARRIVED)


@pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.HELD, MessageState.DEFERRED])
def test_what_waits_is_moved_only_by_proof_that_it_arrived(state):
    arrived = {MessageState.DELIVERED, MessageState.READ, MessageState.PLAYED}

    assert state not in AWAITING_STATUS
    assert {status for status in REPORTED if after_status(state, status)} == arrived


@pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.HELD, MessageState.DEFERRED])
def test_what_has_left_never_waits_for_the_contact_again(state):
    for left in (MessageState.DELIVERED, MessageState.READ, MessageState.PLAYED):
        assert state not in TRANSITIONS[left]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("status", REPORTED)
def test_a_status_follows_the_table_or_changes_nothing(state, status):
    moved = after_status(state, status)

    assert moved is None or (moved is status and status in TRANSITIONS[state])


@pytest.mark.parametrize("state", RANK)
@pytest.mark.parametrize("status", [*RANK, MessageState.FAILED])
def test_a_status_never_moves_a_message_back(state, status):
    moved = after_status(state, status)

    if moved is MessageState.FAILED:
        assert state in {MessageState.SUBMITTED, MessageState.SENT}
    elif moved is not None:
        assert RANK[moved] > RANK[state]


@pytest.mark.parametrize("state", [MessageState.SENDING, MessageState.UNKNOWN, MessageState.SUBMITTED])
@pytest.mark.parametrize("status", REPORTED)
def test_any_status_ends_the_doubt_about_an_attempt(state, status):
    assert after_status(state, status) is status


@given(reports, st.data())
def test_any_order_of_the_same_statuses_ends_in_the_same_state(reported, data):
    shuffled = data.draw(st.permutations(reported))

    assert after_all(MessageState.SUBMITTED, reported) is after_all(MessageState.SUBMITTED, shuffled)


@given(st.sampled_from([MessageState.SENDING, MessageState.SUBMITTED, MessageState.UNKNOWN]), reports)
def test_a_message_ends_in_the_highest_status_that_was_reported(start, reported):
    arrived = [status for status in reported if status in ARRIVED]
    if arrived:
        expected = max(arrived, key=RANK.__getitem__)
    elif MessageState.FAILED in reported:
        expected = MessageState.FAILED
    else:
        expected = MessageState.SENT if reported else start

    assert after_all(start, reported) is expected


@given(st.sampled_from(STATES), reports)
def test_hearing_the_same_statuses_twice_changes_nothing(start, reported):
    once = after_all(start, reported)

    assert after_all(once, reported) is once


def test_the_numbers_of_priorities_are_stored_and_stay():
    assert [(priority.name, priority.value) for priority in Priority] == [
        ("HIGH", 0),
        ("NORMAL", 1),
        ("BULK", 2),
    ]
