"""What an error stopped stays stopped until something is new: a hand, an edit, another status or content."""

from datetime import timedelta

import pytest

from shared.domain.consent import Category
from tests.builders import ANNA, NOW, Stores, World, call, opt_in
from tests.integration.test_template_approval import CONTENT, Desk, drain
from tests.three_senders import error
from webhook.api.app import create_api

QUARTER = timedelta(minutes=15)


@pytest.fixture
def world(any_redis, meta) -> World:
    return World(any_redis, configuration=meta.configuration())


@pytest.fixture
def desk(world, meta) -> Desk:
    """With a template that Meta approved, and refuses to send."""
    desk = Desk(create_api(world.deps).test_client())
    desk.register()
    desk.ask("POST", "/submit")
    meta.decide("conferma_ordine", "APPROVED")
    read_later(desk, world)
    sender = world.deps.sender("shop")
    world.deps.contacts.set_consent(sender, ANNA, opt_in(), [Category.UTILITY], now=NOW)
    Stores(world.client).accept(sender, content=None, templates=(call("conferma_ordine"),))
    world.providers["shop"].answers = [error("132015")]
    drain(world)
    assert desk.status() == "paused"
    return desk


def read_later(desk: Desk, world: World) -> None:
    world.clock.advance(QUARTER)
    desk.sync()


def test_a_list_that_says_what_it_said_before_lifts_no_stop(desk, world):
    for _ in range(3):
        read_later(desk, world)

    shown = desk.ask("GET").json
    assert (shown["status"], shown["stop"]["by"], shown["stop"]["reason"]) == ("paused", "error", "132015")


def test_a_list_that_shows_a_pause_and_its_end_lifts_the_stop(desk, world, meta):
    meta.decide("conferma_ordine", "PAUSED")
    read_later(desk, world)
    assert desk.ask("GET").json["stop"]["by"] == "whatsapp"

    meta.decide("conferma_ordine", "APPROVED")
    read_later(desk, world)

    assert desk.status() == "approved"


def test_another_content_in_the_list_lifts_the_stop(desk, world, meta):
    meta.put("conferma_ordine", body="Salve {{1}}, ecco il tuo ordine {{2}} di oggi.")
    meta.world.registry.note(meta.has("conferma_ordine"), components=None)

    read_later(desk, world)

    assert desk.status() == "approved"


def test_an_edit_lifts_the_stop_also_where_no_provider_takes_it(world):
    desk = Desk(create_api(world.deps).test_client(), sender="negozio")
    desk.register()
    id_ = f"template:{{default}}:{world.deps.sender('negozio').account}:conferma_ordine:it"
    world.client.hset(id_, "error_stop", f"paused|404|{int(NOW.timestamp() * 1000)}|")
    assert desk.status() == "paused"

    desk.ask("PUT", json=CONTENT)

    assert desk.ask("GET").json["stop"] is None
