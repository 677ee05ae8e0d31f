"""What became of a message that left: what it costs, and that nothing was heard of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageState
from shared.domain.pricing import CATEGORIES, TYPES, billed_as
from shared.domain.retry import ErrorClass
from shared.domain.silence import TIMES_TO_LIVE, time_to_live
from shared.store.claims import Outcome
from shared.store.reported import ReportedFailures
from shared.store.silence import Silence
from tests.builders import DAY, NOW, Stores, World, meta_sender, status
from tests.steps import SECOND, SENDER, begin, sending, settle
from workers.ticker import Ticker

FAST = meta_sender(throughput_per_second=10_000.0)
MINUTE = timedelta(minutes=1)
CODE = {
    "kind": "template",
    "template": "codice/it",
    "inputs": {"templates": [{"name": "codice", "language": "it", "category": "authentication"}]},
}
REGULAR = {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"}


def submitted(stores, now=NOW, route=CODE, **changes):
    stores.accept(at=now, expires_at=now + DAY, **changes)
    (claim,) = stores.lanes.claim(FAST, 10, now=now)
    begin(stores, claim, now, attempt={"route": route}, begin_before=now + DAY)
    settle(stores, claim, Outcome.SUBMITTED, now)
    return claim.message_id


def report(stores, message_id, state, now=NOW, **pricing):
    event = replace(status(message_id, state), pricing=pricing)
    stores.recorder.record([(SENDER, event)], now=now)


def billed(stores):
    counters = stores.client.hgetall("counters:{default}")
    return {name: int(n) for name, n in counters.items() if name.startswith("billed_messages_total")}


class TestPricing:
    def test_two_reports_are_one_price(self, stores):
        message_id = submitted(stores)

        report(stores, message_id, MessageState.SENT, category="utility", type="regular")
        report(stores, message_id, MessageState.DELIVERED, **REGULAR)
        report(stores, message_id, MessageState.DELIVERED, **REGULAR)

        assert billed(stores) == {"billed_messages_total:shop:utility:regular": 1}
        assert stores.messages.get("default", message_id).pricing == REGULAR

    @pytest.mark.parametrize("first", [0, 1])
    def test_the_order_of_reports_that_disagree_is_nothing(self, stores, first):
        message_id = submitted(stores)
        reports = [{"category": "utility", "billable": False}, {"category": "marketing", "type": "regular"}]
        for pricing in (reports[first], reports[1 - first]):
            report(stores, message_id, MessageState.SENT, **pricing)

        expected = {"category": "marketing", "billable": False, "type": "regular"}
        assert stores.messages.get("default", message_id).pricing == expected

    def test_what_does_not_say_its_category_is_kept_and_not_counted(self, stores):
        message_id = submitted(stores)

        report(stores, message_id, MessageState.SENT, conversation_id="c")

        assert billed(stores) == {}
        assert stores.messages.get("default", message_id).pricing == {"conversation_id": "c"}


@pytest.mark.parametrize(
    ("pricing", "expected"),
    [
        (REGULAR, ("utility", "regular")),
        ({"category": "service", "type": "free_customer_service"}, ("service", "free_customer_service")),
        ({"category": "utility", "billable": True}, ("utility", "regular")),
        ({"category": "utility", "billable": False}, ("utility", "other")),
        ({"category": "authentication-international"}, ("authentication_international", "other")),
        ({"category": "new", "type": "new"}, ("other", "other")),
        ({"category": 7}, None),
        ({}, None),
    ],
)
def test_a_price_is_counted_under_words_that_we_know(pricing, expected):
    assert billed_as(pricing) == expected
    assert expected is None or (expected[0] in CATEGORIES | {"other"} and expected[1] in TYPES | {"other"})


class TestLateFailure:
    """What fails after it was taken is listed for Flower, where its message's row would stay green."""

    def listed(self, stores):
        found = ReportedFailures(stores.client).waiting("default")
        return [(one.message_id, one.attempt, one.sender, one.state, one.code) for one in found]

    def fail(self, stores, message_id, attempt=1, error_class=ErrorClass.RECIPIENT):
        event = status(message_id, MessageState.FAILED, attempt=attempt, error_class=error_class)
        stores.recorder.record([(SENDER, event)], now=NOW)

    def test_it_is_listed_once_with_its_sender_and_code(self, stores):
        message_id = submitted(stores)

        self.fail(stores, message_id)
        self.fail(stores, message_id)

        assert self.listed(stores) == [(message_id.value, 1, "shop", MessageState.FAILED, "131047")]

    def test_what_is_decided_anew_has_not_ended_until_it_has(self, stores):
        message_id = submitted(stores)
        self.fail(stores, message_id, error_class=ErrorClass.WINDOW)
        (again,) = stores.lanes.claim(FAST, 10, now=NOW)
        begin(stores, again, nonce="n2")
        settle(stores, again, Outcome.SUBMITTED)

        self.fail(stores, message_id, attempt=2, error_class=ErrorClass.WINDOW)

        states = {attempt: state for _, attempt, _, state, _ in self.listed(stores)}
        assert states == {1: MessageState.QUEUED, 2: MessageState.FAILED}

    def test_what_arrives_is_not_listed(self, stores):
        report(stores, submitted(stores), MessageState.DELIVERED)

        assert self.listed(stores) == []

    def test_the_beat_shows_it_once(self, any_redis):
        world, shown = World(any_redis), []
        message_id = submitted(Stores(any_redis))
        self.fail(Stores(any_redis), message_id)
        ticker = Ticker(world.deps, ring_for_app=lambda *_whom: None, show_reported=shown.extend)

        ticker.beat()
        any_redis.delete("ticker:{default}")
        ticker.beat()

        assert [one.message_id for one in shown] == [message_id.value]
        assert any_redis.exists("reported:{default}") == 0


class TestSilence:
    @pytest.fixture
    def silence(self, stores):
        return Silence(stores.client, stores.scripts, stores.messages, retention=30 * DAY)

    def told(self, stores):
        events = stores.client.xrange("events:{default}")
        return [fields["r"] for _, fields in events if fields["t"] == "message.undelivered"]

    @pytest.mark.parametrize("last_word", [None, MessageState.SENT])
    def test_it_is_told_once_when_its_time_has_passed(self, stores, silence, last_word):
        message_id = submitted(stores)
        if last_word:
            report(stores, message_id, last_word)

        early = silence.tell("default", now=NOW + 10 * MINUTE - SECOND)
        due = [silence.tell("default", now=NOW + 10 * MINUTE + n * SECOND) for n in range(3)]

        assert (early, due) == (0, [1, 0, 0])
        assert self.told(stores) == [message_id.value]
        assert stores.messages.get("default", message_id).timeline[-1]["event"] == "undelivered"

    @pytest.mark.parametrize("word", [MessageState.DELIVERED, MessageState.READ, MessageState.FAILED])
    def test_one_that_was_heard_of_is_not(self, stores, silence, word):
        message_id = submitted(stores)
        report(stores, message_id, word)

        assert silence.tell("default", now=NOW + DAY) == 0

    def test_it_is_not_told_again_when_it_is_sent_after_all(self, stores, silence):
        message_id = submitted(stores)
        silence.tell("default", now=NOW + 10 * MINUTE)
        report(stores, message_id, MessageState.SENT, NOW + 11 * MINUTE)

        assert silence.tell("default", now=NOW + DAY) == 0

    def test_each_waits_its_own_time(self, stores, silence):
        code = submitted(stores)
        long = submitted(stores, route={"kind": "session"})

        assert silence.tell("default", now=NOW + DAY) == 1
        assert silence.tell("default", now=NOW + 30 * DAY) == 1
        assert self.told(stores) == [code.value, long.value]

    def test_one_that_cannot_be_read_keeps_nobody_from_the_rest(self, stores, silence):
        spoilt, whole = submitted(stores), submitted(stores, NOW + SECOND)
        stores.client.hset(f"message:{{default}}:{spoilt}", "request", "{")

        told = [silence.tell("default", now=NOW + DAY) for _ in range(2)]

        assert told == [1, 0]
        assert self.told(stores) == [whole.value]

    def test_more_than_a_beat_takes_are_told_by_the_next(self, stores, silence):
        sent = [submitted(stores, NOW + n * SECOND, to=contact(n)) for n in range(3)]
        crowd = [submitted(stores, NOW + 3 * SECOND, to=contact(n)) for n in range(3, 220)]

        told = [silence.tell("default", now=NOW + DAY) for _ in range(3)]

        assert (sum(told), told[-1]) == (220, 0)
        assert sorted(self.told(stores)) == sorted(each.value for each in sent + crowd)


def contact(number):
    return ContactId(f"+39333{number:07}")


@pytest.mark.parametrize(
    ("route", "category", "expected"),
    [
        (CODE, Category.UTILITY, timedelta(minutes=10)),
        ({"kind": "template", "template": "x/it"}, Category.AUTHENTICATION, timedelta(minutes=10)),
        ({"kind": "template", "template": "x/it", "inputs": {}}, Category.UTILITY, 30 * DAY),
        ({"kind": "session"}, Category.AUTHENTICATION, 30 * DAY),
        (None, Category.UTILITY, 30 * DAY),
    ],
)
def test_a_time_to_live_is_that_of_what_went(route, category, expected):
    assert time_to_live(route, category) == expected
    assert expected in TIMES_TO_LIVE


def test_the_beat_looks_back(any_redis):
    world = World(any_redis)
    stores = Stores(any_redis)
    submitted(stores)
    world.clock.advance(DAY)

    Ticker(world.deps, ring_for_app=lambda business, app: None).beat()
    assert TestSilence().told(stores)

    world.clock.advance(70 * DAY)
    any_redis.delete("ticker:{default}")
    Ticker(world.deps, ring_for_app=lambda business, app: None).beat()
    assert any_redis.zcard("accepted:{default}:orders") == 0


def test_a_message_in_flight_is_waited_for(stores):
    sending(stores)
    silence = Silence(stores.client, stores.scripts, stores.messages, retention=30 * DAY)

    assert silence.tell("default", now=NOW + DAY) == 0
