"""From begin to settle, on the fake and on a real server: attempts, their ends and their doubts."""

from datetime import timedelta

import pytest

from shared.domain.consent import Category
from shared.domain.message import InDoubt, MessageState
from shared.domain.templates import Approval, Gate
from shared.settings import LEASE
from shared.store.claims import Changed, Go, Lost, Outcome
from shared.store.keys import template_group, window_group
from tests.builders import (
    ANNA,
    DAY,
    GRACE,
    NOW,
    meta_sender,
    opt_out,
    status,
    template,
    wrote,
)
from tests.steps import SECOND, SENDER, begin, claim_one, sending, settle


class TestBegin:
    def test_the_same_nonce_gets_the_same_answer(self, stores):
        stores.accept()
        claim = claim_one(stores)

        assert begin(stores, claim, nonce="a") == Go(1)
        assert begin(stores, claim, nonce="a") == Go(1)
        assert begin(stores, claim, nonce="b") == Lost()

    @pytest.mark.parametrize("change", ["opt_out", "inbound", "template", "sender"])
    def test_what_changed_since_the_claim_is_answered_afresh(self, stores, change):
        stores.templates.create("default", template(), nonce="n")
        stores.accept()
        claim = claim_one(stores)
        match change:
            case "opt_out":
                stores.contacts.set_consent(meta_sender(), ANNA, opt_out(), list(Category), now=NOW)
            case "inbound":
                stores.recorder.record([(SENDER, wrote())], now=NOW)
            case "template":
                stores.templates.decide(
                    "default", template().id, Gate.WHATSAPP, Approval.REJECTED, "INVALID_FORMAT"
                )
            case "sender":
                stores.senders.halt(SENDER, "why", now=NOW)

        answer = begin(stores, claim)

        assert isinstance(answer, Changed)
        assert begin(stores, claim, versions=answer.known.versions) == Go(1)

    def test_no_session_message_begins_after_its_margin(self, stores):
        stores.accept()
        claim = claim_one(stores)

        late = begin(stores, claim, begin_before=NOW - timedelta(milliseconds=1))

        assert isinstance(late, Changed)
        assert begin(stores, claim, begin_before=NOW) == Go(1)

    def test_a_claim_whose_lease_ended_is_lost(self, stores):
        stores.accept()
        claim = claim_one(stores)
        later = NOW + LEASE + SECOND
        stores.lanes.tick([SENDER], now=later)

        assert begin(stores, claim, later) == Lost()
        second = claim_one(stores, later)
        assert begin(stores, claim, later) == Lost()
        assert begin(stores, second, later) == Go(1)


class TestSettle:
    def test_a_submitted_message_leaves_its_lane(self, stores):
        claim = sending(stores)

        settle(
            stores, claim, Outcome.SUBMITTED, provider_message_id="wamid.1", result={"outcome": "submitted"}
        )

        record = stores.messages.get("default", claim.message_id)
        assert (record.state, record.provider_message_id) == (MessageState.SUBMITTED, "wamid.1")
        assert record.attempts[0]["outcome"] == "submitted"
        assert stores.lanes.claim(SENDER, 10, now=NOW + DAY) == []

    def test_settling_twice_changes_nothing(self, stores):
        claim = sending(stores)
        settle(stores, claim, Outcome.SUBMITTED)
        before = stores.messages.get("default", claim.message_id)

        settle(stores, claim, Outcome.SUBMITTED, now=NOW + SECOND)

        assert stores.messages.get("default", claim.message_id) == before

    def test_an_old_fence_changes_nothing(self, stores):
        stores.accept()
        old = claim_one(stores)
        later = NOW + LEASE + SECOND
        stores.lanes.tick([SENDER], now=later)
        new = claim_one(stores, later)
        begin(stores, new, later)

        settle(stores, old, Outcome.FAILED, later, reason="late")

        assert stores.state(new.message_id) is MessageState.SENDING

    def test_a_retry_makes_its_followers_wait(self, stores):
        claim = sending(stores)
        stores.accept()
        at = NOW + timedelta(seconds=4)

        settle(stores, claim, Outcome.DEFERRED, until=at, is_try=True)

        assert stores.lanes.claim(SENDER, 10, now=at - SECOND) == []
        again = claim_one(stores, at)
        assert (again.message_id, again.tries, again.attempts) == (claim.message_id, 1, 1)

    def test_what_is_held_steps_aside_and_is_woken_in_its_place(self, stores):
        first = stores.accept()
        second = stores.accept()
        third = stores.accept()
        claim = claim_one(stores)
        settle(stores, claim, Outcome.HELD, groups=(window_group("shop", ANNA),))
        assert stores.state(first.message_id) is MessageState.HELD
        claim = claim_one(stores)
        assert claim.message_id == second.message_id
        settle(stores, claim, Outcome.HELD, groups=(window_group("shop", ANNA),))

        stores.recorder.record([(SENDER, wrote())], now=NOW)

        order = []
        while claims := stores.lanes.claim(SENDER, 10, now=NOW):
            order.append(claims[0].message_id)
            begin(stores, claims[0], nonce=str(claims[0].message_id), versions=claims[0].known.versions)
            settle(stores, claims[0], Outcome.SUBMITTED)
        assert order == [first.message_id, second.message_id, third.message_id]

    def test_an_approved_template_wakes_what_waits_for_it(self, stores):
        stores.templates.create("default", template(gates={}), nonce="n")
        stores.lanes.sweep("default", now=NOW)
        accepted = stores.accept()
        settle(stores, claim_one(stores), Outcome.DEFERRED, groups=(template_group(template().id),))
        assert stores.lanes.claim(SENDER, 10, now=NOW + SECOND) == []

        stores.templates.decide("default", template().id, Gate.WHATSAPP, Approval.APPROVED, None)
        stores.client.delete("ticker:{default}")
        stores.lanes.sweep("default", now=NOW + SECOND)

        assert claim_one(stores, NOW + SECOND).message_id == accepted.message_id

    def test_a_released_claim_is_ready_at_once_and_costs_nothing(self, stores):
        stores.accept()
        for _ in range(10):
            settle(stores, claim_one(stores), Outcome.RELEASED)

        assert claim_one(stores).attempts == 0


class TestDoubt:
    def test_a_begun_attempt_whose_worker_died_is_unknown_and_never_sent_again(self, stores):
        claim = sending(stores)
        later = NOW + LEASE + SECOND

        (ticked,) = stores.lanes.tick([SENDER], now=later)

        assert ticked.doubts == 1
        assert stores.state(claim.message_id) is MessageState.UNKNOWN
        assert stores.lanes.claim(SENDER, 10, now=later + GRACE + SECOND) == []
        assert stores.state(claim.message_id) is MessageState.UNKNOWN

    def test_followers_wait_for_the_grace_of_a_doubt_and_then_go(self, stores):
        claim = sending(stores)
        follower = stores.accept()
        settle(stores, claim, Outcome.UNKNOWN, until=NOW + GRACE)

        assert stores.lanes.claim(SENDER, 10, now=NOW + GRACE - SECOND) == []
        assert claim_one(stores, NOW + GRACE).message_id == follower.message_id

    def test_in_doubt_resend_is_claimed_again_after_the_grace(self, stores):
        claim = sending(stores, in_doubt=InDoubt.RESEND)
        settle(stores, claim, Outcome.UNKNOWN, until=NOW + GRACE)

        again = claim_one(stores, NOW + GRACE)

        assert again.message_id == claim.message_id
        assert begin(stores, again, NOW + GRACE, nonce="n2") == Go(2)

    def test_a_status_resolves_the_doubt(self, stores):
        claim = sending(stores)
        follower = stores.accept()
        settle(stores, claim, Outcome.UNKNOWN, until=NOW + GRACE)

        stores.recorder.record([(SENDER, status(claim.message_id, MessageState.DELIVERED))], now=NOW)

        assert stores.state(claim.message_id) is MessageState.DELIVERED
        assert claim_one(stores).message_id == follower.message_id

    def test_a_late_settle_resolves_the_doubt(self, stores):
        claim = sending(stores)
        later = NOW + LEASE + SECOND
        stores.lanes.tick([SENDER], now=later)

        settle(stores, claim, Outcome.SUBMITTED, later)

        assert stores.state(claim.message_id) is MessageState.SUBMITTED

    def test_a_late_settle_that_wants_a_retry_brings_the_message_back_to_its_lane(self, stores):
        claim = sending(stores)
        later = NOW + LEASE + GRACE + 2 * SECOND
        stores.lanes.tick([SENDER], now=NOW + LEASE + SECOND)
        assert stores.lanes.claim(SENDER, 10, now=later) == []

        settle(stores, claim, Outcome.DEFERRED, later, until=later + SECOND)

        assert claim_one(stores, later + SECOND).message_id == claim.message_id
