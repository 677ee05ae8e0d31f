"""What a provider's errors do to others than their message: pauses, halts, stops, caps, and the circuit."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.configuration import Configuration
from shared.domain.consent import Category
from shared.domain.events import TemplateStatusChanged
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.lint import PromotionalContent
from shared.domain.message import MessageState, WhenClosed
from shared.domain.provider_errors import ErrorRow
from shared.domain.retry import ErrorClass, backoff
from shared.domain.routes import RouteKind
from shared.domain.templates import TemplateId, TemplateStatus
from shared.providers.base import NOT_TAKEN, SILENT, THROTTLED, Rejected
from shared.providers.meta.errors import row_of
from shared.store.messages import Acceptance
from shared.store.scripts import source_of
from tests.builders import (
    ANNA,
    DAY,
    NOW,
    RecordingProvider,
    World,
    call,
    meta_sender,
    opt_in,
    request,
    settings,
    status,
    template,
    wrote,
)
from workers.outbound import Drain
from workers.ticker import Ticker

SECOND = timedelta(seconds=1)
SHOP, KIOSK = meta_sender(), meta_sender("kiosk", phone_number_id="2")
ABROAD = meta_sender("abroad", phone_number_id="3", business="abroad")
BRUNO, CARLA = ContactId("+393339000002"), ContactId("+393339000003")
PROMO = TemplateId(SHOP.account, "promo", "it")
OTHER = TemplateId(SHOP.account, "sollecito", "it")


@pytest.fixture
def world(any_redis) -> World:
    """Three senders of one account, one of them of another business."""
    base = settings().configuration
    configuration = Configuration(
        senders={"shop": SHOP, "kiosk": KIOSK, "abroad": ABROAD},
        apps=base.apps,
        policy=replace(base.policy, promotional_content=PromotionalContent.ALLOW),
    )
    for script in ("settle", "begin"):  # one that the server lacks runs after those of its round trip
        any_redis.script_load(source_of(script))
    world = World(any_redis, configuration=configuration)
    world.deps.templates.create("default", template(), nonce="n")
    world.deps.templates.create("default", template(id=OTHER), nonce="n")
    marketing = template(id=PROMO, category=Category.MARKETING, original_category=Category.MARKETING)
    world.deps.templates.create("default", marketing, nonce="n")
    for contact in (ANNA, BRUNO, CARLA):
        world.deps.contacts.set_consent(SHOP, contact, opt_in(), list(Category), now=NOW)
    return world


def error(code: str, **changes) -> Rejected:
    return Rejected(code=code, row=row_of(code), **changes)


def writes(world: World, *contacts: ContactId, alias: str = "shop") -> None:
    for contact in contacts:
        event = wrote(world.clock.now(), contact=contact)
        world.deps.recorder.record([(world.deps.sender(alias), event)], now=world.clock.now())


def accept(world: World, to: ContactId = ANNA, **changes) -> MessageId:
    asked = request(to=to, **changes)
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=asked)
    sender = world.deps.sender(asked.sender)
    return world.deps.messages.accept(sender, acceptance, now=world.clock.now()).message_id


def drain(world: World, alias: str = "shop", *, slots: int = 1) -> None:
    with ThreadPoolExecutor(slots) as pool:
        sender = world.deps.sender(alias)
        Drain(world.deps, sender, pool, most_slots=slots, stopping=threading.Event()).run()


def beat(world: World) -> None:
    for key in world.client.keys("ticker:*"):
        world.client.delete(key)
    Ticker(world.deps, ring_for_app=lambda business, app: None).beat()


def later(world: World, wait: timedelta, alias: str = "shop") -> None:
    world.clock.advance(wait)
    beat(world)
    drain(world, alias)


def states(world: World, *ids: MessageId) -> list[MessageState]:
    return [world.deps.messages.get("default", id_).state for id_ in ids]


def stored(world: World, message_id: MessageId):
    return world.deps.messages.get("default", message_id)


def sent(world: World, alias: str = "shop") -> list[tuple[ContactId, RouteKind]]:
    return [(outgoing.to, outgoing.route.kind) for outgoing in world.providers[alias].sent]


def reported(world: World, message_id: MessageId, code: str, attempt: int = 1) -> list[str]:
    event = status(message_id, MessageState.FAILED, attempt=attempt, row=row_of(code), at=world.clock.now())
    return world.deps.recorder.record([(SHOP, event)], now=world.clock.now())


SUBMITTED, DEFERRED, FAILED = MessageState.SUBMITTED, MessageState.DEFERRED, MessageState.FAILED
QUEUED, REFUSED = MessageState.QUEUED, MessageState.REFUSED


class TestPauses:
    def test_a_sender_that_was_too_fast_takes_nothing_until_its_time(self, world):
        writes(world, ANNA, BRUNO)
        ids = [accept(world), accept(world, BRUNO)]
        too_fast = Rejected(code="http_429", row=THROTTLED, retry_after=30 * SECOND)
        world.providers["shop"].answers = [too_fast]

        drain(world)
        later(world, 29 * SECOND)
        assert len(sent(world)) == 1
        later(world, SECOND)

        assert states(world, *ids) == [SUBMITTED, SUBMITTED]

    def test_what_was_claimed_before_a_pause_stays_here_too(self, world):
        writes(world, ANNA, BRUNO)
        accept(world)
        accept(world, BRUNO)
        world.providers["shop"].answers = [error("130429")]

        drain(world)  # both were claimed together

        assert [to for to, _ in sent(world)] == [ANNA]

    def test_the_pair_limit_holds_one_contact_and_no_other(self, world):
        writes(world, ANNA, BRUNO)
        first, second, other = accept(world), accept(world), accept(world, BRUNO)
        world.providers["shop"].answers = [error("131056")]

        drain(world)
        assert states(world, first, second, other) == [DEFERRED, QUEUED, SUBMITTED]
        later(world, 5 * SECOND)
        assert [to for to, _ in sent(world)] == [ANNA, BRUNO]
        later(world, SECOND)

        assert states(world, first, second) == [SUBMITTED, SUBMITTED]

    @pytest.mark.parametrize("code", ["80007", "4"])
    def test_a_limit_of_account_or_app_pauses_all_its_senders_in_any_business(self, world, code):
        writes(world, ANNA)
        accept(world)
        world.providers["shop"].answers = [error(code)]

        drain(world)

        paused = [world.deps.senders.get(sender).is_paused(NOW) for sender in (SHOP, KIOSK, ABROAD)]
        assert paused == [True, True, True]

    def test_an_error_of_one_message_pauses_nobody(self, world):
        writes(world, ANNA, BRUNO)
        first, other = accept(world), accept(world, BRUNO)
        world.providers["shop"].answers = [error("131053")]

        drain(world)

        assert states(world, first, other) == [DEFERRED, SUBMITTED]


class TestTemplates:
    def test_a_paused_template_stops_for_all_and_a_hand_lets_it_go_on(self, world):
        ids = [accept(world), accept(world, BRUNO)]
        world.providers["shop"].answers = [error("132015")]

        drain(world)
        assert states(world, *ids) == [DEFERRED, DEFERRED]
        assert stored(world, ids[0]).route["rule"] == "template_paused"
        assert world.deps.templates.get("default", template().id).status is TemplateStatus.PAUSED
        assert world.deps.templates.resume("default", template().id)
        later(world, SECOND)

        assert states(world, *ids) == [SUBMITTED, SUBMITTED]
        assert len(sent(world)) == 3

    def test_a_disabled_template_gives_way_to_the_next_alternate(self, world):
        message_id = accept(world, templates=(call(), call("sollecito")))
        world.providers["shop"].answers = [error("132016")]

        drain(world)

        assert [outgoing.route.template.id for outgoing in world.providers["shop"].sent] == [
            template().id,
            OTHER,
        ]
        assert states(world, message_id) == [SUBMITTED]

    def test_a_disabled_template_without_an_alternate_is_refused(self, world):
        message_id = accept(world)
        world.providers["shop"].answers = [error("132001")]

        drain(world)

        assert (states(world, message_id), len(sent(world))) == ([REFUSED], 1)
        assert stored(world, message_id).attempts[0]["error"]["code"] == "132001"

    def test_a_flow_that_is_throttled_goes_on_by_itself(self, world):
        message_id = accept(world)
        world.providers["shop"].answers = [error("132069")]

        drain(world)
        later(world, timedelta(minutes=59))
        assert states(world, message_id) == [DEFERRED]
        later(world, timedelta(minutes=1))
        later(world, SECOND)  # the beat that ends the stop wakes by the next one

        assert states(world, message_id) == [SUBMITTED]

    def test_a_late_word_stops_the_template_and_is_final_for_its_message(self, world):
        first = accept(world)
        drain(world)

        assert reported(world, first, "132015") == ["moved"]
        second = accept(world, BRUNO)
        drain(world)

        assert states(world, first, second) == [FAILED, DEFERRED]

    def test_a_template_s_code_about_a_session_message_stops_no_template(self, world):
        writes(world, ANNA)
        message_id = accept(world)
        world.providers["shop"].answers = [error("132015")]

        drain(world)

        assert states(world, message_id) == [FAILED]
        assert world.deps.templates.get("default", template().id).status is TemplateStatus.APPROVED

    def says(self, world: World, stopped: TemplateStatus | None, at) -> None:
        """The provider's word on the template, by webhook."""
        word = TemplateStatusChanged(
            account=SHOP.account,
            name="ordine_pronto",
            language="it",
            approval=None,
            stopped=stopped,
            reason=None,
            at=at,
        )
        world.deps.recorder.record([(SHOP, word)], now=world.clock.now())

    def test_the_provider_s_newer_word_stands_instead_of_an_error(self, world):
        message_id = accept(world)
        world.providers["shop"].answers = [error("132015")]
        drain(world)

        self.says(world, None, NOW - SECOND)
        assert world.deps.templates.get("default", template().id).status is TemplateStatus.PAUSED
        self.says(world, None, NOW + SECOND)
        later(world, 2 * SECOND)

        assert states(world, message_id) == [SUBMITTED]

    def test_an_error_older_than_the_provider_s_word_stops_nothing(self, world):
        message_id = accept(world)
        drain(world)
        self.says(world, None, NOW + SECOND)

        reported(world, message_id, "132015")

        assert world.deps.templates.get("default", template().id).status is TemplateStatus.APPROVED


class TestCaps:
    def test_a_contact_capped_for_marketing_still_gets_what_it_needs(self, world):
        marketing = {"content": None, "templates": (call("promo"),), "category": Category.MARKETING}
        capped = accept(world, **marketing)
        world.providers["shop"].answers = [error("131049")]

        drain(world)
        again, needed = accept(world, **marketing), accept(world)
        drain(world)

        assert states(world, capped, again, needed) == [FAILED, REFUSED, SUBMITTED]
        assert stored(world, again).reason == "recipient_capped"
        assert "2086-11-23T12:00:00.000Z" in stored(world, again).route["explanation"]

    def test_a_contact_who_stopped_marketing_is_opted_out_of_it_at_once_and_again_by_status(self, world):
        marketing = {"content": None, "templates": (call("promo"),), "category": Category.MARKETING}
        first = accept(world, **marketing)
        world.providers["shop"].answers = [error("131050")]

        drain(world)
        reported(world, first, "131050")
        again, needed = accept(world, **marketing), accept(world)
        drain(world)

        assert states(world, first, again, needed) == [FAILED, REFUSED, SUBMITTED]
        assert stored(world, again).reason == "opted_out"
        words = world.deps.consents.history("default", ANNA)[1]
        assert [(word.by, word.evidence) for word in words if word.status == "opted_out"] == [
            ("provider_error", first.value)
        ]

    def test_a_cap_ends_by_its_time(self, world):
        marketing = {"content": None, "templates": (call("promo"),), "expires_at": NOW + 3 * DAY}
        accept(world, **marketing)
        world.providers["shop"].answers = [error("131049")]
        drain(world)

        world.clock.advance(DAY)
        again = accept(world, **marketing)
        drain(world)

        assert states(world, again) == [SUBMITTED]

    def test_one_who_cannot_be_reached_is_capped_after_two_messages(self, world):
        first = accept(world)
        world.providers["shop"].answers = [error("131026")]
        drain(world)
        reported(world, first, "131026")  # the same word once more is not a second message
        second = accept(world)
        world.providers["shop"].answers = [error("131026")]
        drain(world)
        third = accept(world)
        drain(world)

        assert states(world, first, second, third) == [FAILED, FAILED, REFUSED]

    def test_who_writes_can_be_reached(self, world):
        for _ in range(2):
            accept(world)
            world.providers["shop"].answers = [error("131026")]
            drain(world)
        world.clock.advance(SECOND)
        writes(world, ANNA)

        assert world.deps.contacts.get(SHOP, ANNA) is not None
        known = world.deps.messages.facts(SHOP, request())
        assert known.caps == {}


class TestHalts:
    def test_a_halt_of_templates_lets_replies_go(self, world):
        campaign, queued = accept(world, BRUNO), accept(world, CARLA)
        world.providers["shop"].answers = [error("131048")]
        drain(world)
        writes(world, ANNA)
        reply = accept(world)

        drain(world)

        assert states(world, campaign, queued, reply) == [DEFERRED, DEFERRED, SUBMITTED]
        assert stored(world, queued).reason == "sender_halted"
        assert sent(world) == [(BRUNO, RouteKind.TEMPLATE), (ANNA, RouteKind.SESSION)]

    def test_a_reply_that_meets_a_halt_of_templates_waits_and_is_not_asked_at_once_again(self, world):
        writes(world, ANNA)
        reply = accept(world)
        world.providers["shop"].answers = [error("131048")] * 9
        for _ in range(5):
            drain(world)

        assert states(world, reply) == [DEFERRED]
        assert len(sent(world)) == 1
        world.providers["shop"].answers = []
        later(world, timedelta(seconds=59))
        assert len(sent(world)) == 1
        later(world, SECOND * 2)
        assert states(world, reply) == [SUBMITTED]

    def test_a_halt_with_an_end_ends_by_itself(self, world):
        ids = [accept(world, BRUNO), accept(world, CARLA)]
        world.providers["shop"].answers = [error("131048")]
        drain(world)

        later(world, timedelta(minutes=59))
        assert states(world, *ids) == [DEFERRED, DEFERRED]
        later(world, timedelta(minutes=1))
        later(world, SECOND)

        assert states(world, *ids) == [SUBMITTED, SUBMITTED]
        assert world.deps.senders.get(SHOP).halts == ()

    def test_what_stepped_aside_goes_when_the_contact_writes(self, world):
        message_id = accept(world)
        world.deps.senders.halt(SHOP, "why", now=NOW, kind="template")
        drain(world)
        assert states(world, message_id) == [DEFERRED]

        writes(world, ANNA)
        drain(world)

        assert sent(world) == [(ANNA, RouteKind.SESSION)]

    def test_an_error_of_the_account_halts_its_senders_in_any_business(self, world):
        writes(world, ANNA)
        message_id = accept(world)
        world.providers["shop"].answers = [error("131042")]

        drain(world)

        halts = [world.deps.senders.get(sender).halts for sender in (SHOP, KIOSK, ABROAD)]
        assert [(halt.code, halt.scope, halt.until) for (halt,) in halts] == [("131042", "account", None)] * 3
        assert states(world, message_id) == [DEFERRED]

    def test_many_in_flight_that_meet_one_error_are_one_halt(self, world):
        contacts = [ContactId(f"+39333000{number:04}") for number in range(6)]
        writes(world, *contacts)
        for contact in contacts:
            accept(world, contact)
        world.providers["shop"].answers = [error("190")] * 6

        drain(world, slots=6)

        events = world.deps.feed.entries("default", after="0-0", most=1000)
        assert [event.type for event in events].count("sender.halted") == 1


class TestLateErrors:
    def test_what_may_pass_is_tried_again_also_when_it_comes_late(self, world):
        writes(world, ANNA)
        message_id = accept(world)
        drain(world)

        assert reported(world, message_id, "131000") == ["rerouted"]
        assert reported(world, message_id, "131000") == ["unchanged"]
        assert states(world, message_id) == [DEFERRED]
        later(world, 2 * SECOND)

        assert states(world, message_id) == [SUBMITTED]
        assert len(sent(world)) == 2

    def test_late_or_not_it_has_so_many_tries(self, world):
        writes(world, ANNA)
        message_id = accept(world)
        world.providers["shop"].answers = [error("131000")]
        drain(world)
        later(world, 2 * SECOND)
        reported(world, message_id, "131000", attempt=2)
        later(world, 10 * SECOND)
        reported(world, message_id, "131000", attempt=3)

        assert (states(world, message_id), stored(world, message_id).reason) == ([FAILED], "tries_exhausted")

    @pytest.mark.parametrize("tries", [1, 2, 3, 6, 7, 9])
    def test_the_wait_grows_as_after_any_error(self, world, tries):
        writes(world, ANNA)
        message_id = accept(world)
        drain(world)
        world.client.hset(f"message:{{default}}:{message_id}", "tries", tries - 1)

        row = ErrorRow(error_class=ErrorClass.RETRY, late="retry", advice="…")
        world.deps.recorder.record([(SHOP, status(message_id, FAILED, row=row))], now=NOW)

        waits = stored(world, message_id).not_before - NOW
        assert backoff(tries, 0) <= waits <= backoff(tries, 1)

    def test_another_late_error_is_final(self, world):
        writes(world, ANNA)
        message_id = accept(world)
        drain(world)

        assert reported(world, message_id, "131056") == ["moved"]
        assert states(world, message_id) == [FAILED]


class Down(RecordingProvider):
    """Down while it is told so; keeps when it was asked."""

    def __init__(self, world: World, answer: Rejected) -> None:
        super().__init__()
        self._world = world
        self._answer_when_down = answer
        self.is_down = True
        self.asked_at = []

    def send(self, batch):
        self.asked_at.append(self._world.clock.now())
        return [self._answer_when_down for _ in batch] if self.is_down else super().send(batch)


def put_down(world: World, answer: Rejected) -> Down:
    provider = Down(world, answer)
    world.deps = replace(world.deps, providers={**world.providers, "shop": provider})
    return provider


def run_for(world: World, wait: timedelta) -> None:
    """As workers do: a beat every half second, a drain for each bell."""
    end = world.clock.now() + wait
    while world.clock.now() < end:
        world.rung.clear()
        world.client.delete("bell:{default}:shop")  # it ends by Redis' own clock
        beat(world)
        if "shop" in world.rung:
            drain(world, slots=4)
        world.clock.advance(SECOND / 2)


CONTACTS = [ContactId(f"+39333000{number:04}") for number in range(40)]


class TestCircuit:
    def test_a_provider_that_is_down_is_asked_now_and_then_and_all_goes_when_it_is_back(self, world):
        provider = put_down(world, Rejected(code="http_503", row=NOT_TAKEN))
        writes(world, *CONTACTS)
        ids = [accept(world, contact) for contact in CONTACTS]

        run_for(world, timedelta(minutes=2))
        asked = len(provider.asked_at)
        gaps = [b - a for a, b in zip(provider.asked_at[9:], provider.asked_at[10:], strict=False)]
        circuit = world.deps.senders.get(SHOP).circuit
        provider.is_down = False
        run_for(world, timedelta(seconds=15))

        assert circuit.is_open
        assert circuit.since < NOW + SECOND
        assert circuit.why == "http_503"
        assert all(gap >= 5 * SECOND for gap in gaps)
        assert asked <= 10 + 120 / 5
        assert set(states(world, *ids)) == {SUBMITTED}
        assert not world.deps.senders.get(SHOP).circuit.is_open

    def test_a_message_that_tries_for_all_does_not_use_up_its_tries(self, world):
        provider = put_down(world, error("131000"))
        writes(world, *CONTACTS[:8])
        ids = [accept(world, contact) for contact in CONTACTS[:8]]

        run_for(world, timedelta(minutes=3))
        provider.is_down = False
        run_for(world, timedelta(minutes=1))

        assert set(states(world, *ids)) == {SUBMITTED}

    def test_a_few_failures_among_successes_stop_nothing(self, world):
        writes(world, *CONTACTS)
        ids = [accept(world, contact) for contact in CONTACTS]
        down = Rejected(code="timeout", row=SILENT)
        world.providers["shop"].answers = [down, down, down, down, error("131026"), down, down, down]

        drain(world)

        assert not world.deps.senders.get(SHOP).circuit.is_open
        assert states(world, *ids).count(MessageState.UNKNOWN) == 7

    def test_expiry_holds_while_it_is_down(self, world):
        put_down(world, Rejected(code="http_503", row=NOT_TAKEN))
        writes(world, *CONTACTS[:10])
        ids = [accept(world, contact, expires_at=NOW + 30 * SECOND) for contact in CONTACTS[:10]]

        run_for(world, timedelta(seconds=40))

        assert set(states(world, *ids)) <= {MessageState.EXPIRED, FAILED}

    def test_a_try_that_asks_nothing_leaves_the_turn_to_the_next(self, world):
        provider = put_down(world, Rejected(code="http_503", row=NOT_TAKEN))
        writes(world, *CONTACTS[:8])
        for contact in CONTACTS[:8]:
            accept(world, contact)
        drain(world)
        provider.is_down = False
        nobody = [ContactId(f"+39444000{number:04}") for number in range(20)]
        refused = [accept(world, contact, priority=0) for contact in nobody]

        run_for(world, timedelta(seconds=20))

        assert set(states(world, *refused)) == {REFUSED}
        assert not world.deps.senders.get(SHOP).circuit.is_open

    def test_resuming_by_hand_tries_at_once(self, world):
        provider = put_down(world, Rejected(code="http_503", row=NOT_TAKEN))
        writes(world, *CONTACTS[:8])
        for contact in CONTACTS[:8]:
            accept(world, contact)
        drain(world)
        asked = len(provider.asked_at)
        provider.is_down = False

        world.deps.senders.resume(SHOP, now=world.clock.now())
        drain(world)

        assert len(provider.asked_at) > asked
        assert not world.deps.senders.get(SHOP).circuit.is_open


def disagreements(world: World) -> int:
    return int(world.client.hget("counters:{default}", "window_disagreements_total:shop:false_closed") or 0)


class TestFalselyClosed:
    @pytest.mark.parametrize("when_closed", list(WhenClosed))
    def test_a_message_routed_as_closed_in_a_window_we_had_not_heard_of_is_counted(self, world, when_closed):
        accept(world, when_closed=when_closed)
        drain(world)
        world.clock.advance(10 * SECOND)

        event = wrote(NOW - 5 * SECOND)
        world.deps.recorder.record([(SHOP, event)] * 2, now=world.clock.now())

        assert disagreements(world) == 1

    def test_an_answer_to_a_template_is_no_disagreement(self, world):
        accept(world)
        drain(world)
        world.clock.advance(10 * SECOND)
        writes(world, ANNA)

        assert disagreements(world) == 0

    def test_the_window_of_another_sender_proves_nothing(self, world):
        accept(world)
        drain(world)
        world.clock.advance(10 * SECOND)
        world.deps.recorder.record([(KIOSK, wrote(NOW - 5 * SECOND))], now=world.clock.now())

        assert disagreements(world) == 0
