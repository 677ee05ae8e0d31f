"""What a provider's words do in the store: statuses, refusals of a window, inbound messages, consent."""

from datetime import timedelta

import pytest

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.message import TRANSITIONS, MessageState, after_status
from shared.domain.retry import ErrorClass
from shared.store.claims import Claim, Outcome
from shared.store.keys import Keys
from tests.builders import (
    ANNA,
    DAY,
    NOW,
    Stores,
    meta_sender,
    opt_in,
    opt_out,
    status,
    wrote,
)
from tests.steps import SECOND, SENDER, begin, claim_one, sending, settle


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
