"""The store, by one suite on the fake and on a real server: acceptance, claims, the clockwork, keys."""

from shared.clock import to_ms
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageState, Priority
from shared.settings import LEASE
from shared.store.claims import Changed, Go, Outcome
from shared.store.codec import load_known
from shared.store.keys import Keys, window_group
from shared.store.messages import Accepted, KeyReused, TemplateMismatch
from tests.builders import (
    ANNA,
    DAY,
    NOW,
    call,
    meta_sender,
    opt_in,
    template,
    wrote,
)
from tests.steps import SECOND, SENDER, begin, begin_of, claim_one, sending, settle


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
