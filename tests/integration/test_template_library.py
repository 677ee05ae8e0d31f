"""`/v1/templates/library` and the import of ready-made templates by name."""

import pytest

from shared.domain.consent import Category
from shared.domain.templates import Source, TemplateId, TemplateStatus
from tests.builders import ANNA, NOW, World, opt_in, wrote
from tests.door import DESK, ORDERS, assert_documented

IMPORT = "/v1/templates/import"
LIBRARY = "/v1/templates/library"
SHIPPED = {"sender": "shop", "source": "library", "name": "order_shipped", "language": "it"}
LINK = "https://shop.example/track/{1}"


@pytest.fixture
def world(fake_redis) -> World:
    return World(fake_redis)


@pytest.fixture
def spec(client):
    return client.get("/openapi.json", headers=DESK).json


def imported(client, **changes):
    return client.post(IMPORT, json={**SHIPPED, **changes}, headers=DESK)


def stored(world, name="order_shipped", alias="shop"):
    return world.deps.templates.get("default", TemplateId(world.deps.sender(alias).account, name, "it"))


def test_the_library_says_what_each_is_for_and_what_its_variables_are(client, spec):
    listed = client.get(LIBRARY, headers=ORDERS)
    italian = client.get(f"{LIBRARY}?language=it", headers=ORDERS).json["items"]
    shown = client.get(f"{LIBRARY}/order_shipped/it", headers=ORDERS)

    assert_documented(spec, listed, LIBRARY)
    assert_documented(spec, shown, f"{LIBRARY}/{{name}}/{{language}}")
    assert len(listed.json["items"]) == 5 * len(italian)
    assert shown.json in italian
    assert shown.json["variables"] == ["name", "order number", "carrier", "tracking number"]
    assert shown.json["buttons"][0]["label"] == "Segui il pacco"
    assert client.get(f"{LIBRARY}/order_shipped/pt", headers=ORDERS).status_code == 404


def test_an_import_is_a_draft_that_has_to_be_approved(world, client, spec):
    answer = imported(client)

    assert_documented(spec, answer, IMPORT, "post")
    assert (answer.status_code, answer.json["source"], answer.json["status"]) == (201, "library", "draft")
    kept = stored(world)
    assert (kept.source, kept.status) == (Source.LIBRARY, TemplateStatus.DRAFT)
    assert kept.variables == ("1", "2", "3", "4")
    assert kept.buttons == ()


def test_the_example_is_accepted_and_its_link_leads_to_the_business(world, client, spec):
    example = spec["paths"][IMPORT]["post"]["requestBody"]["content"]["application/json"]["example"]
    answer = client.post(IMPORT, json=example, headers=DESK)

    assert answer.status_code == 201
    (button,) = stored(world, "ordine_spedito").buttons
    assert (button.label, button.url, button.sample) == (
        "Segui il pacco",
        "https://shop.example/track/{{1}}",
        "ZX481516",
    )


def test_what_is_there_is_not_overwritten(client):
    first, second = imported(client), imported(client, url=LINK)

    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json["code"] == "template_exists"


REFUSED = {
    "an unknown name": ({"name": "order_shiped"}, "name", "did you mean order_shipped?"),
    "a name like none": ({"name": "xyz"}, "name", "GET /v1/templates/library"),
    "an unknown language": ({"language": "pt"}, "language", "it, en, es, fr, de"),
    "a link where there is none": ({"name": "order_ready", "url": LINK}, "url", "leave it out"),
    "no address": ({"url": "shop.example"}, "url", "https://"),
    "a name that no template has": ({"as": "Ordine spedito"}, "as", "lower-case"),
    "another source": ({"source": "own"}, "source", "library"),
    "a ready-made one of CM.com": (
        {"sender": "negozio", "source": "provider", "name": "conferma"},
        "source",
        "POST /v1/templates",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_imported_is_refused_with_the_mend(client, case):
    changes, field, mend = REFUSED[case]
    answer = imported(client, **changes)

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert list(answer.json["errors"]) == [field]
    assert mend in " ".join(answer.json["errors"][field])


def test_a_one_time_code_is_whatsapp_s_preset_on_meta(world, client):
    answer = imported(client, name="one_time_code")

    assert (answer.status_code, answer.json["category"]) == (201, "authentication")
    assert answer.json["warnings"] == []
    assert stored(world, "one_time_code").variables == ("1",)


def test_one_time_codes_are_not_for_cm(client):
    answer = imported(client, sender="negozio", name="one_time_code")

    assert (answer.status_code, answer.json["code"]) == (422, "unsupported_by_provider")


def test_an_import_needs_the_scope_of_templates(client):
    assert client.post(IMPORT, json=SHIPPED, headers=ORDERS).status_code == 403


@pytest.mark.parametrize(("url", "kind"), [(None, "session"), (LINK, "template")])
def test_without_its_link_it_goes_as_session_text_in_an_open_window(world, client, url, kind):
    imported(client, sender="negozio", url=url)
    for gate in ("provider", "whatsapp"):
        word = {"gate": gate, "decision": "approved"}
        client.post("/v1/templates/order_shipped/it/approval?sender=negozio", json=word, headers=DESK)
    sender = world.deps.sender("negozio")
    world.deps.contacts.set_consent(sender, ANNA, opt_in(), [Category.UTILITY], now=NOW)
    world.deps.recorder.record([(sender, wrote())], now=NOW)
    filled = {"name": "order_shipped", "language": "it", "variables": ["Anna", "991", "Corriere", "ZX1"]}
    filled |= {"buttons": [{"index": 0, "url_suffix": "ZX1"}]} if url else {}
    asked = {"to": ANNA.value, "sender": "negozio", "template": filled}

    answer = client.post("/v1/messages?dry_run=true", json=asked, headers=ORDERS)

    assert answer.json["route"]["kind"] == kind, answer.json
