"""The pace for one contact and the contacts of a day: the scripts let the same go as domain/limits.py.

What is over waits with its reason: for the pair in its lane, with all behind it; for the day aside, so
that the lane goes on.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import to_ms
from shared.configuration import MetaSender, Policy
from shared.decision import facts_of
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.limits import PairLimit, pair_free_at, pair_take
from shared.domain.message import MessageState, WhenClosed
from shared.domain.routes import Rule, SessionRoute, TemplateRoute
from shared.domain.routing import decide
from shared.providers.base import Submitted
from shared.store.claims import Begin, Changed, Go
from shared.store.limits import Limits
from tests.builders import DAY, GRACE, NOW, Stores, meta_sender, opt_in, template, wrote
from workers.outcomes import settle_sent, settle_unsent

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def stores(any_redis):
    found = Stores(any_redis)
    found.templates.create("default", template(), nonce="n")
    return found


def people(number: int) -> ContactId:
    return ContactId(f"+39333{number:07}")


class Worker:
    """Claims, decides, begins and settles as the real one does, one message at a time."""

    def __init__(self, stores: Stores, sender: MetaSender) -> None:
        self.stores = stores
        self.sender = sender

    def work(self, now: datetime, most: int = 1_000) -> int:
        """How many went."""
        went = 0
        while went < most and (claims := self.stores.lanes.claim(self.sender, 1, now=now)):
            went += self._one(claims[0], now)
        return went

    def _one(self, claim, now: datetime) -> bool:
        known = claim.known
        for _ in range(3):
            facts = facts_of(known, self.sender, Policy(), now)
            route = decide(claim.request, facts)
            claim = replace(claim, known=known)
            if not isinstance(route, SessionRoute | TemplateRoute):
                settle = replace(settle_unsent(claim, route, facts), versions=known.versions)
                self.stores.lanes.step([settle], [], now=now)
                return False
            begin = Begin(
                claim=claim,
                nonce=claim.fence,
                versions=known.versions,
                decided_at=now,
                begin_before=now + DAY,
                is_outside_window=not facts.window.is_open_for(facts.margin, now),
                attempt={},
            )
            (answer,) = self.stores.lanes.step([], [begin], now=now).answers
            if isinstance(answer, Go):
                settle = settle_sent(claim, Submitted(), kind=route.kind, now=now, grace=GRACE, jitter=0.5)
                self.stores.lanes.step([settle], [], now=now)
                return True
            assert isinstance(answer, Changed)
            known = answer.known
        raise AssertionError("Python and Lua do not agree")


@pytest.fixture
def reachable(stores) -> Callable[[int], ContactId]:
    """Somebody who opted in and has not written."""

    def opted_in(number: int) -> ContactId:
        contact = people(number)
        stores.contacts.set_consent(meta_sender(), contact, opt_in(), [Category.UTILITY], now=NOW)
        return contact

    return opted_in


intervals = st.sampled_from([7, 100, 333, 1_000, 6_000])
gaps_ms = st.lists(st.sampled_from([0, 1, 33, 75, 100, 250, 666, 667, 1_200, 7_000]), min_size=1, max_size=8)


@settings(max_examples=20)
@given(intervals, st.integers(1, 4), gaps_ms)
def test_both_readings_of_the_pair_rule_let_the_same_number_go(interval_ms, most, gaps):
    stores = Stores(fakeredis.FakeRedis(decode_responses=True, version=(7,)))
    pair = PairLimit(interval_ms=interval_ms, burst=most)
    sender = meta_sender(pair_interval=timedelta(milliseconds=interval_ms), pair_burst=most)
    worker, burst, now = Worker(stores, sender), None, NOW
    stores.recorder.record([(sender, wrote())], now=NOW)
    for _ in range(waiting := 12):
        stores.accept(sender)

    for gap in gaps:
        now += timedelta(milliseconds=gap)
        expected = 0
        while pair_free_at(pair, burst, to_ms(now)) <= to_ms(now) and expected < waiting:
            burst = pair_take(pair, burst, to_ms(now))
            expected += 1
        waiting -= expected

        assert worker.work(now) == expected


class TestPair:
    SENDER = meta_sender(pair_interval=6 * SECOND, pair_burst=3)

    def test_what_is_over_waits_with_both_rules_and_goes_when_the_pair_frees(self, stores):
        stores.recorder.record([(self.SENDER, wrote())], now=NOW)
        ids = [stores.accept(self.SENDER).message_id for _ in range(5)]
        worker = Worker(stores, self.SENDER)

        assert worker.work(NOW) == 3
        waiting = stores.messages.get("default", ids[3])
        frees = NOW + 19.2 * SECOND
        assert (waiting.state, waiting.reason) == (MessageState.DEFERRED, "pair_limit")
        assert (waiting.route["rule"], waiting.route["of"]) == (Rule.PAIR_LIMIT, Rule.WINDOW_OPEN)
        assert waiting.not_before == frees
        assert waiting.route["inputs"]["limits"]["pair_until"] == "2086-11-22T12:00:19.200Z"
        assert stores.state(ids[4]) is MessageState.QUEUED

        assert worker.work(frees - timedelta(milliseconds=1)) == 0
        assert worker.work(frees) == 2

    def test_another_contact_is_not_held_up(self, stores):
        other = people(7)
        stores.recorder.record([(self.SENDER, wrote()), (self.SENDER, wrote(contact=other))], now=NOW)
        for _ in range(5):
            stores.accept(self.SENDER)
        stores.accept(self.SENDER, to=other)

        assert Worker(stores, self.SENDER).work(NOW) == 4

    def test_no_interval_is_no_limit(self, stores):
        sender = meta_sender()
        stores.recorder.record([(sender, wrote())], now=NOW)
        for _ in range(10):
            stores.accept(sender)

        assert Worker(stores, sender).work(NOW) == 10
        assert stores.client.keys("pair:*") == []


class TestDay:
    SENDER = meta_sender(messaging_limit_per_day=2)

    @pytest.fixture
    def worker(self, stores):
        return Worker(stores, self.SENDER)

    def accept(self, stores, contact: ContactId, at: datetime = NOW, **changes: object):
        values = {"to": contact, "content": None, "expires_at": NOW + 3 * DAY, **changes}
        return stores.accept(self.SENDER, at=at, **values).message_id

    def test_the_third_contact_of_the_day_waits_until_the_first_leaves(self, stores, worker, reachable):
        ids = [self.accept(stores, reachable(number)) for number in range(3)]

        assert worker.work(NOW) == 2
        third = stores.messages.get("default", ids[2])
        assert (third.state, third.reason, third.not_before) == (
            MessageState.DEFERRED,
            "messaging_limit",
            NOW + DAY,
        )
        assert third.route["of"] == Rule.WINDOW_CLOSED
        assert self.tick_and_work(stores, worker, NOW + DAY - SECOND) == 0
        assert self.tick_and_work(stores, worker, NOW + DAY) == 1

    def test_who_was_reached_today_is_free(self, stores, worker, reachable):
        anna, bea, carla = (reachable(number) for number in range(3))
        for contact in (anna, bea, carla, anna, bea):
            self.accept(stores, contact)

        assert worker.work(NOW) == 4

    def test_what_goes_inside_a_window_is_free_and_passes_what_waits(self, stores, worker, reachable):
        for number in range(3):
            self.accept(stores, reachable(number))
        worker.work(NOW)
        stores.recorder.record([(self.SENDER, wrote(contact=people(2)))], now=NOW)

        assert worker.work(NOW) == 1  # the contact wrote: what waited goes inside the window

    def test_it_steps_aside_and_keeps_its_place(self, stores, worker, reachable):
        for number in range(2):
            self.accept(stores, reachable(number))
        carla = reachable(2)
        first, second = self.accept(stores, carla), self.accept(stores, carla, when_closed=WhenClosed.REFUSE)
        third = self.accept(stores, carla)

        assert worker.work(NOW) == 2
        states = [stores.state(id_) for id_ in (first, second, third)]
        assert states == [MessageState.DEFERRED, MessageState.REFUSED, MessageState.DEFERRED]

        self.tick(stores, NOW + DAY)
        (claim,) = stores.lanes.claim(self.SENDER, 5, now=NOW + DAY)
        assert claim.message_id == first

    def test_no_more_are_woken_than_there_is_room_for(self, stores, worker, reachable):
        for number in range(10):
            self.accept(stores, reachable(number))
        worker.work(NOW)
        worker.work(NOW + MINUTE)

        self.tick(stores, NOW + DAY)

        assert len(stores.client.zrange("held:{default}:day:shop", 0, -1)) == 6

    def test_a_limit_that_is_taken_away_lets_all_go(self, stores, worker, reachable):
        for number in range(5):
            self.accept(stores, reachable(number))
        worker.work(NOW)
        freed = meta_sender()

        stores.lanes.tick([freed], now=NOW)

        assert Worker(stores, freed).work(NOW) == 3

    def test_senders_of_one_portfolio_share_it(self, stores, worker, reachable):
        twin = meta_sender("twin", messaging_limit_per_day=2)
        for number in range(2):
            self.accept(stores, reachable(number))
        stores.accept(twin, to=reachable(3), content=None)

        assert worker.work(NOW) == 2
        assert Worker(stores, twin).work(NOW) == 0

    def test_what_is_used_is_told(self, stores, worker, reachable):
        limits = Limits(stores.client)
        assert limits.used(self.SENDER, now=NOW).messaging == 0
        for number in range(3):
            self.accept(stores, reachable(number))
        worker.work(NOW)

        used = limits.used(self.SENDER, now=NOW)

        assert (used.messaging, used.messaging_until) == (2, NOW + DAY)
        assert 0 < used.throughput < 1
        assert limits.used(self.SENDER, now=NOW + DAY).messaging == 0

    def tick(self, stores, now: datetime) -> None:
        stores.lanes.tick([self.SENDER], now=now)

    def tick_and_work(self, stores, worker, now: datetime) -> int:
        self.tick(stores, now)
        return worker.work(now)


class TestSender:
    def test_what_has_to_wait_for_the_rate_says_so(self, stores):
        slow = meta_sender(throughput_per_second=1.0)
        _, second = (stores.accept(slow, to=people(n), when_closed=WhenClosed.REFUSE) for n in (1, 2))
        for contact in (people(1), people(2)):
            stores.recorder.record([(slow, wrote(NOW - MINUTE, contact=contact))], now=NOW)
        # Both are claimed before either begins, as two slow workers would.
        soon = NOW + 0.3 * SECOND
        claims = stores.lanes.claim(slow, 1, now=NOW) + stores.lanes.claim(slow, 1, now=soon)
        worker = Worker(stores, slow)

        assert [worker._one(claim, soon) for claim in claims] == [True, False]
        waiting = stores.messages.get("default", second.message_id)
        assert (waiting.state, waiting.reason) == (MessageState.DEFERRED, "sender_limit")
        assert waiting.not_before == soon + SECOND
        assert worker.work(soon + SECOND) == 1

    def test_a_claim_says_when_more_is_due_than_may_go(self, stores):
        slow = meta_sender(throughput_per_second=5.0)
        for number in range(3):
            stores.accept(slow, to=people(number))

        first = super(type(stores.lanes), stores.lanes).claim(slow, 5, nonce="a", now=NOW)
        (ticked,) = stores.lanes.tick([slow], now=NOW)

        assert (len(first.claims), first.is_limited) == (2, True)
        assert not ticked.is_limited  # nothing has begun yet

    def test_a_tick_rings_only_when_the_rate_lets_something_go(self, stores):
        slow = meta_sender(throughput_per_second=1.0)
        for number in range(2):
            stores.recorder.record([(slow, wrote(NOW - MINUTE, contact=people(number)))], now=NOW)
            stores.accept(slow, to=people(number))
        assert Worker(stores, slow).work(NOW) == 1

        (limited,) = stores.lanes.tick([slow], now=NOW + 0.9 * SECOND)
        (free,) = stores.lanes.tick([slow], now=NOW + SECOND)

        assert (limited.must_ring, limited.is_limited) == (False, True)
        assert (free.must_ring, free.is_limited) == (True, False)
