"""What a provider's errors stop: templates, senders, accounts."""

from datetime import timedelta

import pytest

from shared.domain.events import TemplateStatusChanged
from shared.domain.identifiers import ContactId
from shared.domain.routes import RouteKind
from shared.domain.templates import TemplateStatus
from tests.builders import (
    ANNA,
    NOW,
    World,
    call,
    template,
)
from tests.play import accept, drain, writes
from tests.three_senders import (
    ABROAD,
    BRUNO,
    CARLA,
    DEFERRED,
    FAILED,
    KIOSK,
    OTHER,
    REFUSED,
    SECOND,
    SHOP,
    SUBMITTED,
    error,
    later,
    reported,
    sent,
    states,
    stored,
    three_senders,
)


@pytest.fixture
def world(any_redis) -> World:
    return three_senders(any_redis)


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
