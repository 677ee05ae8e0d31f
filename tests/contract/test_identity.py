"""One person is one contact, under whatever names the provider shows them and in whatever order."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.consent import Category
from shared.domain.content import SystemNotice
from shared.domain.identifiers import ContactId, PhoneNumber
from shared.domain.message import MessageState, WhenClosed
from shared.domain.window import InboundKind
from shared.store.claims import Begin, Changed, Go, Outcome, Settle
from tests.builders import DAY, NOW, Stores, meta_sender, opt_in, opt_out, request, status, wrote

SENDER = meta_sender()
NUMBER, OTHER_NUMBER = ContactId("+393331234567"), ContactId("+393339999999")
USER, NEW_USER = ContactId("IT.90011223344"), ContactId("IT.55566677788")
SECOND = timedelta(seconds=1)


def record(stores: Stores, *events) -> list[str]:
    return stores.recorder.record([(SENDER, event) for event in events], now=NOW)


def by_user(at=NOW, **changes):
    return replace(wrote(at, contact=USER), **changes)


def by_number(at=NOW, contact=NUMBER, **changes):
    return replace(wrote(at, contact=contact), **changes)


def by_both(at=NOW, number=NUMBER, user=USER):
    return replace(wrote(at, contact=number), user_id=user)


def became(user: ContactId, at=NOW, contact=NUMBER):
    notice = SystemNotice(type="user_changed_user_id", new_user_id=user)
    return replace(wrote(at, contact=contact), kind=InboundKind.SYSTEM, content=notice)


class TestJoining:
    def test_a_message_with_an_id_only_opens_a_window_under_it(self, stores):
        record(stores, by_user())

        seen = stores.contacts.get(SENDER, USER)
        assert seen.window.is_open(NOW)
        assert (seen.contact, seen.address) == (USER, USER)

    def test_what_was_known_under_the_id_is_the_numbers_once_both_are_shown(self, stores):
        record(stores, by_user(NOW - 5 * SECOND))
        stores.contacts.set_consent(SENDER, USER, opt_in(NOW - DAY), [Category.UTILITY], now=NOW)
        record(stores, by_both(NOW - 9 * SECOND))

        for name in (USER, NUMBER):
            seen = stores.contacts.get(SENDER, name)
            assert seen.contact == NUMBER
            assert seen.window.last_inbound_at == NOW - 5 * SECOND
            assert seen.consent.is_opted_in(Category.UTILITY)
            assert len(seen.inbound) == 2

    @pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
    def test_the_order_in_which_names_are_shown_is_nothing(self, stores, order):
        events = [
            by_user(NOW - 5 * SECOND, text="stop"),
            by_number(NOW - 9 * SECOND, text="start"),
            by_both(NOW - 7 * SECOND),
            by_user(NOW - 3 * SECOND),
        ]
        for index in order:
            record(stores, events[index])

        for name in (USER, NUMBER):
            seen = stores.contacts.get(SENDER, name)
            assert (seen.contact, seen.address, seen.user_id) == (NUMBER, USER, USER)
            assert seen.window.last_inbound_at == NOW - 3 * SECOND
            assert seen.consent.opted_out_at(Category.UTILITY) == NOW - 5 * SECOND

    def test_the_newest_consent_of_both_wins(self, stores):
        stores.contacts.set_consent(SENDER, USER, opt_out(NOW - 5 * SECOND), list(Category), now=NOW)
        stores.contacts.set_consent(SENDER, NUMBER, opt_in(NOW - 9 * SECOND), list(Category), now=NOW)
        record(stores, by_both(NOW))

        assert stores.contacts.get(SENDER, NUMBER).consent.opted_out_at(Category.UTILITY)

    def test_a_status_that_shows_both_joins_them(self, stores):
        record(stores, by_user())
        sent = stores.accept(to=NUMBER)
        report = replace(status(sent.message_id, MessageState.DELIVERED), contact=NUMBER, user_id=USER)
        record(stores, report)

        assert stores.contacts.get(SENDER, NUMBER).window.is_open(NOW)

    def test_two_spellings_of_a_number_have_one_window(self, stores):
        record(stores, by_number(contact=ContactId("+551187654321")))

        seen = stores.contacts.get(SENDER, ContactId("+5511987654321"))
        assert seen.window.is_open(NOW)
        assert seen.address == ContactId("+551187654321")


class TestMessagesOnTheWay:
    def test_what_waits_for_the_id_is_handed_over_in_order_once_the_number_is_known(self, stores):
        first = stores.accept(to=USER)
        record(stores, by_both())
        second = stores.accept(to=NUMBER)

        (claim,) = stores.lanes.claim(SENDER, 10, now=NOW)
        assert (claim.message_id, claim.contact) == (first.message_id, NUMBER)
        stores.lanes.step([Settle(claim=claim, outcome=Outcome.REFUSED, reason="x")], [], now=NOW)
        (claim,) = stores.lanes.claim(SENDER, 10, now=NOW)
        assert claim.message_id == second.message_id

    def test_what_is_held_for_the_id_wakes_when_the_number_is_known(self, stores):
        held = stores.accept(to=USER, templates=(), when_closed=WhenClosed.WAIT)
        (claim,) = stores.lanes.claim(SENDER, 10, now=NOW)
        group = f"window:shop:{claim.known.contact}"
        stores.lanes.step([Settle(claim=claim, outcome=Outcome.HELD, groups=(group,))], [], now=NOW)
        record(stores, by_both())

        (claim,) = stores.lanes.claim(SENDER, 10, now=NOW)
        assert claim.message_id == held.message_id
        assert claim.known.window.is_open(NOW)

    def test_what_is_held_for_the_number_wakes_when_the_id_that_wrote_turns_out_to_be_theirs(self, stores):
        held = stores.accept(to=NUMBER, templates=(), when_closed=WhenClosed.WAIT)
        (claim,) = stores.lanes.claim(SENDER, 10, now=NOW)
        group = f"window:shop:{claim.known.contact}"
        stores.lanes.step([Settle(claim=claim, outcome=Outcome.HELD, groups=(group,))], [], now=NOW)
        record(stores, by_user(NOW - 9 * SECOND))
        assert stores.lanes.claim(SENDER, 10, now=NOW) == []

        report = status(held.message_id, MessageState.SENT, attempt=7)
        record(stores, replace(report, contact=NUMBER, user_id=USER))

        (claim,) = stores.lanes.claim(SENDER, 10, now=NOW)
        assert claim.message_id == held.message_id
        assert claim.known.window.is_open(NOW)

    def test_one_in_hand_while_names_join_is_settled_and_its_followers_move(self, stores):
        first, second = stores.accept(to=USER), stores.accept(to=USER)
        (claim,) = stores.lanes.claim(SENDER, 10, now=NOW)
        record(stores, by_both())
        assert stores.lanes.claim(SENDER, 10, now=NOW) == []  # a follower never overtakes what is in hand

        stores.lanes.step([Settle(claim=claim, outcome=Outcome.RELEASED)], [], now=NOW)
        (again,) = stores.lanes.claim(SENDER, 10, now=NOW)
        assert (again.message_id, again.contact) == (first.message_id, NUMBER)
        stores.lanes.step([Settle(claim=again, outcome=Outcome.REFUSED, reason="x")], [], now=NOW)
        (last,) = stores.lanes.claim(SENDER, 10, now=NOW)
        assert last.message_id == second.message_id


class TestChange:
    def test_a_new_id_moves_the_identity(self, stores):
        record(stores, by_user(NOW - 9 * SECOND), became(NEW_USER, NOW - 5 * SECOND, contact=USER))
        record(stores, replace(by_user(NOW - SECOND), contact=NEW_USER))

        seen = stores.contacts.get(SENDER, NEW_USER)
        assert (seen.address, seen.user_id) == (NEW_USER, NEW_USER)
        assert seen.contact == stores.contacts.get(SENDER, USER).contact
        assert seen.window.last_inbound_at == NOW - SECOND

    def test_after_a_notice_of_a_new_id_that_id_is_written_to(self, stores):
        record(stores, by_both(NOW - 9 * SECOND), became(NEW_USER, NOW - 5 * SECOND))

        assert stores.contacts.get(SENDER, NUMBER).address == NEW_USER

    def test_a_notice_opens_no_window(self, stores):
        record(stores, became(NEW_USER))

        assert not stores.contacts.get(SENDER, NUMBER).window.is_open(NOW)

    def test_another_number_is_another_person_whoever_has_the_id_now(self, stores):
        stores.contacts.set_consent(SENDER, NUMBER, opt_in(), [Category.UTILITY], now=NOW)
        record(stores, by_both(NOW - 9 * SECOND), by_both(NOW - 5 * SECOND, number=OTHER_NUMBER))

        old, new = stores.contacts.get(SENDER, NUMBER), stores.contacts.get(SENDER, OTHER_NUMBER)
        assert old.window.last_inbound_at == NOW - 9 * SECOND
        assert not new.consent.is_opted_in(Category.UTILITY)
        assert stores.contacts.get(SENDER, USER).contact == OTHER_NUMBER

    def test_a_changed_number_is_a_new_contact_with_no_window_and_no_consent(self, stores):
        notice = SystemNotice(type="user_changed_number", new_number=OTHER_NUMBER)
        record(stores, by_number(), replace(by_number(), kind=InboundKind.SYSTEM, content=notice))

        new = stores.contacts.get(SENDER, OTHER_NUMBER)
        assert not new.window.is_open(NOW)
        assert not new.consent.records


class TestLearning:
    def test_the_number_that_the_provider_answered_with_is_sent_to(self, stores):
        stores.contacts.learn("default", NUMBER, PhoneNumber(OTHER_NUMBER.value), now=NOW)

        assert stores.contacts.get(SENDER, NUMBER).address == OTHER_NUMBER

    def test_what_comes_from_that_number_is_the_contacts(self, stores):
        record(stores, by_number(NOW - 9 * SECOND, contact=OTHER_NUMBER))
        stores.contacts.learn("default", NUMBER, PhoneNumber(OTHER_NUMBER.value), now=NOW)

        assert stores.contacts.get(SENDER, NUMBER).window.last_inbound_at == NOW - 9 * SECOND
        record(stores, by_number(NOW - SECOND, contact=OTHER_NUMBER))
        assert stores.contacts.get(SENDER, NUMBER).window.last_inbound_at == NOW - SECOND

    def test_learning_twice_changes_nothing(self, stores):
        for _ in range(2):
            stores.contacts.learn("default", NUMBER, PhoneNumber(OTHER_NUMBER.value), now=NOW)

        assert stores.contacts.get(SENDER, OTHER_NUMBER).contact == NUMBER


class TestRaces:
    def test_joining_is_a_change_even_when_the_counts_are_equal(self, stores):
        """Two contacts count their changes on their own; what was decided on one is not decided on both."""
        for second in range(4):
            record(stores, by_user(NOW - second * SECOND))
        stores.contacts.set_consent(SENDER, NUMBER, opt_out(), list(Category), now=NOW)
        sent = stores.accept(to=USER)
        (claim,) = stores.lanes.claim(SENDER, 1, now=NOW)
        report = status(sent.message_id, MessageState.SENT)
        record(stores, replace(report, contact=NUMBER, user_id=USER))

        (answer,) = stores.lanes.step([], [begin_of(claim)], now=NOW).answers
        assert isinstance(answer, Changed)
        assert answer.known.consent.opted_out_at(Category.UTILITY)

    def test_while_one_is_in_hand_for_the_old_name_nothing_is_taken_for_the_new(self, stores):
        stores.accept(to=USER)
        (claim,) = stores.lanes.claim(SENDER, 1, now=NOW)
        assert isinstance(stores.lanes.step([], [begin_of(claim)], now=NOW).answers[0], Go)
        record(stores, by_both())
        second = stores.accept(to=NUMBER)
        assert stores.lanes.claim(SENDER, 10, now=NOW) == []

        stores.lanes.step([Settle(claim=claim, outcome=Outcome.SUBMITTED)], [], now=NOW)
        (claim,) = stores.lanes.claim(SENDER, 10, now=NOW)
        assert claim.message_id == second.message_id

    def test_a_worker_that_dies_with_the_old_name_in_hand_frees_the_new(self, stores):
        stores.accept(to=USER)
        stores.lanes.claim(SENDER, 1, now=NOW)
        record(stores, by_both())
        stores.accept(to=NUMBER)
        later = NOW + 20 * SECOND
        stores.lanes.tick([SENDER], now=later)

        (claim,) = stores.lanes.claim(SENDER, 10, now=later)
        assert claim.contact == NUMBER


class TestGivenUp:
    def test_an_id_that_went_to_another_number_is_no_longer_written_to(self, stores):
        record(stores, by_both(NOW - 9 * SECOND), by_user(NOW - 8 * SECOND))
        record(stores, by_both(NOW - 5 * SECOND, number=OTHER_NUMBER))

        assert stores.contacts.get(SENDER, NUMBER).address is None
        assert stores.contacts.get(SENDER, OTHER_NUMBER).address == OTHER_NUMBER

    @pytest.mark.parametrize("named", [NUMBER, USER], ids=["by number", "by id"])
    def test_a_number_is_given_up_with_the_notice_of_a_new_id(self, stores, named):
        record(stores, by_both(NOW - 9 * SECOND), became(NEW_USER, NOW - 5 * SECOND, contact=named))
        known = stores.messages.facts(SENDER, request(to=NEW_USER))

        assert known.is_number_given_up
        assert known.address == NEW_USER

    def test_it_is_theirs_again_when_they_write_from_it(self, stores):
        record(stores, by_both(NOW - 9 * SECOND), became(NEW_USER, NOW - 5 * SECOND), by_number(NOW))

        assert not stores.messages.facts(SENDER, request(to=NUMBER)).is_number_given_up

    def test_a_reaction_under_an_id_gives_up_nothing(self, stores):
        reaction = replace(by_user(NOW), kind=InboundKind.REACTION)
        record(stores, by_both(NOW - 9 * SECOND), reaction)

        assert not stores.messages.facts(SENDER, request(to=NUMBER)).is_number_given_up


def begin_of(claim) -> Begin:
    return Begin(
        claim=claim,
        nonce="n",
        versions=claim.known.versions,
        decided_at=NOW,
        begin_before=NOW + DAY,
        attempt={"started_at": 0},
    )
