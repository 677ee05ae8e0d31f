"""The control doors: inbound messages, windows, faults, settings, and the webhooks' journey."""

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox import wsgi

ANNA = "+393331234567"
META_NUMBER = "+15550783881"
CM_NUMBER = "+390212345678"
TEXT = {"messaging_product": "whatsapp", "to": ANNA, "type": "text", "text": {"body": "Buongiorno"}}
CM_BATCH = {
    "messages": {
        "msg": [
            {
                "from": "00390212345678",
                "to": [{"number": "00393331234567"}],
                "body": {"content": "Buongiorno"},
                "allowedChannels": ["WhatsApp"],
                "reference": "a1",
            }
        ]
    }
}


def fault(stage, **script):
    return stage.control("POST", "faults", {"number": META_NUMBER, **script})


def test_an_inbound_message_is_posted_in_metas_envelope(stage):
    answer = stage.hear(name="Anna", id="wamid.IN")

    assert answer == {"id": "wamid.IN", "webhook_status": 200}
    payload = stage.receiver.next_json()
    assert payload["object"] == "whatsapp_business_account"
    [entry] = payload["entry"]
    assert (entry["id"], entry["changes"][0]["field"]) == ("102290129340398", "messages")
    value = entry["changes"][0]["value"]
    user_id = value["contacts"][0]["user_id"]
    assert user_id.startswith("IT.")
    assert value == {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Anna"}, "wa_id": "393331234567", "user_id": user_id}],
        "messages": [
            {
                "from": "393331234567",
                "from_user_id": user_id,
                "id": "wamid.IN",
                "timestamp": "1790000000",
                "type": "text",
                "text": {"body": "ciao"},
            }
        ],
    }


def test_the_signature_covers_the_exact_bytes_with_metas_escapes(stage):
    stage.hear(text="café \U0001f600 a/b")

    headers, body = stage.receiver.next()
    expected = hmac.new(b"app-secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert rb'"body":"caf\u00e9 \ud83d\ude00 a\/b"' in body


def test_a_user_id_writes_without_any_phone_number(stage):
    stage.hear(**{"from": "IT.90011223344"})

    value = stage.receiver.next_json()["entry"][0]["changes"][0]["value"]
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == "IT.90011223344"
    assert "wa_id" not in value["contacts"][0]


def test_a_user_id_that_is_named_alone_writes_without_any_phone_number(stage):
    stage.control("POST", "inbound", {"user_id": "IT.90011223344", "to": META_NUMBER, "text": "ciao"})

    value = stage.receiver.next_json()["entry"][0]["changes"][0]["value"]
    assert value["contacts"] == [{"profile": {"name": "Customer"}, "user_id": "IT.90011223344"}]
    assert value["messages"][0]["from_user_id"] == "IT.90011223344"
    assert "from" not in value["messages"][0]


def test_a_phone_number_is_shown_with_the_user_id_that_a_script_names(stage):
    stage.hear(user_id="NL.90011223344")

    value = stage.receiver.next_json()["entry"][0]["changes"][0]["value"]
    shown = value["contacts"][0]
    assert (shown["wa_id"], shown["user_id"]) == ("393331234567", "NL.90011223344")
    assert value["messages"][0]["from_user_id"] == "NL.90011223344"
    stage.send_meta(TEXT)
    status = stage.receiver.next_json()["entry"][0]["changes"][0]["value"]["statuses"][0]
    assert status["recipient_user_id"] == "NL.90011223344"


@pytest.mark.parametrize(
    "script", [{"user_id": "90011223344"}, {"user_id": ["NL.1"]}, {"user_id": "NL.1", "to": CM_NUMBER}]
)
def test_a_user_id_that_cannot_be_is_refused(stage, script):
    assert "user_id" in stage.hear(**script)["error"]


def test_a_user_id_and_its_phone_number_share_one_window(stage):
    stage.hear()
    user_id = stage.receiver.next_json()["entry"][0]["changes"][0]["value"]["contacts"][0]["user_id"]

    payload = {"messaging_product": "whatsapp", "recipient": user_id, "type": "text", "text": {"body": "x"}}
    stage.send_meta(payload)

    assert [each["code"] for each in stage.requests()] == [None]


@pytest.mark.parametrize(("age_seconds", "is_open"), [(0, True), (86399, True), (86400, False)])
def test_a_window_is_open_for_exactly_24_hours(stage, age_seconds, is_open):
    stage.hear(at=stage.now - age_seconds)

    [window] = stage.control("GET", "windows")
    assert window == {
        "number": META_NUMBER,
        "contact": ANNA,
        "last_inbound_at": stage.now - age_seconds,
        "open": is_open,
    }
    stage.send_meta(TEXT)
    assert [each["code"] for each in stage.requests()] == [None if is_open else 131047]


def test_an_older_message_does_not_shorten_a_window(stage):
    stage.hear(at=stage.now)
    stage.hear(at=stage.now - 90000)

    assert [window["open"] for window in stage.control("GET", "windows")] == [True]


def test_a_window_belongs_to_one_number_only(stage):
    stage.hear(to=CM_NUMBER)

    stage.send_meta(TEXT)

    assert [each["code"] for each in stage.requests()] == [131047]


def test_the_length_of_windows_can_be_set(stage):
    stage.control("PUT", "settings", {"window_seconds": 10})
    stage.hear()

    stage.now += 10

    assert [window["open"] for window in stage.control("GET", "windows")] == [False]


def test_a_failed_inbound_webhook_is_told_and_retried(stage):
    stage.receiver.answers.put(503)

    answer = stage.hear()

    assert answer["webhook_status"] == 503
    assert stage.receiver.next() is not None
    assert stage.receiver.next() is not None
    assert stage.delivery.wait_until_idle(10)
    assert stage.control("GET", "webhooks") == {"delivered": 1, "failed": 0, "pending": 0}


def test_a_webhook_is_given_up_after_the_last_gap(stage):
    for _ in range(3):
        stage.receiver.answers.put(500)

    stage.hear()

    assert stage.delivery.wait_until_idle(10)
    assert stage.control("GET", "webhooks") == {"delivered": 0, "failed": 1, "pending": 0}


def test_meta_insists_on_200(stage):
    stage.receiver.answers.put(204)

    assert stage.hear()["webhook_status"] == 204
    stage.receiver.next()
    stage.receiver.next()


def test_a_receiver_that_is_not_there_has_no_status(stage):
    moved = {
        "provider": "meta",
        "number": "+15550783882",
        "phone_number_id": "1",
        "business_account_id": "2",
        "access_token": "t",
        "app_secret": "s",
        "verify_token": "v",
        "webhook_url": "http://127.0.0.1:1/",
    }
    stage.control("PUT", "accounts", {"accounts": [moved]})

    assert stage.hear(to="+15550783882")["webhook_status"] is None


@pytest.mark.parametrize(("token", "ok"), [("verify-me", True), ("other", False)])
def test_shakes_hands_as_meta_does(stage, token, ok):
    account = {
        "provider": "meta",
        "number": META_NUMBER,
        "phone_number_id": "106540352242922",
        "business_account_id": "102290129340398",
        "access_token": "meta-token",
        "app_secret": "app-secret",
        "verify_token": token,
        "webhook_url": stage.receiver.url,
    }
    stage.control("PUT", "accounts", {"accounts": [account]})

    assert stage.control("POST", "handshake", {"number": META_NUMBER}) == {"ok": ok}


def test_an_error_fault_is_used_up_by_as_many_requests_as_told(stage):
    fault(stage, kind="error", code=131000, status=500, times=2)

    answers = [stage.send_meta(TEXT) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [500, 500, 200]
    assert answers[0].get_json()["error"]["code"] == 131000
    assert [each["outcome"] for each in stage.requests()] == ["refused", "refused", "accepted"]


def test_an_error_fault_takes_its_status_from_the_code(stage):
    fault(stage, kind="error", code=190)

    assert stage.send_meta(TEXT).status_code == 401


def test_faults_come_in_the_order_they_were_given(stage):
    fault(stage, kind="error", code=131056)
    fault(stage, kind="no_body", status=502)

    first, second = stage.send_meta(TEXT), stage.send_meta(TEXT)

    assert first.get_json()["error"]["code"] == 131056
    assert (second.status_code, second.mimetype) == (502, "text/html")


def test_a_fault_of_one_number_leaves_the_other_alone(stage):
    fault(stage, kind="no_body")

    assert stage.send_cm(CM_BATCH).status_code == 200


def test_cleared_faults_do_not_happen(stage):
    fault(stage, kind="no_body")

    stage.control("DELETE", "faults")

    assert stage.send_meta(TEXT).status_code == 200


def test_a_late_error_is_accepted_and_fails_by_status(stage):
    fault(stage, kind="late_error", code=131026)

    assert stage.send_meta(TEXT).status_code == 200
    [status] = stage.receiver.next_json()["entry"][0]["changes"][0]["value"]["statuses"]
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)


def test_an_error_fault_of_cm_refuses_the_whole_request(stage):
    fault(stage, number=CM_NUMBER, kind="error", code=500, status=503)

    response = stage.send_cm(CM_BATCH)

    assert (response.status_code, response.get_json()["errorCode"]) == (503, 500)
    assert response.get_json()["messages"] == []


def test_a_late_error_of_cm_carries_its_own_number(stage):
    fault(stage, number=CM_NUMBER, kind="late_error", code=59)

    stage.send_cm(CM_BATCH)

    status = stage.receiver.next_json()["messages"]["msg"]["status"]
    assert (status["code"], status["errorCode"]) == ("3", "59")


def test_a_dropped_request_is_recorded_but_never_answered(stage, live_url):
    stage.hear()
    stage.receiver.next()
    fault(stage, kind="drop")

    with pytest.raises(requests.ConnectionError):
        requests.post(
            f"{live_url}/v26.0/106540352242922/messages",
            json=TEXT,
            headers={"Authorization": "Bearer meta-token"},
            timeout=10,
        )

    assert [each["outcome"] for each in stage.requests()] == ["dropped"]
    names = {
        stage.receiver.next_json()["entry"][0]["changes"][0]["value"]["statuses"][0]["status"]
        for _ in range(2)
    }
    assert names == {"sent", "delivered"}


def test_a_hanging_request_is_accepted_before_it_is_answered(stage, live_url):
    fault(stage, kind="hang", seconds=30)

    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{live_url}/v26.0/106540352242922/messages",
            json=TEXT,
            headers={"Authorization": "Bearer meta-token"},
            timeout=0.3,
        )

    assert [each["outcome"] for each in stage.requests()] == ["accepted"]
    stage.world.close()


def test_requests_are_listed_per_number_with_or_without_an_escaped_plus(stage):
    stage.send_meta(TEXT)
    stage.send_cm(CM_BATCH)

    for query in ("+15550783881", "%2B15550783881"):
        found = stage.control("GET", f"requests?number={query}")["requests"]
        assert [each["provider"] for each in found] == ["meta"]


def test_settings_are_merged_and_told(stage):
    stage.control("PUT", "settings", {"read_after_ms": 5})

    assert stage.control("GET", "settings") == {
        "latency_ms": 0,
        "window_seconds": 86400,
        "window_refusal": "late",
        "sent_after_ms": 0,
        "delivered_after_ms": 0,
        "read_after_ms": 5,
        "wa_ids": {},
        "statuses": True,
        "media_link_seconds": 300,
        "media_kept_seconds": 604800,
        "media_host": None,
        "media_says_size": True,
        "throughput_per_second": None,
        "pair_interval_seconds": None,
        "pair_burst": 45,
    }


def test_reset_forgets_all_but_the_accounts(stage):
    stage.hear()
    stage.send_meta(TEXT)
    fault(stage, kind="no_body")

    stage.control("POST", "reset")

    assert stage.requests() == []
    assert stage.control("GET", "windows") == []
    assert stage.control("GET", "settings")["delivered_after_ms"] == 60
    assert stage.control("GET", "webhooks") == {"delivered": 0, "failed": 0, "pending": 0}
    assert stage.send_meta(TEXT).status_code == 200


BAD_SCRIPTS = [
    ("PUT", "accounts", {"accounts": "x"}, 400),
    ("PUT", "accounts", {"accounts": [{"provider": "fax"}]}, 400),
    ("PUT", "accounts", {"accounts": [{"provider": "cm", "number": CM_NUMBER}]}, 400),
    ("PUT", "templates", {"templates": [{"name": "x"}]}, 400),
    ("PUT", "settings", {"window_refusal": ["late"]}, 400),
    ("PUT", "settings", {"latency": 1}, 400),
    ("POST", "inbound", {"from": ANNA, "to": "+1000000000", "text": "x"}, 404),
    ("POST", "inbound", {"from": "anna", "to": META_NUMBER, "text": "x"}, 400),
    ("POST", "inbound", {"from": ANNA, "to": META_NUMBER}, 400),
    ("POST", "inbound", {"from": "IT.1", "to": CM_NUMBER, "text": "x"}, 400),
    ("POST", "faults", {"number": META_NUMBER, "kind": "explode"}, 400),
    ("POST", "faults", {"number": META_NUMBER, "kind": "error"}, 400),
    ("POST", "faults", {"number": META_NUMBER, "kind": "drop", "times": 0}, 400),
    ("POST", "handshake", {"number": CM_NUMBER}, 400),
]


@pytest.mark.parametrize(("method", "path", "document", "status"), BAD_SCRIPTS)
def test_a_script_that_makes_no_sense_changes_nothing_and_is_told_why(stage, method, path, document, status):
    response = stage.client.open(f"/control/{path}", method=method, json=document)

    assert response.status_code == status
    assert response.get_json()["error"]
    assert stage.control("GET", "windows") == []


def test_the_process_tells_that_it_lives(stage):
    assert stage.client.get("/livez").status_code == 200


def test_accounts_can_be_loaded_from_a_file(tmp_path, monkeypatch):
    account = {
        "provider": "cm",
        "number": CM_NUMBER,
        "product_token": "cm-token",
        "template_namespace": "ns",
        "webhook_url": "http://127.0.0.1:1/",
    }
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps({"accounts": [account]}))
    monkeypatch.setenv("FINESTRA_SANDBOX_ACCOUNTS", str(path))

    client = wsgi.app().test_client()

    assert client.get("/control/requests").status_code == 200
    answer = client.post("/v1.0/message", json=CM_BATCH, headers={"X-CM-PRODUCTTOKEN": "cm-token"})
    assert answer.status_code == 200


def test_each_fault_hits_one_request_even_when_many_come_at_once(stage):
    fault(stage, kind="error", code=131000, times=20)

    with ThreadPoolExecutor(16) as pool:
        codes = list(
            pool.map(
                lambda _: (
                    stage.flask.test_client()
                    .post(
                        "/v26.0/106540352242922/messages",
                        json=TEXT,
                        headers={"Authorization": "Bearer meta-token"},
                    )
                    .status_code
                ),
                range(60),
            )
        )

    assert (codes.count(500), codes.count(200)) == (20, 40)
    assert len(stage.requests()) == 60


def test_meta_tells_the_webhook_what_became_of_a_template(stage):
    template = {
        "account": "102290129340398",
        "name": "nuovo",
        "language": "it",
        "category": "UTILITY",
        "body": "Ciao {{1}}, eccolo.",
        "status": "REJECTED",
    }

    stage.control("PUT", "templates", {"templates": [template], "announce": True})

    [change] = stage.receiver.next_json()["entry"][0]["changes"]
    assert change["field"] == "message_template_status_update"
    assert (change["value"]["event"], change["value"]["message_template_name"]) == ("REJECTED", "nuovo")
