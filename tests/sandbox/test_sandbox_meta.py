"""The Cloud API's door: what it takes, what it refuses and with which words."""

import copy

import pytest

ANNA = "+393331234567"
META_NUMBER = "+15550783881"
MISSING = object()
TEXT = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": ANNA,
    "type": "text",
    "text": {"body": "Buongiorno", "preview_url": False},
    "biz_opaque_callback_data": "job:42",
}


def text(**changes):
    merged = {**copy.deepcopy(TEXT), **changes}
    return {key: value for key, value in merged.items() if value is not MISSING}


def template(name="ordine_pronto", language="it", values=("Anna", "A-17"), names=None):
    parameters = [{"type": "text", "text": value} for value in values]
    for parameter, given in zip(parameters, names or [], strict=False):
        parameter["parameter_name"] = given
    asked = {
        "name": name,
        "language": {"code": language},
        "components": [{"type": "body", "parameters": parameters}],
    }
    return text(type="template", text=MISSING, template=asked)


def error_of(response):
    error = response.get_json()["error"]
    return response.status_code, error["code"], error["error_data"]["details"]


REFUSED = [
    ("not an object", ["x"], 400, 100, "JSON object"),
    ("no product", text(messaging_product=MISSING), 400, 131008, "messaging_product"),
    ("wrong product", text(messaging_product="sms"), 400, 100, "messaging_product"),
    ("no type", text(type=MISSING), 400, 131008, "type"),
    ("wrong type", text(type="fax"), 400, 100, "type"),
    ("type is a list", text(type=["text"]), 400, 100, "type"),
    ("no object named like the type", text(text=MISSING), 400, 100, "text"),
    ("object of another type", text(template={}), 400, 100, "template"),
    ("unknown key at the top", text(tto="x"), 400, 100, "tto"),
    ("unknown key inside text", text(text={"body": "x", "preview": True}), 400, 100, "preview"),
    ("no recipient", text(to=MISSING), 400, 131008, "to"),
    ("number without plus", text(to="393331234567"), 400, 100, "to"),
    ("number with spaces", text(to="+39 333 1234567"), 400, 100, "to"),
    ("bad user id", text(to=MISSING, recipient="90011223344"), 400, 100, "recipient"),
    ("to a group", text(recipient_type="group"), 400, 100, "recipient_type"),
    ("to itself", text(to=META_NUMBER), 400, 131021, "same"),
    ("no body", text(text={}), 400, 131008, "text.body"),
    ("empty body", text(text={"body": ""}), 400, 100, "body"),
    ("4097 characters", text(text={"body": "x" * 4097}), 400, 100, "body"),
    ("callback data too long", text(biz_opaque_callback_data="x" * 513), 400, 100, "biz_opaque"),
    ("callback data not text", text(biz_opaque_callback_data=42), 400, 100, "biz_opaque"),
    ("context without id", text(context={}), 400, 100, "context"),
    ("template without name", text(type="template", text=MISSING, template={}), 400, 131008, "name"),
    ("template without language", template(language=""), 400, 131008, "language"),
    ("unknown template", template(name="nessuno"), 404, 132001, "does not exist"),
    ("unknown language", template(language="en"), 404, 132001, "does not exist"),
    ("pending template", template(name="in_attesa", values=["x"]), 404, 132001, "PENDING"),
    ("paused template", template(name="in_pausa", values=["x"]), 400, 132015, "PAUSED"),
    ("disabled template", template(name="spento", values=["x"]), 400, 132016, "DISABLED"),
    ("one value too few", template(values=["Anna"]), 400, 132000, "(1)"),
    ("one value too many", template(values=["a", "b", "c"]), 400, 132000, "(3)"),
    ("empty value", template(values=["Anna", ""]), 400, 131008, "missing text value"),
    ("value with newline", template(values=["Anna", "a\nb"]), 400, 132018, "new-line"),
    ("value with tab", template(values=["Anna", "a\tb"]), 400, 132018, "new-line"),
    ("value with five spaces", template(values=["Anna", "a     b"]), 400, 132018, "spaces"),
    ("rendered text too long", template(values=["Anna", "x" * 1024]), 400, 132005, "long"),
    ("names left out", template("benvenuto", values=["a", "b"]), 400, 100, "name"),
    ("wrong name", template("benvenuto", values=["a", "b"], names=["first_name", "x"]), 400, 132012, "name"),
    ("name not asked for", template(values=["a", "b"], names=["x", "y"]), 400, 132012, "name"),
]


@pytest.mark.parametrize(
    ("payload", "status", "code", "words"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_refuses_what_meta_forbids(stage, payload, status, code, words):
    response = stage.send_meta(payload)

    found_status, found_code, details = error_of(response)
    assert (found_status, found_code) == (status, code)
    assert words in details
    assert [(each["outcome"], each["code"]) for each in stage.requests()] == [("refused", code)]


def test_a_header_parameter_is_one_too_many(stage):
    payload = template()
    payload["template"]["components"].append(
        {"type": "header", "parameters": [{"type": "text", "text": "x"}]}
    )

    assert error_of(stage.send_meta(payload))[:2] == (400, 132000)


@pytest.mark.parametrize("value", ["a    b", "x", "è/\u20ac"])
def test_takes_any_other_value(stage, value):
    assert stage.send_meta(template(values=["Anna", value])).status_code == 200


def test_a_wrong_token_is_401_and_code_190(stage):
    response = stage.send_meta(TEXT, token="stolen")

    assert (response.status_code, response.get_json()["error"]["code"]) == (401, 190)


def test_an_unknown_phone_number_id_is_code_100_with_subcode_33(stage):
    response = stage.send_meta(TEXT, path="/v26.0/999/messages")

    error = response.get_json()["error"]
    assert (response.status_code, error["code"], error["error_subcode"]) == (400, 100, 33)


def test_answers_a_text_without_message_status(stage):
    answer = stage.send_meta(TEXT).get_json()

    assert answer["messaging_product"] == "whatsapp"
    assert answer["contacts"] == [{"input": ANNA, "wa_id": ANNA.removeprefix("+")}]
    assert set(answer["messages"][0]) == {"id"}
    assert answer["messages"][0]["id"].startswith("wamid.")


def test_answers_a_template_with_message_status(stage):
    answer = stage.send_meta(template()).get_json()

    assert answer["messages"][0]["message_status"] == "accepted"


def test_answers_a_user_id_without_wa_id(stage):
    answer = stage.send_meta(text(to=MISSING, recipient="IT.90011223344")).get_json()

    assert answer["contacts"] == [{"input": "IT.90011223344", "user_id": "IT.90011223344"}]


def test_a_number_that_whatsapp_knows_under_another_is_answered_and_reported_under_it(stage):
    stage.control("PUT", "settings", {"wa_ids": {"+525512345678": "+5215512345678"}})

    answer = stage.send_meta(text(to="+525512345678")).get_json()

    assert answer["contacts"] == [{"input": "+525512345678", "wa_id": "5215512345678"}]
    failed = stage.receiver.next_json()["entry"][0]["changes"][0]["value"]["statuses"][0]
    assert failed["recipient_id"] == "5215512345678"


def test_both_names_of_a_number_share_one_window(stage):
    stage.control("PUT", "settings", {"wa_ids": {"+525512345678": "+5215512345678"}})
    stage.hear(**{"from": "+5215512345678"})

    stage.send_meta(text(to="+525512345678"))

    assert [each["code"] for each in stage.requests()] == [None]


def test_records_what_the_customer_reads(stage):
    stage.send_meta(template("benvenuto", values=["Bottega", "Anna"], names=["shop", "first_name"]))

    [recorded] = stage.requests()
    assert recorded["text"] == "Ciao Anna, benvenuto da Bottega."
    assert recorded["provider_message_id"].startswith("wamid.")
    assert {key: recorded[key] for key in ("provider", "number", "to", "kind", "template", "reference")} == {
        "provider": "meta",
        "number": META_NUMBER,
        "to": ANNA,
        "kind": "template",
        "template": "benvenuto",
        "reference": "job:42",
    }


def test_marks_a_message_as_read(stage):
    answer = stage.send_meta({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN"})

    assert answer.get_json() == {"success": True}
    assert stage.requests() == []


def test_a_read_receipt_needs_a_message_id(stage):
    answer = stage.send_meta({"messaging_product": "whatsapp", "status": "read"})

    assert error_of(answer)[:2] == (400, 131008)


def statuses(stage, count):
    values = [stage.receiver.next_json()["entry"][0]["changes"][0]["value"] for _ in range(count)]
    return sorted(values, key=lambda value: value["statuses"][0]["status"], reverse=True)


def test_reports_sent_and_delivered_with_price_and_callback_data(stage):
    message_id = stage.send_meta(template()).get_json()["messages"][0]["id"]

    sent, delivered = statuses(stage, 2)
    assert sent["metadata"] == {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}
    assert sent["contacts"][0]["wa_id"] == "393331234567"
    assert delivered["statuses"][0]["status"] == "delivered"
    entry = sent["statuses"][0]
    assert entry.pop("recipient_user_id").startswith("IT.")
    assert entry == {
        "id": message_id,
        "status": "sent",
        "timestamp": "1790000000",
        "recipient_id": "393331234567",
        "biz_opaque_callback_data": "job:42",
        "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"},
    }


def test_a_status_of_a_hidden_number_shows_the_user_id_alone(stage):
    user = "IT.90011223344"
    stage.hear(**{"from": user})
    stage.receiver.next()

    stage.send_meta(text(to=MISSING, recipient=user))

    value = stage.receiver.next_json()["entry"][0]["changes"][0]["value"]
    assert value["contacts"] == [{"profile": {"name": "Customer"}, "user_id": user}]
    assert value["statuses"][0]["recipient_user_id"] == user
    assert "recipient_id" not in value["statuses"][0]


def test_reports_read_only_when_told(stage):
    stage.control("PUT", "settings", {"read_after_ms": 0})
    stage.hear()
    stage.receiver.next()

    stage.send_meta(TEXT)

    found = [value["statuses"][0] for value in statuses(stage, 3)]
    assert [each["status"] for each in found] == ["sent", "read", "delivered"]
    assert [each.get("pricing", {}).get("type") for each in found] == [
        "free_customer_service",
        None,
        "free_customer_service",
    ]


def test_a_free_form_message_outside_the_window_fails_late(stage):
    assert stage.send_meta(TEXT).status_code == 200

    [value] = statuses(stage, 1)
    assert "contacts" not in value
    entry = value["statuses"][0]
    assert (entry["status"], entry["recipient_id"]) == ("failed", "393331234567")
    error = entry["errors"][0]
    assert error["code"] == 131047
    assert error["title"] == error["message"]
    assert "24 hours" in error["error_data"]["details"]


def test_a_free_form_message_outside_the_window_is_refused_when_told(stage):
    stage.control("PUT", "settings", {"window_refusal": "sync"})

    assert error_of(stage.send_meta(TEXT))[:2] == (400, 131047)
    assert stage.send_meta(template()).status_code == 200


def test_no_status_comes_when_statuses_are_off(stage):
    stage.control("PUT", "settings", {"statuses": False})

    stage.send_meta(template())

    assert stage.control("GET", "webhooks") == {"delivered": 0, "failed": 0, "pending": 0}
