"""The internal door on senders, what they wait for, and templates that an error stopped."""

from shared.clock import rfc3339
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.providers.base import NOT_TAKEN, Rejected, Submitted
from shared.providers.meta.errors import row_of
from tests.builders import ANNA, DAY, NOW, World, opt_in, template, wrote
from tests.door import DESK, ORDERS, TEMPLATE, send
from tests.play import drain


def shop(client) -> dict:
    return client.get("/v1/senders", headers=DESK).json["items"][0]


def write_and_send(world: World, client, number: int = 0) -> str:
    to = f"+3933312345{number:02}"
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(contact=ContactId(to)))], now=NOW)
    return send(client, to=to).json["links"]["self"]


def test_one_kind_is_halted_for_a_time_and_the_rest_goes_on(client):
    until = rfc3339(NOW + DAY)
    body = {"why": "campaign stopped", "kind": "template", "until": until}

    answer = client.post("/v1/senders/shop/halt", json=body, headers=DESK).json

    assert (answer["state"], answer["why"]) == ("active", None)
    (halt,) = answer["halts"]
    assert halt == {
        "kind": "template",
        "by": "hand",
        "code": None,
        "scope": "sender",
        "why": "campaign stopped",
        "since": rfc3339(NOW),
        "until": until,
    }


def test_an_error_s_halt_names_its_code(world, client):
    write_and_send(world, client)
    world.providers["shop"].answers = [Rejected(code="190", row=row_of("190"))]

    drain(world)

    answer = shop(client)
    assert answer["state"] == "halted"
    assert [(halt["by"], halt["code"], halt["until"]) for halt in answer["halts"]] == [("error", "190", None)]


def test_a_provider_that_is_down_shows_with_what_waits_for_it(world, client):
    for number in range(8):
        write_and_send(world, client, number)
    world.providers["shop"].answers = [Rejected(code="http_503", row=NOT_TAKEN)] * 8

    drain(world)
    newcomer = write_and_send(world, client, 9)

    answer = shop(client)
    assert (answer["state"], answer["circuit"]["state"]) == ("away", "open")
    assert answer["circuit"]["why"] == "http_503"
    assert client.get(newcomer, headers=ORDERS).json["waiting"] == "provider_away"


def test_what_the_provider_holds_back_says_so(world, client):
    path = write_and_send(world, client)
    world.providers["shop"].answers = [Submitted(provider_hold="held_for_quality_assessment")]

    drain(world)

    shown = client.get(path, headers=ORDERS).json
    assert (shown["state"], shown["provider_hold"]) == ("submitted", "held_for_quality_assessment")


def test_a_hand_lets_a_stopped_template_go_on(world, client):
    world.deps.templates.create("default", template(), nonce="n")
    world.deps.contacts.set_consent(world.deps.sender("shop"), ANNA, opt_in(), [Category.UTILITY], now=NOW)
    path = send(client, template=TEMPLATE).json["links"]["self"]
    world.providers["shop"].answers = [Rejected(code="132015", row=row_of("132015"))]
    drain(world)
    one = "/v1/templates/ordine_pronto/it"
    assert client.get(f"{one}?sender=shop", headers=DESK).json["status"] == "paused"

    resumed = client.post(f"{one}/resume?sender=shop", headers=DESK)

    assert (resumed.status_code, resumed.json["status"]) == (200, "approved")
    assert client.get(path, headers=ORDERS).json["state"] == "deferred"
