"""`…/preview`: what a contact would see, as text and as a picture, without anything being sent."""

import pytest

from shared.domain.template_parts import ButtonKind, ButtonPart, HeaderKind, HeaderPart
from shared.domain.templates import TemplateId
from tests.builders import World, template
from tests.door import DESK, ORDERS, assert_documented

PATH = "/v1/templates/{name}/{language}/preview"
ONE = "/v1/templates/ordine_pronto/it/preview?sender=shop"


@pytest.fixture
def world(fake_redis) -> World:
    world = World(fake_redis)
    shown = template(
        header=HeaderPart(kind=HeaderKind.DOCUMENT),
        buttons=(ButtonPart(kind=ButtonKind.URL, label="Segui", url="https://ex.it/{{1}}", sample="ZX1"),),
    )
    world.deps.templates.create("default", shown, nonce="n")
    return world


def test_without_values_it_shows_the_samples_and_what_has_none(client):
    spec = client.get("/openapi.json", headers=DESK).json
    answer = client.post(ONE, headers=ORDERS)

    assert_documented(spec, answer, PATH, "post")
    assert answer.json["text"] == (
        "[document]\n\nCiao Anna, il tuo ordine 991 è pronto.\n\n[Segui] https://ex.it/ZX1"
    )
    assert answer.json["length"] == 38
    assert [misfit["field"] for misfit in answer.json["misfits"]] == ["header"]
    assert answer.json["html"].startswith("<!doctype html>")


def test_values_take_the_samples_place_and_are_cleaned(world, client):
    asked = {
        "variables": ["Bo\n\t<b>", "7     a"],
        "header": {"kind": "document", "link": "https://ex.it/f.pdf", "filename": "Fattura.pdf"},
        "buttons": [{"index": 0, "url_suffix": "ZX2"}],
    }
    answer = client.post(ONE, json=asked, headers=ORDERS)

    assert answer.json["misfits"] == []
    assert answer.json["bubble"] == {
        "media": "document",
        "filename": "Fattura.pdf",
        "header": None,
        "body": "Ciao Bo <b>, il tuo ordine 7 a è pronto.",
        "footer": None,
        "buttons": [{"kind": "url", "label": "Segui", "target": "https://ex.it/ZX2"}],
    }
    assert "Bo &lt;b&gt;" in answer.json["html"]
    assert world.rung == []


def test_what_does_not_fit_is_said_where_it_is(client):
    asked = {"variables": {"2": "x" * 1100, "3": "zu viel"}, "buttons": [{"index": 1, "payload": "p"}]}
    answer = client.post(ONE, json=asked, headers=ORDERS)

    assert answer.status_code == 200
    assert [misfit["field"] for misfit in answer.json["misfits"]] == ["variables.3", "header", "buttons.1"]


@pytest.mark.parametrize(
    ("path", "asked", "status", "code"),
    [
        (ONE, {"variables": ["Anna", " \n "]}, 422, "invalid_request"),
        (ONE, {"variable": ["Anna"]}, 422, "invalid_request"),
        (ONE.replace("/it/", "/en/"), {}, 404, "unknown_template"),
        (ONE.replace("shop", "nobody"), {}, 404, "unknown_sender"),
    ],
)
def test_what_cannot_be_shown_is_a_problem(client, path, asked, status, code):
    answer = client.post(path, json=asked, headers=ORDERS)

    assert (answer.status_code, answer.json["code"]) == (status, code)


TOO_LONG = {
    "template.variables.2": {"variables": ["Anna", "9" * 1000]},
    "template.header": {"header": {"text": "9" * 54}},
    "template.buttons.0": {"buttons": [{"index": 0, "url_suffix": "9" * 1990}]},
}


@pytest.mark.parametrize("field", TOO_LONG)
def test_what_gets_too_long_by_its_values_is_no_message(world, client, field):
    whole = template(
        id=TemplateId(world.deps.sender("shop").account, "intero", "it"),
        header=HeaderPart(kind=HeaderKind.TEXT, text="Ordine {{1}}", sample="991"),
        buttons=(ButtonPart(kind=ButtonKind.URL, label="Segui", url="https://ex.it/{{1}}", sample="ZX1"),),
    )
    world.deps.templates.create("default", whole, nonce="m")
    fits = {
        "name": "intero",
        "language": "it",
        "variables": ["Anna", "991"],
        "header": {"text": "991"},
        "buttons": [{"index": 0, "url_suffix": "ZX1"}],
    }

    def send(**changes):
        asked = {"to": "+393331234567", "sender": "shop", "template": {**fits, **changes}}
        return client.post("/v1/messages", json=asked, headers=ORDERS)

    assert send().status_code == 202
    answer = send(**TOO_LONG[field])
    assert (answer.status_code, answer.json["code"]) == (422, "template_mismatch")
    assert list(answer.json["errors"]) == [field]
    assert "shorten it" in answer.json["errors"][field][0]
