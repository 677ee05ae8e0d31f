"""The one confirmation of an opt-out: inside the window, in the keyword's language, and never twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.consent import Category
from shared.domain.message import MessageState
from tests.builders import ANNA, NOW, World, opt_in, settings, template, wrote
from tests.door import DESK
from tests.play import accept, drain, record
from webhook.api.app import create_api

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def world_with(client, **policy: object) -> World:
    configuration = settings().configuration
    changed = replace(configuration.policy, **policy)
    world = World(client, configuration=replace(configuration, policy=changed))
    world.deps.templates.create("default", template(), nonce="n")
    return world


@pytest.fixture
def world(any_redis) -> World:
    return world_with(any_redis, confirm_opt_out=True, languages=("it", "de"))


def writes(world: World, text: str, at=None, **changes: object) -> None:
    event = replace(wrote(at or world.clock.now(), text=text), **changes)
    world.deps.recorder.record([(world.deps.sender("shop"), event)], now=world.clock.now())


def agrees(world: World, at=NOW) -> None:
    shop = world.deps.sender("shop")
    world.deps.contacts.set_consent(shop, ANNA, opt_in(at), list(Category), now=world.clock.now())


def sent(world: World) -> list[str]:
    """The texts that left."""
    return [outgoing.route.content.body for outgoing in world.providers["shop"].sent]


def test_an_opt_out_is_confirmed_once_and_stops_all_the_rest(world):
    agrees(world, NOW - HOUR)
    waiting = accept(world)
    writes(world, "Basta!")

    drain(world)

    (outgoing,) = world.providers["shop"].sent
    assert (outgoing.route.kind, outgoing.route.rule) == ("session", "opt_out_confirmation")
    assert outgoing.route.content.body.startswith("Va bene: non ti scriveremo più.")
    assert (record(world, waiting).state, record(world, waiting).reason) == (
        MessageState.REFUSED,
        "opted_out",
    )


@pytest.mark.parametrize(
    ("said", "begins"), [("abbestellen", "Erledigt"), ("disiscrivimi", "Va bene"), ("STOP", "Va bene")]
)
def test_it_is_in_the_language_of_the_keyword_and_stop_is_in_the_first_that_is_set(world, said, begins):
    writes(world, said)

    drain(world)

    assert [text.startswith(begins) for text in sent(world)] == [True]


def test_a_stop_that_comes_again_is_not_confirmed_again(world):
    for number in range(3):
        writes(world, "stop", event_id=f"wamid.{number}")
        writes(world, "stop", event_id=f"wamid.{number}")
        drain(world)
        world.clock.advance(SECOND)

    assert len(sent(world)) == 1


def test_who_agreed_again_and_stops_again_is_told_again(world):
    for said in ("stop", "start", "stop"):
        writes(world, said)
        drain(world)
        world.clock.advance(SECOND)

    assert len(sent(world)) == 2


def test_one_that_was_overtaken_by_a_new_opt_in_does_not_leave(world):
    writes(world, "stop")
    world.clock.advance(SECOND)
    writes(world, "start")

    drain(world)

    assert sent(world) == []
    listed = create_api(world.deps).test_client().get("/v1/messages?app=finestra", headers=DESK).json["items"]
    assert [(item["state"], item["reason"]) for item in listed] == [("cancelled", "confirmation_not_needed")]


def test_a_second_stop_does_not_stop_the_confirmation_of_the_first(world):
    writes(world, "stop")
    world.clock.advance(SECOND)
    writes(world, "stop")

    drain(world)

    assert len(sent(world)) == 1


def test_a_button_that_stops_marketing_is_confirmed_as_that(world):
    writes(world, "Stop", payload="STOP_PROMO")

    drain(world)

    assert sent(world) == ["Va bene: non ti manderemo più messaggi promozionali."]


def test_a_stop_older_than_what_stands_is_not_confirmed(world):
    agrees(world, NOW)
    writes(world, "stop", NOW - SECOND)

    drain(world)

    assert sent(world) == []


@pytest.mark.parametrize("age", [HOUR, 25 * HOUR])
def test_a_stop_that_comes_late_is_taken_and_not_confirmed(world, age):
    writes(world, "stop", NOW - age)

    drain(world)

    assert sent(world) == []
    consent = world.deps.contacts.get(world.deps.sender("shop"), ANNA).consent
    assert consent.opted_out_at(Category.UTILITY) == NOW - age


def test_what_is_no_opt_out_by_keyword_is_not_confirmed(world):
    for said in ("start", "ciao", "stop, dai"):
        writes(world, said)
    agrees(world)

    drain(world)

    assert sent(world) == []


def test_nothing_is_confirmed_unless_it_is_set(any_redis):
    world = world_with(any_redis)
    writes(world, "stop")

    drain(world)

    assert sent(world) == []
