"""Content of every kind at the internal door: what would go, what is refused, what no answer shows."""

import json

import pytest

from shared.deps import assemble
from shared.domain.identifiers import MessageId
from tests.builders import ANNA, NOW, World, wrote
from tests.contents import WAMID
from tests.door import DESK, ORDERS, assert_problem, keys_of
from tests.play import drain
from webhook.api.app import create_api

CANARY = "Segretissimo"
CONTENTS = {
    "text": {"text": CANARY, "reply_to": WAMID},
    "image": {"media": {"kind": "image", "link": f"https://ex.it/{CANARY}.jpg"}},
    "interactive": {
        "interactive": {"kind": "buttons", "body": CANARY, "buttons": [{"id": "y", "title": CANARY}]}
    },
    "location": {"location": {"latitude": 39.2, "longitude": 9.1, "name": CANARY}},
    "contacts": {"contacts": [{"name": {"formatted_name": CANARY}}]},
    "reaction": {"reaction": {"message_id": WAMID, "emoji": "🥸"}},
}
LIST = {"kind": "list", "body": "b", "footer": "f", "sections": [{"rows": [{"id": "1", "title": "1"}]}]}


@pytest.fixture
def world(any_redis):
    world = World(any_redis)
    for alias in ("shop", "negozio"):
        world.deps.recorder.record([(world.deps.sender(alias), wrote(NOW))], now=NOW)
    return world


def post(client, content, sender="shop", query=""):
    body = {"to": ANNA.value, "sender": sender, **content}
    return client.post(f"/v1/messages{query}", json=body, headers=ORDERS)


@pytest.mark.parametrize("kind", CONTENTS)
def test_each_kind_goes_as_a_session_message_and_shows_in_no_answer(world, client, kind):
    accepted = post(client, CONTENTS[kind])
    drain(world)
    shown = client.get(f"/v1/messages/{accepted.json['id']}", headers=ORDERS)
    events = client.get("/v1/events", headers=DESK)

    (sent,) = world.providers["shop"].sent
    stored = world.deps.messages.get("default", MessageId(accepted.json["id"])).request
    assert (sent.route.content, sent.route.reply_to) == (stored.content, stored.reply_to)
    assert (shown.json["state"], shown.json["route"]["kind"]) == ("submitted", "session")
    for answer in (accepted, shown, events):
        assert CANARY not in answer.get_data(as_text=True)
        assert WAMID not in answer.get_data(as_text=True)


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_dry_run_shows_the_request_with_its_content(world, kind):
    deps = assemble(world.settings, world.client, clock=world.clock, ring=lambda sender: None)

    answer = post(create_api(deps).test_client(), CONTENTS[kind], query="?dry_run=true").json

    mark = "🥸" if kind == "reaction" else CANARY
    assert answer["route"]["kind"] == "session"
    assert mark in json.dumps(answer["request"]["json"], ensure_ascii=False)
    assert mark not in json.dumps(answer["route"], ensure_ascii=False)


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (CONTENTS["reaction"], ["reaction"]),
        ({"interactive": LIST}, ["interactive.footer"]),
        (
            {"media": {"kind": "image", "link": "https://ex.it/a", "caption": "c"}},
            ["media.caption", "media.link"],
        ),
    ],
)
def test_what_cm_is_not_known_to_take_is_refused_by_its_field(world, client, content, fields, query):
    before = keys_of(world)

    errors = assert_problem(post(client, content, "negozio", query), 422, "unsupported_by_provider")

    assert (list(errors), keys_of(world)) == (fields, before)


def test_nothing_free_form_goes_without_an_open_window(world, client):
    asked = {"to": "+393337654321", "sender": "shop", **CONTENTS["image"]}

    answer = client.post("/v1/messages", json=asked, headers=ORDERS).json
    drain(world)

    assert (answer["forecast"]["kind"], answer["forecast"]["rule"]) == ("refuse", "window_closed_no_template")
    assert world.providers["shop"].sent == []
