"""CM.com's door: batches, its own numbers, and failures that come as status reports."""

import json

import pytest

ANNA = "+393331234567"
CM_NUMBER = "+390212345678"
NAMESPACE = "0a1b2c3d_0000_1111_2222_333344445555"
MISSING = object()


def msg(**changes):
    merged = {
        "from": "00390212345678",
        "to": [{"number": "00393331234567"}],
        "body": {"type": "auto", "content": "Buongiorno"},
        "allowedChannels": ["WhatsApp"],
        "reference": "a1",
        **changes,
    }
    return {key: value for key, value in merged.items() if value is not MISSING}


def batch(*messages, **envelope):
    return {"messages": {"msg": list(messages), **envelope}}


def template(name="ordine_pronto", language="it", values=("Anna", "A-17"), namespace=NAMESPACE):
    whatsapp = {
        "namespace": namespace,
        "element_name": name,
        "language": {"policy": "deterministic", "code": language},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": value} for value in values]}],
    }
    return msg(richContent={"conversation": [{"template": {"whatsapp": whatsapp}}]})


REJECTED = [
    ("unknown sender", msg(**{"from": "0039999999999"}), 301),
    ("sender with plus", msg(**{"from": CM_NUMBER}), 301),
    ("no recipient", msg(to=[]), 302),
    ("recipient without number", msg(to=[{}]), 302),
    ("number with plus", msg(to=[{"number": ANNA}]), 303),
    ("number with a letter", msg(to=[{"number": "003160000000x"}]), 303),
    ("no body", msg(body=MISSING), 304),
    ("empty body", msg(body={"content": ""}), 304),
    ("body too long", msg(body={"content": "x" * 4097}), 304),
    ("other channel", msg(allowedChannels=["SMS"]), 305),
    ("no channel", msg(allowedChannels=MISSING), 305),
    ("dashed reference", msg(reference="0b9f4c1e-7d2a-4b6c-8e1f-3a5d7c9b0e2f"), 305),
    ("reference of 33", msg(reference="a" * 33), 305),
    ("empty reference", msg(reference=""), 305),
    ("reference not text", msg(reference=7), 305),
    ("grouping too long", msg(customGrouping2="x" * 101), 305),
    ("empty conversation", msg(richContent={"conversation": []}), 305),
    ("six bubbles", msg(richContent={"conversation": [{"text": "x"}] * 6}), 305),
    ("kind not played yet", msg(richContent={"conversation": [{"media": {}}]}), 305),
]


@pytest.mark.parametrize(("message", "code"), [r[1:] for r in REJECTED], ids=[r[0] for r in REJECTED])
def test_rejects_what_the_gateway_forbids(stage, message, code):
    response = stage.send_cm(batch(message))

    answer = response.get_json()
    assert (response.status_code, answer["errorCode"], answer["details"]) == (
        400,
        201,
        "Created 0 message(s)",
    )
    [entry] = answer["messages"]
    assert (entry["status"], entry["parts"], entry["messageErrorCode"]) == ("Rejected", 0, code)
    assert [(each["outcome"], each["code"]) for each in stage.requests()] == [("refused", code)]


def test_answers_an_accepted_message(stage):
    response = stage.send_cm(batch(msg()))

    assert response.status_code == 200
    assert response.get_json() == {
        "details": "Created 1 message(s)",
        "errorCode": 0,
        "messages": [
            {
                "to": "00393331234567",
                "status": "Accepted",
                "reference": "a1",
                "parts": 1,
                "messageDetails": None,
                "messageErrorCode": 0,
            }
        ],
    }


def test_answers_200_and_201_when_some_are_accepted(stage):
    response = stage.send_cm(batch(msg(), msg(body={"content": ""}, reference="a2")))

    answer = response.get_json()
    assert (response.status_code, answer["errorCode"]) == (200, 201)
    assert answer["details"] == "Created 1 message(s)"
    assert [entry["messageErrorCode"] for entry in answer["messages"]] == [0, 304]
    assert answer["messages"][1]["messageDetails"] == "A body without content was found"


def test_every_recipient_is_a_message_of_its_own(stage):
    to = [{"number": "00393331234567"}, {"number": "00393337654321"}]

    answer = stage.send_cm(batch(msg(to=to))).get_json()

    assert [entry["to"] for entry in answer["messages"]] == ["00393331234567", "00393337654321"]
    assert [each["to"] for each in stage.requests()] == ["+393331234567", "+393337654321"]


def test_a_wrong_token_is_400_and_101(stage):
    response = stage.send_cm(batch(msg()), token="stolen")

    assert response.status_code == 400
    assert response.get_json() == {
        "details": "No account found for the given authentication",
        "errorCode": 101,
        "messages": [],
    }


def test_takes_the_token_from_the_body_in_any_case_of_keys(stage):
    shouted = {"MESSAGES": {"Authentication": {"ProductToken": "cm-token"}, "MSG": [msg()]}}

    assert stage.client.post("/v1.0/message", json=shouted).status_code == 200


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (["x"], 202),
        ({"messages": {}}, 203),
        (batch(), 203),
        (batch("x"), 203),
        (batch(*[msg()] * 1001), 203),
    ],
)
def test_refuses_a_malformed_request_as_a_whole(stage, document, code):
    response = stage.send_cm(document)

    answer = response.get_json()
    assert (response.status_code, answer["errorCode"], answer["messages"]) == (400, code, [])


def test_refuses_what_is_not_json(stage):
    response = stage.client.post("/v1.0/message", data=b"{", headers={"X-CM-PRODUCTTOKEN": "cm-token"})

    assert (response.status_code, response.get_json()["errorCode"]) == (400, 202)


def test_takes_a_thousand_messages(stage):
    stage.control("PUT", "settings", {"statuses": False})

    answer = stage.send_cm(batch(*[msg()] * 1000)).get_json()

    assert answer["details"] == "Created 1000 message(s)"


def reports(stage, count):
    found = [stage.receiver.next_json()["messages"]["msg"] for _ in range(count)]
    return sorted(found, key=lambda report: report["status"]["code"])


LATE = [
    ("window closed", msg(), "62", "24 hours"),
    ("unknown template", template(name="nessuno"), "66", "does not exist"),
    ("unknown language", template(language="en"), "66", "does not exist"),
    ("wrong namespace", template(namespace="other"), "66", "does not exist"),
    ("paused template", template(name="in_pausa", values=["x"]), "66", "PAUSED"),
    ("one value too few", template(values=["Anna"]), "66", "number of localizable_params"),
    ("value with newline", template(values=["Anna", "a\nb"]), "66", "new-line"),
    ("empty value", template(values=["Anna", ""]), "56", "missing text value"),
]


@pytest.mark.parametrize(("message", "code", "words"), [r[1:] for r in LATE], ids=[r[0] for r in LATE])
def test_accepts_first_and_fails_in_a_status_report(stage, message, code, words):
    assert stage.send_cm(batch(message)).status_code == 200

    [report] = reports(stage, 1)
    assert (report["status"]["code"], report["status"]["errorCode"]) == ("3", code)
    assert words in report["status"]["errorDescription"]


def test_reports_accepted_then_delivered(stage):
    stage.send_cm(batch(template()))

    accepted, delivered = reports(stage, 2)
    assert accepted == {
        "received": "2026-09-21T14:13:20",
        "to": "00393331234567",
        "reference": "a1",
        "status": {"code": "0", "errorCode": "", "errorDescription": ""},
        "operator": "",
    }
    assert delivered["status"]["code"] == "2"


def test_a_status_report_is_content_with_any_2xx_and_an_inbound_message_is_not(stage):
    for status in (204, 202, 204):
        stage.receiver.answers.put(status)

    stage.send_cm(batch(template()))
    assert stage.delivery.wait_until_idle(10)
    assert stage.hear(to=CM_NUMBER)["webhook_status"] == 204

    assert stage.delivery.wait_until_idle(10)
    assert stage.receiver.received.qsize() == 4


def test_records_what_the_customer_reads(stage):
    stage.send_cm(batch(template()))

    [recorded] = stage.requests()
    assert recorded["text"] == "Ciao Anna, il tuo ordine A-17 è pronto."
    assert (recorded["kind"], recorded["template"]) == ("template", "ordine_pronto")
    assert (recorded["reference"], recorded["provider_message_id"]) == ("a1", None)


def test_an_inbound_message_has_cms_shape_and_opens_the_window(stage):
    answer = stage.hear(to=CM_NUMBER, name="Anna", id="wamid.IN")
    headers, _ = first = stage.receiver.next()
    stage.send_cm(batch(msg()))

    assert answer == {"id": "wamid.IN", "webhook_status": 200}
    assert "X-Hub-Signature-256" not in headers
    assert [report["status"]["code"] for report in reports(stage, 2)] == ["0", "2"]
    assert_is_cm_inbound(first)


def assert_is_cm_inbound(webhook):
    payload = json.loads(webhook[1])
    assert len(payload.pop("reference")) == 32
    assert payload == {
        "messageContext": "wamid.IN",
        "from": {"number": ANNA, "name": "Anna"},
        "to": {"number": CM_NUMBER},
        "message": {"text": "ciao", "media": {"mediaUri": "", "contentType": "", "title": ""}, "custom": {}},
        "groupings": ["", "", ""],
        "timeUtc": "2026-09-21T14:13:20",
        "channel": "WhatsApp",
    }
