"""Two hands at one template, and a list that is read while an edit is under way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.templates import Template, TemplateId, TemplateStatus
from shared.template_approval import TemplateDesk
from shared.template_hindrance import Hindrance
from shared.template_sync import sync_templates
from tests.builders import World
from tests.integration.test_template_approval import Desk
from tests.meta_side import ACCOUNT
from webhook.api.app import create_api

SECOND = timedelta(seconds=1)
ID = TemplateId(ACCOUNT, "conferma_ordine", "it")
FIRST, SECOND_BODY = "Salve {{1}}, ordine {{2}} ricevuto.", "Salve {{1}}, ordine {{2}} in arrivo."


@pytest.fixture
def world(any_redis, meta) -> World:
    return World(any_redis, configuration=meta.configuration())


@pytest.fixture
def approved(world, meta) -> Template:
    desk = Desk(create_api(world.deps).test_client())
    desk.register()
    desk.ask("POST", "/submit")
    meta.decide(ID.name, "APPROVED")
    world.clock.advance(5 * SECOND)
    desk.sync()
    return held(world)


def held(world: World) -> Template:
    found = world.deps.templates.get("default", ID)
    assert found is not None
    return found


class InFlight:
    """Meta's template API, with something that happens while an edit is on its way there."""

    def __init__(self, inner, meanwhile: Callable[[], object]) -> None:
        self.inner, self.meanwhile, self.edits = inner, meanwhile, 0

    def edit(self, provider_id: str, template: Template):
        self.edits += 1
        if self.edits == 1:
            self.meanwhile()
        return self.inner.edit(provider_id, template)

    def page(self, *asked, **named):
        return self.inner.page(*asked, **named)


def edit(world: World, template: Template, body: str, by: str = "desk"):
    desk = TemplateDesk(world.deps, world.deps.sender("shop"), by)
    return desk.edit(template, replace(template, body=body), template.category)


def in_flight(world: World, meanwhile: Callable[[], object]) -> InFlight:
    inner = world.deps.meta_templates["shop"]
    flight = InFlight(inner, meanwhile)
    world.deps = replace(world.deps, meta_templates={"shop": flight})
    return flight


def test_of_two_edits_at_once_one_is_asked_for_and_the_other_is_told_to_look_again(world, approved, meta):
    hindered = []
    flight = in_flight(world, lambda: hindered.append(edit(world, approved, SECOND_BODY, by="orders")))

    assert edit(world, approved, FIRST) is None

    assert [one.code for one in hindered] == [Hindrance.TEMPLATE_BUSY]
    assert flight.edits == 1
    assert held(world).body == meta.has(ID.name).body == FIRST


def test_an_edit_of_what_has_been_edited_since_it_was_read_is_told_to_look_again(world, approved, meta):
    assert edit(world, approved, FIRST) is None

    late = edit(world, approved, SECOND_BODY)

    assert late.code is Hindrance.TEMPLATE_BUSY
    assert held(world).body == meta.has(ID.name).body == FIRST


def test_a_list_read_while_an_edit_is_under_way_does_not_let_the_template_go(world, approved, meta):
    """Its answer is lost, so nobody knows which content Meta has when the list is older than that."""

    def read_the_list() -> None:
        world.clock.advance(SECOND)
        sync_templates(world.deps, world.deps.sender("shop"))
        world.clock.advance(SECOND)
        meta.fail_once("drop")

    in_flight(world, read_the_list)

    hindered = edit(world, approved, FIRST)

    assert hindered.code is Hindrance.PROVIDER_IN_DOUBT
    assert held(world).status is TemplateStatus.SUBMITTED
    world.clock.advance(SECOND)
    sync_templates(world.deps, world.deps.sender("shop"))
    assert (held(world).body, held(world).is_being_edited) == (FIRST, False)


def test_an_edit_that_died_on_its_way_is_told_by_a_list_that_is_asked_for_after_its_time(world, approved):
    def die() -> None:
        raise KeyboardInterrupt

    in_flight(world, die)
    with pytest.raises(KeyboardInterrupt):
        edit(world, approved, FIRST)

    statuses = []
    for _ in range(2):
        world.clock.advance(10 * SECOND)
        sync_templates(world.deps, world.deps.sender("shop"))
        statuses.append(held(world).status)

    assert statuses == [TemplateStatus.SUBMITTED, TemplateStatus.APPROVED]
