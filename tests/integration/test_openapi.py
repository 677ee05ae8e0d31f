"""`/openapi.json` is valid and tells the truth: its examples are accepted, real answers are as it says."""

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from shared.domain.consent import Category
from shared.domain.events import UpdateSetAside
from tests.builders import ANNA, NOW, meta_sender, opt_in, template, wrote
from tests.door import CONTACT, DESK, ORDERS, TEXT, UNKNOWN_MESSAGE, assert_documented
from tests.play import drain

MESSAGES = "/v1/messages"
ONE = "/v1/messages/{message_id}"
CONSENT = "/v1/contacts/{contact}/consent"
APPROVAL = "/v1/templates/{name}/{language}/approval"


@pytest.fixture
def spec(client):
    return client.get("/openapi.json", headers=ORDERS).json


def example(spec, path, method="post"):
    return spec["paths"][path][method]["requestBody"]["content"]["application/json"]["example"]


def operations(spec):
    return [
        (path, method, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "put", "delete")
    ]


def test_it_is_a_valid_specification(spec):
    validate(spec)

    assert spec["openapi"].startswith("3.1")
    assert spec["security"] == [{"bearer": []}]
    assert spec["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_every_route_under_v1_is_in_it(client, spec):
    rules = {
        rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
        for rule in client.application.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
    }

    assert rules == set(spec["paths"])


def test_every_error_is_a_problem(spec):
    for path, _, operation in operations(spec):
        responses = operation["responses"]
        assert {"401", "403", "500", "503"} <= set(responses), path
        for status, response in responses.items():
            if status >= "400":
                name = response["$ref"].rpartition("/")[2]
                assert list(spec["components"]["responses"][name]["content"]) == ["application/problem+json"]


def test_every_operation_says_what_it_does(spec):
    assert all(operation["summary"] for _, _, operation in operations(spec))


def test_every_example_fits_its_own_schema(spec):
    for _, _, operation in operations(spec):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            schema = {**content["schema"], "components": spec["components"]}
            Draft202012Validator(schema).validate(content["example"])


def test_the_examples_of_content_are_accepted(client, spec):
    content = spec["paths"][MESSAGES]["post"]["requestBody"]["content"]["application/json"]
    name = content["schema"]["$ref"].rpartition("/")[2]
    properties = spec["components"]["schemas"][name]["properties"]
    examples = [
        {field: example}
        for field, described in properties.items()
        for example in described.get("examples", ())
    ]

    assert len(examples) == 5
    for each in examples:
        asked = {"to": "+393331234567", "sender": "shop", **each}
        Draft202012Validator({**content["schema"], "components": spec["components"]}).validate(asked)
        assert client.post(MESSAGES, json=asked, headers=ORDERS).status_code == 202


def test_the_examples_are_accepted(world, client, spec):
    message = client.post(MESSAGES, json=example(spec, MESSAGES), headers=ORDERS)
    assert_documented(spec, message, MESSAGES, "post")
    assert message.status_code == 202

    dry = client.post(f"{MESSAGES}?dry_run=true", json=example(spec, MESSAGES), headers=ORDERS)
    assert_documented(spec, dry, MESSAGES, "post")
    assert dry.status_code == 200

    consent = client.put(
        "/v1/contacts/+393331234567/consent?sender=shop", json=example(spec, CONSENT, "put"), headers=DESK
    )
    assert_documented(spec, consent, CONSENT, "put")
    assert consent.json["categories"]["utility"]["status"] == "opted_in"

    registered = client.post("/v1/templates", json=example(spec, "/v1/templates"), headers=DESK)
    assert_documented(spec, registered, "/v1/templates", "post")
    assert registered.status_code == 201

    world.deps.templates.create("default", template(world.deps.sender("negozio")), nonce="n")
    path = "/v1/templates/ordine_pronto/it/approval?sender=negozio"
    approved = client.post(path, json=example(spec, APPROVAL), headers=DESK)
    assert_documented(spec, approved, APPROVAL, "post")
    assert approved.status_code == 200

    halted = client.post(
        "/v1/senders/shop/halt", json=example(spec, "/v1/senders/{alias}/halt"), headers=DESK
    )
    assert_documented(spec, halted, "/v1/senders/{alias}/halt", "post")
    assert halted.status_code == 200


def test_the_ledger_of_consents_is_as_documented(client, spec):
    batch, history = "/v1/consents/batch", f"{CONSENT}/history"
    sent = example(spec, batch)
    recorded = client.post(f"{batch}?sender=shop", json=sent, headers=DESK)
    assert_documented(spec, recorded, batch, "post")
    assert recorded.json["results"] == [{"result": "recorded"}]

    sent["consents"][0]["status"] = "maybe"
    assert_documented(spec, client.post(f"{batch}?sender=shop", json=sent, headers=DESK), batch, "post")
    assert_documented(spec, client.get("/v1/consents?sender=shop", headers=ORDERS), "/v1/consents")
    of_anna = f"/v1/contacts/{ANNA}/consent/history?sender=shop"
    assert_documented(spec, client.get(of_anna, headers=ORDERS), history)


def test_real_answers_are_as_documented(world, client, spec):
    world.deps.templates.create("default", template(), nonce="n")
    world.deps.contacts.set_consent(meta_sender(), ANNA, opt_in(), [Category.UTILITY], now=NOW)
    world.deps.recorder.record([(world.deps.sender("shop"), wrote())], now=world.clock.now())
    queued = client.post(MESSAGES, json=TEXT, headers=ORDERS).json["links"]["self"]
    waiting = client.get(queued, headers=ORDERS)
    drain(world)

    assert_documented(spec, waiting, "/v1/messages/{message_id}")
    assert_documented(spec, client.get(queued, headers=ORDERS), "/v1/messages/{message_id}")
    batch = client.post(f"{MESSAGES}/batch", json={"messages": [TEXT, {}]}, headers=ORDERS)
    assert_documented(spec, batch, f"{MESSAGES}/batch", "post")
    assert_documented(spec, client.get(CONTACT, headers=ORDERS), "/v1/contacts/{contact}")
    assert_documented(spec, client.get("/v1/templates", headers=ORDERS), "/v1/templates")
    shown = client.get("/v1/templates/ordine_pronto/it?sender=shop", headers=ORDERS)
    assert_documented(spec, shown, "/v1/templates/{name}/{language}")
    assert_documented(spec, client.get("/v1/senders", headers=ORDERS), "/v1/senders")
    resumed = client.post("/v1/senders/shop/resume", headers=DESK)
    assert_documented(spec, resumed, "/v1/senders/{alias}/resume", "post")


def test_the_quarantine_is_as_documented(world, client, spec):
    not_json = UpdateSetAside(reason="unknown_type", raw="{")
    world.deps.recorder.record([(world.deps.sender("shop"), not_json)], now=world.clock.now())
    path = "/v1/quarantine"
    listed = client.get(path, headers=DESK)
    entry = f"{path}/{listed.json['items'][0]['id']}"
    in_bulk = client.post(f"{path}/replay", json=example(spec, f"{path}/replay"), headers=DESK)

    assert_documented(spec, listed, path)
    assert_documented(spec, client.get(entry, headers=DESK), f"{path}/{{entry_id}}")
    assert in_bulk.json["items"]
    assert_documented(spec, in_bulk, f"{path}/replay", "post")
    replayed = client.post(f"{entry}/replay", headers=DESK)
    assert_documented(spec, replayed, f"{path}/{{entry_id}}/replay", "post")
    assert_documented(spec, client.delete(entry, headers=DESK), f"{path}/{{entry_id}}", "delete")
    assert_documented(spec, client.delete(entry, headers=DESK), f"{path}/{{entry_id}}", "delete")


def test_what_hands_do_is_as_documented(world, client, spec):
    for _ in range(2):
        client.post(MESSAGES, json=TEXT, headers=ORDERS)
    listed = client.get(MESSAGES, headers=ORDERS)
    first, second = (item["id"] for item in listed.json["items"])
    waiting = client.post(f"{MESSAGES}/{first}/retry", json=example(spec, f"{ONE}/retry"), headers=ORDERS)
    cancelled = client.post(f"{MESSAGES}/{first}/cancel", headers=ORDERS)
    known = client.post(f"{MESSAGES}/{second}/resolve", json=example(spec, f"{ONE}/resolve"), headers=ORDERS)

    assert_documented(spec, listed, MESSAGES)
    assert_documented(spec, waiting, f"{ONE}/retry", "post")
    assert_documented(spec, cancelled, f"{ONE}/cancel", "post")
    assert_documented(spec, known, f"{ONE}/resolve", "post")
    for action in ("cancel", "retry"):
        path = f"{MESSAGES}/{action}"
        in_bulk = client.post(path, json=example(spec, path), headers=ORDERS)
        assert in_bulk.status_code == 200
        assert_documented(spec, in_bulk, path, "post")
    audit = client.get("/v1/audit", headers=DESK)
    assert audit.json["items"]
    assert_documented(spec, audit, "/v1/audit")


def test_marking_as_read_is_as_documented(world, client, spec):
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(event_id="wamid.1"))], now=NOW)
    path = "/v1/inbound/{inbound_id}/read"
    marked = client.post("/v1/inbound/wamid.1/read", json=example(spec, path), headers=ORDERS)

    assert marked.status_code == 200
    assert_documented(spec, marked, path, "post")
    assert_documented(spec, client.post("/v1/inbound/wamid.2/read", headers=ORDERS), path, "post")
    nothing = client.get("/v1/inbound/wamid.1/media", headers=ORDERS)
    assert_documented(spec, nothing, "/v1/inbound/{inbound_id}/media")


def test_a_file_is_documented_as_bytes_of_any_type_and_a_body_as_optional(spec):
    media, read = (
        spec["paths"]["/v1/inbound/{inbound_id}/media"],
        spec["paths"]["/v1/inbound/{inbound_id}/read"],
    )

    assert media["get"]["responses"]["200"]["content"] == {
        "*/*": {"schema": {"type": "string", "format": "binary"}}
    }
    assert {"404", "410", "422", "429", "502", "503"} <= set(media["get"]["responses"])
    assert read["post"]["requestBody"]["required"] is False


def test_real_errors_are_as_documented(client, spec):
    broken = client.post(MESSAGES, data="{", headers=ORDERS)
    wrong = client.post(MESSAGES, json={"to": "x"}, headers=ORDERS)
    huge = client.post(MESSAGES, data=b" " * (4 * 1024 * 1024 + 1), headers=ORDERS)
    lint = {"name": "A", "sender": "shop", "language": "it", "tag": "UTILITY", "body": "{1}"}
    refused = client.post("/v1/templates", json=lint, headers=DESK)

    for answer in (broken, wrong, huge):
        assert_documented(spec, answer, MESSAGES, "post")
    assert_documented(spec, refused, "/v1/templates", "post")
    assert_documented(spec, client.get(UNKNOWN_MESSAGE, headers=ORDERS), "/v1/messages/{message_id}")
    assert_documented(spec, client.get(UNKNOWN_MESSAGE), "/v1/messages/{message_id}")
