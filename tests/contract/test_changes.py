"""What people do with messages, by one suite on the fake and on a real server."""

from dataclasses import replace

import pytest
from ulid import ULID

from shared.domain.identifiers import ContactId
from shared.domain.message import InDoubt, MessageState
from shared.domain.retry import ErrorClass
from shared.settings import LEASE
from shared.store.changes import Change, Hand, Resolution, Retry
from shared.store.claims import Lost, Outcome
from tests.builders import ANNA, DAY, GRACE, NOW, opt_in, request, status, wrote
from tests.steps import SECOND, SENDER, begin, claim_one, sending, settle

DESK = Hand(name="desk", app=None)
ORDERS = Hand(name="orders", app="orders")
OTHER = Hand(name="other", app="other")


def cancel(stores, message_id, hand=ORDERS, now=NOW):
    return stores.changes.cancel("default", [message_id], hand=hand, now=now)[0]


def retry(stores, message_id, hand=ORDERS, now=NOW, nonce=None, **changes):
    how = Retry(nonce=nonce or str(ULID()), **changes)
    return stores.changes.retry("default", [(message_id, request())], how, hand=hand, now=now)[0]


def resolve(stores, message_id, resolution, hand=ORDERS, now=NOW):
    return stores.changes.resolve("default", message_id, resolution, hand=hand, now=now)


def ended(stores, outcome, **changes):
    """A message whose first attempt ended so, and its claim."""
    claim = sending(stores, **changes)
    settle(stores, claim, outcome, until=NOW + GRACE if outcome is Outcome.UNKNOWN else None)
    return claim


def waiting(stores, state):
    match state:
        case MessageState.QUEUED:
            return stores.accept().message_id
        case MessageState.HELD:
            claim = sending(stores)
            settle(stores, claim, Outcome.DEFERRED, until=NOW)
            again = claim_one(stores)
            settle(stores, again, Outcome.HELD, groups=("window:shop:+393331234567",))
        case MessageState.DEFERRED:
            claim = sending(stores)
            settle(stores, claim, Outcome.DEFERRED, until=NOW + 60 * SECOND)
    return claim.message_id


def left(stores):
    kinds = ("lane", "held", "ready", "leased", "claimed", "paused", "expiring")
    return [key for kind in kinds for key in stores.client.keys(f"{kind}:*")]


class TestCancel:
    @pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.HELD, MessageState.DEFERRED])
    def test_what_waits_is_stopped_and_stands_nowhere(self, stores, state):
        message_id = waiting(stores, state)
        assert stores.state(message_id) is state

        answers = [cancel(stores, message_id), cancel(stores, message_id)]

        assert [answer.change for answer in answers] == [Change.DONE, Change.DONE]
        assert stores.state(message_id) is MessageState.CANCELLED
        assert left(stores) == []
        last = stores.messages.get("default", message_id).timeline[-1]
        assert (last["event"], last["by"]) == ("cancelled", "orders")

    def test_the_next_one_goes_when_a_retry_is_cancelled(self, stores):
        first = waiting(stores, MessageState.DEFERRED)
        second = stores.accept()
        assert stores.lanes.claim(SENDER, 1, now=NOW) == []

        cancel(stores, first)

        assert claim_one(stores).message_id == second.message_id

    def test_a_message_in_a_workers_hand_has_not_left(self, stores):
        accepted = stores.accept()
        claim = claim_one(stores)

        assert cancel(stores, accepted.message_id).change is Change.DONE
        assert begin(stores, claim) == Lost()
        assert stores.state(accepted.message_id) is MessageState.CANCELLED
        assert left(stores) == []

    @pytest.mark.parametrize(
        ("outcome", "state"),
        [
            (None, MessageState.SENDING),
            (Outcome.SUBMITTED, MessageState.SUBMITTED),
            (Outcome.FAILED, MessageState.FAILED),
            (Outcome.UNKNOWN, MessageState.UNKNOWN),
        ],
    )
    def test_what_has_left_is_not_stopped(self, stores, outcome, state):
        claim = sending(stores) if outcome is None else ended(stores, outcome)

        answer = cancel(stores, claim.message_id)

        assert (answer.change, answer.state) == (Change.REFUSED, state)
        assert stores.state(claim.message_id) is state

    def test_only_ones_own_unless_one_may_touch_all(self, stores):
        message_id = stores.accept().message_id

        assert cancel(stores, message_id, OTHER).change is Change.MISSING
        assert cancel(stores, message_id, DESK).change is Change.DONE

    def test_apps_are_told(self, stores):
        cancel(stores, stores.accept().message_id)

        types = [fields["t"] for _, fields in stores.client.xrange("events:{default}")]
        assert types == ["message.accepted", "message.cancelled"]


class TestRetry:
    @pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN])
    def test_it_is_queued_behind_what_came_since(self, stores, outcome):
        claim = ended(stores, outcome)
        second = stores.accept()

        answer = retry(stores, claim.message_id, accepts_duplicate=True)

        assert answer.change is Change.DONE
        assert stores.state(claim.message_id) is MessageState.QUEUED
        next_claim = claim_one(stores)
        assert next_claim.message_id == second.message_id
        settle(stores, next_claim, Outcome.REFUSED)
        again = claim_one(stores)
        assert (again.message_id, again.attempts) == (claim.message_id, 1)
        assert int(again.fence) > int(claim.fence)
        assert begin(stores, again, nonce="n2").attempt == 2

    def test_tries_and_window_refusals_count_anew(self, stores):
        claim = sending(stores)
        settle(stores, claim, Outcome.DEFERRED, until=NOW, is_try=True)
        again = claim_one(stores)
        begin(stores, again, nonce="n2")
        settle(stores, again, Outcome.WINDOW_REFUSED)
        third = claim_one(stores)
        begin(stores, third, nonce="n3")
        settle(stores, third, Outcome.WINDOW_REFUSED)
        assert stores.state(claim.message_id) is MessageState.FAILED

        retry(stores, claim.message_id)

        fresh = claim_one(stores)
        assert (fresh.tries, fresh.window_refusals) == (0, 0)

    def test_the_same_call_counts_once(self, stores):
        claim = ended(stores, Outcome.FAILED)

        answers = [retry(stores, claim.message_id, nonce="n") for _ in range(2)]

        assert [answer.change for answer in answers] == [Change.DONE, Change.DONE]
        events = [entry["event"] for entry in stores.messages.get("default", claim.message_id).timeline]
        assert events.count("retried") == 1

    def test_a_doubt_needs_the_word_that_it_may_arrive_twice(self, stores):
        claim = ended(stores, Outcome.UNKNOWN)

        assert retry(stores, claim.message_id).state is MessageState.UNKNOWN
        assert retry(stores, claim.message_id, accepts_duplicate=True).change is Change.DONE
        assert settle_late(stores, claim) is MessageState.QUEUED

    def test_a_doubt_that_is_being_resent_is_left_to_its_worker(self, stores):
        claim = ended(stores, Outcome.UNKNOWN, in_doubt=InDoubt.RESEND)
        assert claim_one(stores, NOW + GRACE).message_id == claim.message_id

        answer = retry(stores, claim.message_id, accepts_duplicate=True, now=NOW + GRACE)

        assert (answer.change, answer.state) == (Change.IN_HAND, MessageState.UNKNOWN)

    def test_what_expired_needs_a_new_time(self, stores):
        accepted = stores.accept(expires_at=NOW + SECOND)
        stores.lanes.sweep("default", now=NOW + SECOND)
        assert stores.state(accepted.message_id) is MessageState.EXPIRED
        later = NOW + 2 * SECOND

        assert retry(stores, accepted.message_id, now=later).change is Change.EXPIRED
        assert retry(stores, accepted.message_id, now=later, expires_at=later + DAY).change is Change.DONE
        record = stores.messages.get("default", accepted.message_id)
        assert record.request.expires_at == later + DAY
        assert claim_one(stores, later).request.expires_at == later + DAY
        assert stores.client.pexpiretime(f"message:{{default}}:{accepted.message_id}") > 0

    @pytest.mark.parametrize(
        ("outcome", "state"),
        [(None, MessageState.SENDING), (Outcome.SUBMITTED, MessageState.SUBMITTED)],
    )
    def test_nothing_else_is_sent_again(self, stores, outcome, state):
        claim = sending(stores) if outcome is None else ended(stores, outcome)
        queued = stores.accept(to=ANNA).message_id

        assert retry(stores, claim.message_id, accepts_duplicate=True).state is state
        assert retry(stores, queued).state is MessageState.QUEUED
        cancel(stores, queued)
        assert retry(stores, queued).state is MessageState.CANCELLED

    def test_word_of_the_old_attempt_still_counts_while_it_waits(self, stores):
        claim = ended(stores, Outcome.FAILED)
        retry(stores, claim.message_id)

        stores.recorder.record([(SENDER, status(claim.message_id, MessageState.DELIVERED))], now=NOW)

        assert stores.state(claim.message_id) is MessageState.DELIVERED
        assert left(stores) == []

    def test_an_old_refusal_says_nothing_about_the_new_attempt(self, stores):
        claim = ended(stores, Outcome.UNKNOWN)
        retry(stores, claim.message_id, accepts_duplicate=True)
        again = claim_one(stores)
        begin(stores, again, nonce="n2")

        late = status(claim.message_id, MessageState.FAILED, error_class=ErrorClass.PERMANENT)
        stores.recorder.record([(SENDER, late)], now=NOW)

        assert stores.state(claim.message_id) is MessageState.SENDING


class TestResolve:
    @pytest.mark.parametrize("resolution", Resolution)
    def test_a_doubt_ends_as_said_and_its_followers_go_on(self, stores, resolution):
        claim = ended(stores, Outcome.UNKNOWN)
        second = stores.accept()
        assert stores.lanes.claim(SENDER, 1, now=NOW) == []

        answers = [resolve(stores, claim.message_id, resolution) for _ in range(2)]

        assert [answer.change for answer in answers] == [Change.DONE, Change.DONE]
        assert stores.state(claim.message_id) == resolution
        assert claim_one(stores).message_id == second.message_id

    @pytest.mark.parametrize("resolution", Resolution)
    def test_nobody_goes_on_waiting_for_the_providers_word(self, stores, resolution):
        claim = ended(stores, Outcome.UNKNOWN)

        resolve(stores, claim.message_id, resolution)

        assert stores.client.zcard("unheard:{default}:shop") == 0

    def test_a_true_status_still_counts(self, stores):
        claim = ended(stores, Outcome.UNKNOWN)
        resolve(stores, claim.message_id, Resolution.FAILED)

        stores.recorder.record([(SENDER, status(claim.message_id, MessageState.DELIVERED))], now=NOW)

        assert stores.state(claim.message_id) is MessageState.DELIVERED

    def test_what_is_about_to_be_resent_is_not(self, stores):
        claim = ended(stores, Outcome.UNKNOWN, in_doubt=InDoubt.RESEND)
        again = claim_one(stores, NOW + GRACE)

        resolve(stores, claim.message_id, Resolution.SUBMITTED, now=NOW + GRACE)

        assert begin(stores, again, NOW + GRACE, nonce="n2") == Lost()
        assert left(stores) == []

    def test_only_a_doubt_is_resolved(self, stores):
        claim = ended(stores, Outcome.FAILED)

        assert resolve(stores, claim.message_id, Resolution.SUBMITTED).state is MessageState.FAILED


def test_a_contact_that_got_another_name_keeps_its_lane(stores):
    """A message that ended under the old name is sent again under the one that leads."""
    stores.contacts.set_consent(SENDER, ANNA, opt_in(), ["utility"], now=NOW)
    stores.recorder.record([(SENDER, wrote())], now=NOW)
    old = ContactId("IT.1234567890")
    claim = ended(stores, Outcome.FAILED, to=old)
    joined = wrote(NOW, event_id="e2")
    stores.recorder.record([(SENDER, replace(joined, user_id=old))], now=NOW)

    retry(stores, claim.message_id)

    assert claim_one(stores, NOW + LEASE).contact == ANNA


def settle_late(stores, claim):
    """The worker that was given up tells after all; what state that leaves."""
    settle(stores, claim, Outcome.SUBMITTED)
    return stores.state(claim.message_id)
