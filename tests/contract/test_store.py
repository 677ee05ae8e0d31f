"""The store, by one suite on the fake and on a real server: acceptance, lanes, windows, statuses."""

from datetime import timedelta

import pytest
import redis

from shared.clock import to_ms
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.message import TRANSITIONS, InDoubt, MessageState, Priority, after_status
from shared.domain.retry import ErrorClass
from shared.domain.templates import Approval, Gate
from shared.settings import LEASE
from shared.store.claims import Begin, Changed, Claim, Go, Lost, Outcome, Settle
from shared.store.codec import load_known
from shared.store.keys import Keys, template_group, window_group
from shared.store.messages import Accepted, KeyReused, TemplateMismatch
from tests.builders import (
    ANNA,
    DAY,
    GRACE,
    NOW,
    Stores,
    call,
    meta_sender,
    opt_in,
    opt_out,
    status,
    template,
    wrote,
)

SENDER = meta_sender()
SECOND = timedelta(seconds=1)


@pytest.fixture
def stores(any_redis: redis.Redis) -> Stores:
    return Stores(any_redis)


def begin_of(claim: Claim, nonce: str = "n1", **changes: object) -> Begin:
    values = {
        "claim": claim,
        "nonce": nonce,
        "versions": claim.known.versions,
        "decided_at": NOW,
        "begin_before": NOW + DAY,
        "attempt": {"route": {"kind": "template"}},
    }
    return Begin(**{**values, **changes})


def claim_one(stores: Stores, now=NOW) -> Claim:
    (claim,) = stores.lanes.claim(SENDER, 10, now=now)
    return claim


def begin(stores: Stores, claim: Claim, now=NOW, **changes: object):
    (answer,) = stores.lanes.step([], [begin_of(claim, **changes)], now=now).answers
    return answer


def settle(stores: Stores, claim: Claim, outcome: Outcome, now=NOW, **changes: object):
    return stores.lanes.step([Settle(claim=claim, outcome=outcome, **changes)], [], now=now)


def sending(stores: Stores, now=NOW, **changes: object) -> Claim:
    stores.accept(at=now, **changes)
    claim = claim_one(stores, now)
    assert begin(stores, claim, now) == Go(1)
    return claim


class TestAccept:
    def test_an_accepted_message_is_queued_and_rings_once(self, stores):
        first = stores.accept()
        second = stores.accept()

        assert first.must_ring
        assert not second.must_ring
        assert stores.state(first.message_id) is MessageState.QUEUED

    def test_a_repeated_call_answers_the_same_and_queues_once(self, stores):
        first = stores.accept(idempotency_key="k", fingerprint="f")
        again = stores.accept(idempotency_key="k", fingerprint="f", at=NOW + SECOND)

        assert again.message_id == first.message_id
        assert again.accepted_at == first.accepted_at
        assert again.known == first.known
        assert len(stores.lanes.claim(SENDER, 10, now=NOW + SECOND)) == 1

    def test_a_key_with_another_body_is_refused(self, stores):
        stores.accept(idempotency_key="k", fingerprint="f")

        assert stores.accept(idempotency_key="k", fingerprint="g") == KeyReused()

    def test_variables_that_do_not_fit_the_registered_template_are_refused(self, stores):
        stores.templates.create("default", template(), nonce="n")

        answer = stores.accept(templates=(call(values={"1": "Anna"}),))

        assert isinstance(answer, TemplateMismatch)
        assert answer.template == "102290129340398:ordine_pronto:it"
        assert [misfit.field for misfit in answer.misfits] == ["variables.2"]
        assert stores.lanes.claim(SENDER, 10, now=NOW) == []

    def test_the_answer_carries_the_facts_for_a_forecast(self, stores):
        stores.templates.create("default", template(), nonce="n")
        stores.recorder.record([(SENDER, wrote())], now=NOW)
        stores.contacts.set_consent(meta_sender(), ANNA, opt_in(), [Category.UTILITY], now=NOW)

        known = stores.accept().known

        assert known.window.is_open(NOW)
        assert known.consent.is_opted_in(Category.UTILITY)
        assert known.templates == (template(),)

    def test_the_same_acceptance_twice_is_one_message(self, stores):
        first = stores.accept()
        record = stores.messages.get("default", first.message_id)

        assert record.timeline == ({"at": 3688804800000, "event": "accepted"},)


class TestClaim:
    def test_one_message_of_a_contact_is_in_hand_at_a_time(self, stores):
        first, second = stores.accept(), stores.accept()

        claim = claim_one(stores)

        assert claim.message_id == first.message_id
        assert stores.lanes.claim(SENDER, 10, now=NOW) == []
        assert begin(stores, claim) == Go(1)
        assert settle(stores, claim, Outcome.SUBMITTED).has_more
        assert claim_one(stores).message_id == second.message_id

    def test_high_priority_goes_first_and_order_holds_within_one(self, stores):
        bulk = stores.accept(priority=Priority.BULK)
        normal = stores.accept()
        high = stores.accept(priority=Priority.HIGH)
        order = []

        while claims := stores.lanes.claim(SENDER, 10, now=NOW):
            (claim,) = claims
            order.append(claim.message_id)
            begin(stores, claim, nonce=str(claim.message_id))
            settle(stores, claim, Outcome.SUBMITTED)

        assert order == [high.message_id, normal.message_id, bulk.message_id]

    def test_contacts_do_not_wait_for_each_other(self, stores):
        for last in range(5):
            stores.accept(to=ContactId(f"+39333123450{last}"))

        assert len(stores.lanes.claim(SENDER, 3, now=NOW)) == 3
        assert len(stores.lanes.claim(SENDER, 3, now=NOW)) == 2

    def test_a_claim_never_exceeds_the_rate_of_the_sender(self, stores):
        slow = meta_sender(throughput_per_second=5.0)
        for last in range(5):
            stores.accept(slow, to=ContactId(f"+39333123450{last}"))

        claims = stores.lanes.claim(slow, 10, now=NOW)
        answers = stores.lanes.step([], [begin_of(claim) for claim in claims], now=NOW).answers

        assert answers == (Go(1), Go(1))
        assert stores.lanes.claim(slow, 10, now=NOW) == []
        assert len(stores.lanes.claim(slow, 10, now=NOW + SECOND)) == 2

    def test_a_begin_without_a_token_is_to_be_decided_again(self, stores):
        slow = meta_sender(throughput_per_second=1.0)
        for last in range(2):
            stores.accept(slow, to=ContactId(f"+39333123450{last}"))
        first = stores.lanes.claim(slow, 1, now=NOW)[0]
        assert stores.lanes.claim(slow, 1, now=NOW) == []  # its turn is promised to the first
        second = stores.lanes.claim(slow, 1, now=NOW + SECOND)[0]

        begins = [begin_of(first), begin_of(second)]
        went, waits = stores.lanes.step([], begins, now=NOW + SECOND).answers

        assert went == Go(1)
        assert isinstance(waits, Changed)
        assert waits.known.tat_ms == to_ms(NOW + 2 * SECOND)

    def test_a_halted_sender_gives_nothing_until_it_is_resumed(self, stores):
        accepted = stores.accept()
        stores.senders.halt(SENDER, "error 190", now=NOW)

        assert stores.lanes.claim(SENDER, 10, now=NOW) == []
        assert [halt.why for halt in stores.senders.get(SENDER).halts] == ["error 190"]
        stores.senders.resume(SENDER, now=NOW)
        assert claim_one(stores).message_id == accepted.message_id

    def test_three_claims_without_a_begin_end_as_internal_error(self, stores):
        accepted = stores.accept()
        now = NOW
        for _ in range(3):
            claim_one(stores, now)
            now += LEASE + SECOND
            stores.lanes.tick([SENDER], now=now)

        assert stores.lanes.claim(SENDER, 10, now=now) == []
        record = stores.messages.get("default", accepted.message_id)
        assert (record.state, record.reason) == (MessageState.FAILED, "internal_error")


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


class TestStatus:
    @pytest.mark.parametrize("state", list(MessageState))
    @pytest.mark.parametrize("reported", ["sent", "delivered", "read", "played", "failed"])
    def test_the_script_moves_as_the_table_says(self, stores, state, reported):
        accepted = stores.accept()
        key = Keys("default").message(accepted.message_id)
        stores.client.hset(key, mapping={"state": state, "attempts": 1, "attempt:1": "{}", "begun_at": 0})

        stores.recorder.record([(SENDER, status(accepted.message_id, MessageState(reported)))], now=NOW)

        expected = after_status(state, MessageState(reported)) or state
        assert stores.state(accepted.message_id) is expected
        assert expected is state or expected in TRANSITIONS[state]

    def test_a_status_before_the_settle_stands(self, stores):
        claim = sending(stores)
        stores.recorder.record([(SENDER, status(claim.message_id, MessageState.DELIVERED))], now=NOW)

        settle(stores, claim, Outcome.SUBMITTED, provider_message_id="wamid.1")

        record = stores.messages.get("default", claim.message_id)
        assert (record.state, record.provider_message_id) == (MessageState.DELIVERED, "wamid.1")
        assert stores.lanes.claim(SENDER, 10, now=NOW + DAY) == []

    def test_a_word_about_an_old_attempt_does_not_touch_the_next(self, stores):
        claim = sending(stores)
        settle(stores, claim, Outcome.DEFERRED, until=NOW)
        again = claim_one(stores)
        begin(stores, again, nonce="n2")

        stores.recorder.record([(SENDER, status(claim.message_id, MessageState.FAILED, attempt=1))], now=NOW)

        assert stores.state(claim.message_id) is MessageState.SENDING

    def test_an_unknown_message_is_counted_and_changes_nothing(self, stores):
        unknown = MessageId.from_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV")

        (word,) = stores.recorder.record([(SENDER, status(unknown, MessageState.READ))], now=NOW)

        assert word == "unknown_message"
        assert stores.messages.get("default", unknown) is None


class TestWindowRefusal:
    def refuse_late(self, stores: Stores, claim: Claim, attempt: int = 1) -> list[str]:
        report = status(claim.message_id, MessageState.FAILED, attempt=attempt, error_class=ErrorClass.WINDOW)
        return stores.recorder.record([(SENDER, report)], now=NOW)

    def test_a_late_refusal_closes_the_window_and_queues_the_message_once_more(self, stores):
        stores.recorder.record([(SENDER, wrote(NOW - SECOND))], now=NOW)
        claim = sending(stores)
        settle(stores, claim, Outcome.SUBMITTED)

        assert self.refuse_late(stores, claim) == ["rerouted"]

        again = claim_one(stores)
        assert (again.message_id, again.window_refusals) == (claim.message_id, 1)
        assert not again.known.window.is_open(NOW)

    def test_a_second_refusal_ends_it(self, stores):
        claim = sending(stores)
        settle(stores, claim, Outcome.SUBMITTED)
        self.refuse_late(stores, claim)
        again = claim_one(stores)
        begin(stores, again, nonce="n2")
        settle(stores, again, Outcome.SUBMITTED)

        self.refuse_late(stores, claim, attempt=2)

        record = stores.messages.get("default", claim.message_id)
        assert (record.state, record.reason) == (MessageState.FAILED, "provider_window_closed")
        assert stores.lanes.claim(SENDER, 10, now=NOW + DAY) == []

    def test_a_message_of_the_contact_opens_it_again(self, stores):
        stores.recorder.record([(SENDER, wrote(NOW - SECOND))], now=NOW)
        claim = sending(stores)
        settle(stores, claim, Outcome.WINDOW_REFUSED)

        stores.recorder.record([(SENDER, wrote(NOW + SECOND))], now=NOW + SECOND)

        assert claim_one(stores, NOW + SECOND).known.window.is_open(NOW + SECOND)

    def test_a_refusal_before_the_settle_is_not_lost(self, stores):
        claim = sending(stores)
        self.refuse_late(stores, claim)

        settle(stores, claim, Outcome.SUBMITTED)

        assert claim_one(stores).message_id == claim.message_id


class TestInbound:
    def test_a_window_is_open_to_the_very_next_call(self, stores):
        stores.recorder.record([(SENDER, wrote())], now=NOW)

        window = stores.contacts.get(SENDER, ANNA).window

        assert window.expires_at == NOW + DAY

    def test_the_latest_event_wins_whatever_the_order_of_arrival(self, stores):
        for hours in (2, 5, 1):
            stores.recorder.record([(SENDER, wrote(NOW - timedelta(hours=hours)))], now=NOW)

        assert stores.contacts.get(SENDER, ANNA).window.last_inbound_at == NOW - timedelta(hours=1)

    def test_an_event_older_than_the_window_opens_nothing_but_is_recorded(self, stores):
        stores.recorder.record([(SENDER, wrote(NOW - DAY, event_id="old"))], now=NOW)

        contact = stores.contacts.get(SENDER, ANNA)
        assert not contact.window.is_open(NOW)
        assert contact.inbound[0]["id"] == "old"

    def test_a_time_in_the_future_counts_as_now(self, stores):
        stores.recorder.record([(SENDER, wrote(NOW + DAY))], now=NOW)

        assert stores.contacts.get(SENDER, ANNA).window.expires_at == NOW + DAY

    def test_a_duplicate_has_one_effect(self, stores):
        first = stores.recorder.record([(SENDER, wrote(event_id="e"))], now=NOW)
        again = stores.recorder.record([(SENDER, wrote(event_id="e"))], now=NOW + SECOND)

        assert (first, again) == (["recorded"], ["duplicate"])
        assert len(stores.contacts.get(SENDER, ANNA).inbound) == 1

    def test_stop_opts_out_of_everything_and_start_opts_in_again(self, stores):
        stores.contacts.set_consent(meta_sender(), ANNA, opt_in(), [Category.UTILITY], now=NOW)
        stores.recorder.record([(SENDER, wrote(NOW, text=" Stop. "))], now=NOW)
        consent = stores.contacts.get(SENDER, ANNA).consent
        assert [consent.opted_out_at(category) for category in Category] == [NOW] * 3

        stores.recorder.record([(SENDER, wrote(NOW + SECOND, text="start"))], now=NOW + SECOND)
        consent = stores.contacts.get(SENDER, ANNA).consent
        assert consent.is_opted_in(Category.UTILITY)
        assert not consent.is_opted_in(Category.MARKETING)

    def test_many_updates_of_one_post_are_recorded_in_order(self, stores):
        other = ContactId("+393339999999")
        words = stores.recorder.record(
            [(SENDER, wrote()), (SENDER, wrote(contact=other)), (SENDER, wrote(event_id="x"))], now=NOW
        )

        assert words == ["recorded"] * 3
        assert stores.contacts.get(SENDER, other).window.is_open(NOW)


class TestConsent:
    def test_an_older_record_changes_nothing(self, stores):
        stores.contacts.set_consent(meta_sender(), ANNA, opt_out(NOW), list(Category), now=NOW)

        changed = stores.contacts.set_consent(
            meta_sender(), ANNA, opt_in(NOW - SECOND), [Category.UTILITY], now=NOW
        )

        assert changed == 0
        assert not stores.contacts.get(SENDER, ANNA).consent.is_opted_in(Category.UTILITY)

    def test_on_a_tie_of_seconds_the_opt_out_wins(self, stores):
        stores.contacts.set_consent(meta_sender(), ANNA, opt_out(NOW), [Category.UTILITY], now=NOW)
        stores.contacts.set_consent(meta_sender(), ANNA, opt_in(NOW), [Category.UTILITY], now=NOW)
        assert stores.contacts.get(SENDER, ANNA).consent.opted_out_at(Category.UTILITY) == NOW

        stores.contacts.set_consent(meta_sender(), ANNA, opt_in(NOW + SECOND), [Category.UTILITY], now=NOW)
        stores.contacts.set_consent(meta_sender(), ANNA, opt_out(NOW + SECOND), [Category.UTILITY], now=NOW)
        assert stores.contacts.get(SENDER, ANNA).consent.opted_out_at(Category.UTILITY) is not None


class TestClockwork:
    def test_what_expires_is_refused_without_a_worker(self, stores):
        accepted = stores.accept(expires_at=NOW + SECOND)
        claim = claim_one(stores)
        settle(stores, claim, Outcome.HELD, groups=(window_group("shop", ANNA),))

        assert stores.lanes.sweep("default", now=NOW + SECOND)

        assert stores.state(accepted.message_id) is MessageState.EXPIRED
        stores.recorder.record([(SENDER, wrote())], now=NOW + SECOND)
        assert stores.lanes.claim(SENDER, 10, now=NOW + SECOND) == []

    def test_one_worker_wins_a_beat(self, stores):
        assert stores.lanes.sweep("default", now=NOW)
        assert not stores.lanes.sweep("default", now=NOW)

    def test_a_bell_is_rung_only_for_work_that_is_due(self, stores):
        (idle,) = stores.lanes.tick([SENDER], now=NOW)
        claim = sending(stores)
        settle(stores, claim, Outcome.DEFERRED, until=NOW + SECOND)
        (early,) = stores.lanes.tick([SENDER], now=NOW)
        (due,) = stores.lanes.tick([SENDER], now=NOW + SECOND)
        (rung,) = stores.lanes.tick([SENDER], now=NOW + SECOND)

        assert [idle.must_ring, early.must_ring, due.must_ring, rung.must_ring] == [False, False, True, False]

    def test_a_claim_that_was_never_begun_is_queued_again(self, stores):
        accepted = stores.accept()
        claim_one(stores)

        (ticked,) = stores.lanes.tick([SENDER], now=NOW + LEASE + SECOND)

        assert (ticked.requeued, ticked.doubts) == (1, 0)
        assert claim_one(stores, NOW + LEASE + SECOND).message_id == accepted.message_id


class TestKeys:
    def test_every_key_of_a_business_carries_its_tag(self, stores):
        stores.templates.create("default", template(), nonce="n")
        stores.recorder.record([(SENDER, wrote())], now=NOW)
        stores.contacts.set_consent(meta_sender(), ANNA, opt_in(), [Category.UTILITY], now=NOW)
        stores.senders.halt(SENDER, "why", now=NOW)
        sent = stores.accept(idempotency_key="k")

        assert isinstance(sent, Accepted)
        assert all("{default}" in key for key in stores.client.keys("*"))

    def test_python_and_lua_name_the_same_keys(self, stores):
        stores.templates.create("default", template(), nonce="n")
        stores.recorder.record([(SENDER, wrote(event_id="e"))], now=NOW)
        sent = stores.accept(reference="order-991")
        keys = Keys("default")
        named = {
            keys.root(),
            keys.message(sent.message_id),
            keys.state("queued"),
            keys.window("shop", ANNA),
            keys.contact(ANNA),
            keys.recent(ANNA),
            keys.accepted("orders"),
            keys.reference("orders", "order-991"),
            keys.inbound("shop", "e"),
            keys.events(),
            keys.template(template().id),
            keys.templates(template().id.account),
        }

        assert named <= set(stores.client.keys("*"))

    def test_scripts_come_back_after_the_server_lost_them(self, stores):
        stores.accept()
        stores.client.script_flush()

        assert claim_one(stores)
        stores.client.script_flush()
        assert stores.recorder.record([(SENDER, wrote()), (SENDER, wrote())], now=NOW) == ["recorded"] * 2


def test_facts_read_back_what_scripts_say():
    known = load_known(["1.0", "1000|e|", ["version", "1"], [], "+393331234567", [""]], DAY)

    assert known.versions == "1.0"
    assert known.window.refused_at is None
    assert known.halts == ()
