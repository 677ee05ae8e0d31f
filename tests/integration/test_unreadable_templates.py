"""A stored template that cannot be read is told of, nothing goes out with it, and it takes nothing along."""

from datetime import timedelta

import pytest
import structlog

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.templates import TemplateId
from shared.observability import LogEvent
from shared.store.template_codec import tell_unreadable
from tests.builders import ANNA, NOW, World, call, opt_in, template
from tests.door import DESK, ORDERS
from tests.play import accept, drain
from webhook.api.app import create_api

BRUNO, CARLA = ContactId("+393330000002"), ContactId("+393330000003")
KEY = f"template:{{default}}:{template().id}"
ONE = "/v1/templates/ordine_pronto/it"
WHOLE = template(id=TemplateId(template().id.account, "altro", "it"))
#: As a version wrote it that had another format, and as a bug may leave it.
SPOILT = {"samples": "Anna 991", "content_version": "one", "category": "transactional", "buttons": "[{}]"}


@pytest.fixture(params=SPOILT.items(), ids=SPOILT)
def world(any_redis, request) -> World:
    """Two templates, one of them spoilt before anybody has seen it."""
    world = World(any_redis)
    for one in (template(), WHOLE):
        world.deps.templates.create("default", one, nonce=one.id.name)
    for contact in (ANNA, BRUNO, CARLA):
        sender = world.deps.sender("shop")
        world.deps.contacts.set_consent(sender, contact, opt_in(), [Category.UTILITY], now=NOW)
    any_redis.hset(KEY, *request.param)
    return world


@pytest.fixture(autouse=True)
def _nobody_was_told():
    tell_unreadable.cache_clear()


@pytest.fixture
def client(world):
    return create_api(world.deps).test_client()


def asked(name: str, to: ContactId = ANNA) -> dict:
    variables = ["Anna", "991"]
    return {
        "to": to.value,
        "sender": "shop",
        "template": {"name": name, "language": "it", "variables": variables},
    }


@pytest.mark.parametrize(("method", "what"), [("GET", ""), ("POST", "/submit"), ("GET", "/history")])
def test_the_door_says_so_with_the_mend(client, method, what):
    answer = client.open(f"{ONE}{what}?sender=shop", method=method, headers=DESK)

    assert (answer.status_code, answer.json["code"]) == (422, "unreadable_template")
    assert "register it anew" in answer.json["detail"]


def test_the_log_names_it_and_lists_go_on_without_it(client):
    with structlog.testing.capture_logs() as logs:
        listed = client.get("/v1/templates?sender=shop", headers=DESK).json["items"]

    assert [one["name"] for one in listed] == ["altro"]
    named = {line.get("template") for line in logs if line["event"] == LogEvent.BUG}
    assert named == {str(template().id)}


def test_the_log_says_it_once_for_each_version_however_often_it_is_read(world, client):
    with structlog.testing.capture_logs() as logs:
        for version in ("1", "1", "2"):
            world.client.hset(KEY, "version", version)
            client.get("/v1/templates?sender=shop", headers=DESK)

    assert [line["event"] for line in logs].count(LogEvent.BUG) == 2


def test_a_request_that_names_it_is_refused_and_its_neighbours_are_not(client):
    messages = [asked("ordine_pronto"), asked("altro", BRUNO), asked("ordine_pronto", CARLA)]

    answer = client.post("/v1/messages/batch", json={"messages": messages}, headers=ORDERS)
    alone = client.post("/v1/messages", json=asked("ordine_pronto"), headers=ORDERS)

    assert [one["status"] for one in answer.json["results"]] == [422, 202, 422]
    assert alone.status_code == 422
    assert "cannot be read" in alone.json["errors"]["template.name"][0]


def test_a_dry_run_says_that_nothing_would_go(client):
    answer = client.post("/v1/messages?dry_run=true", json=asked("ordine_pronto"), headers=ORDERS)

    assert (answer.status_code, answer.json["route"]["rule"]) == (200, "template_not_approved")


def test_what_was_queued_with_it_is_refused_or_takes_its_alternate(world):
    """It was accepted before; here by a process that saw the template whole."""
    value = world.client.hgetall(KEY)
    world.client.delete(KEY)
    ids = [
        accept(world, content=None, templates=(call(),)),
        accept(world, to=BRUNO, content=None, templates=(call(), call("altro"))),
        accept(world, to=CARLA, content=None, templates=(call("altro"),)),
    ]
    world.client.hset(KEY, mapping=value)

    drain(world)

    records = [world.deps.messages.get("default", one) for one in ids]
    assert [one.state for one in records] == ["refused", "submitted", "submitted"]
    assert records[0].route["rule"] == "template_not_approved"
    sent = [outgoing.route.template.id.name for outgoing in world.providers["shop"].sent]
    assert sent == ["altro", "altro"]


def test_the_doctor_says_why(world, client):
    value = world.client.hgetall(KEY)
    world.client.delete(KEY)
    accept(world, content=None, templates=(call(),))
    world.client.hset(KEY, mapping=value)

    (used,) = client.get("/v1/templates/in-use?sender=shop", headers=DESK).json["items"]

    assert (used["status"], used["is_sendable"]) == ("missing", False)
    assert "cannot be read" in used["why"]


def test_it_can_be_deleted_and_registered_anew(world, client):
    deleted = client.delete(f"{ONE}?sender=shop", headers=DESK)
    new = {
        "sender": "shop",
        "name": "ordine_pronto",
        "language": "it",
        "tag": "UTILITY",
        "samples": ["Anna", "991"],
    }
    made = client.post("/v1/templates", json={**new, "body": template().body}, headers=DESK)

    assert (deleted.status_code, made.status_code) == (204, 201)
    assert made.json["version"] == 2
    world.clock.advance(timedelta(seconds=1))
    assert client.post("/v1/messages", json=asked("ordine_pronto"), headers=ORDERS).status_code == 202
