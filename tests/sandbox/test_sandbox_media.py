"""Files of customers: the webhooks that name them, the doors where they are had, and the receipts."""

import base64
import hashlib
from urllib.parse import urlsplit

import pytest

META_NUMBER, CM_NUMBER = "+15550783881", "+390212345678"
ANNA = "+393331234567"
EVENT = {
    "channel": "WhatsApp",
    "event": {"type": "MarkAsRead", "custom": {"message_id": "wamid.IN"}},
    "from": {"number": "00390212345678"},
    "to": {"number": "00393331234567"},
}


def sent_file(stage, to=META_NUMBER, text="", **media):
    """What the control door says, and the message in the webhook."""
    answer = stage.hear(to=to, text=text, media={"kind": "image", **media})
    payload = stage.receiver.next_json()
    if to == CM_NUMBER:
        return answer["media"], payload["message"]
    return answer["media"], payload["entry"][0]["changes"][0]["value"]["messages"][0]


def get(stage, url, token="meta-token"):
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return stage.client.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})


def look_up(stage, file, token="meta-token"):
    return get(stage, f"/v24.0/{file['id']}", token)


def send_event(stage, token="cm-token", **changes):
    return stage.client.post("/v1.0/event", json={**EVENT, **changes}, headers={"X-CM-PRODUCTTOKEN": token})


def test_metas_webhook_names_the_file_as_meta_does(stage):
    file, message = sent_file(stage, text="Ecco", kind="document", filename="a.pdf", bytes=100_000)

    digest = base64.b64encode(bytes.fromhex(file["sha256"])).decode()
    url = message["document"].pop("url")
    assert message["type"] == "document"
    assert message["document"] == {
        "id": file["id"],
        "mime_type": "application/pdf",
        "sha256": digest,
        "caption": "Ecco",
        "filename": "a.pdf",
    }
    assert get(stage, url).status_code == 200


def test_a_file_is_looked_up_and_fetched_with_the_token(stage):
    file, _ = sent_file(stage, bytes=150_001)

    found = look_up(stage, file).get_json()
    fetched = get(stage, found["url"])

    assert (found["id"], found["file_size"], found["mime_type"]) == (file["id"], 150_001, "image/jpeg")
    assert hashlib.sha256(fetched.data).hexdigest() == file["sha256"] == found["sha256"]
    assert (fetched.content_type, fetched.content_length) == ("image/jpeg", 150_001)


@pytest.mark.parametrize(("token", "status"), [(None, 403), ("stolen", 401)])
def test_neither_answers_without_the_token(stage, token, status):
    file, message = sent_file(stage)

    assert look_up(stage, file, token).status_code == status
    assert get(stage, message["image"]["url"], token).status_code == status


def test_a_link_ends_and_a_lookup_renews_it(stage):
    file, _ = sent_file(stage)
    link = look_up(stage, file).get_json()["url"]
    stage.now += 299
    assert get(stage, link).status_code == 200

    stage.now += 1

    assert get(stage, link).status_code == 404
    assert get(stage, look_up(stage, file).get_json()["url"]).status_code == 200


def test_a_link_can_be_over_from_the_start(stage):
    file, _ = sent_file(stage)
    stage.control("POST", "faults", {"number": META_NUMBER, "kind": "stale_link"})

    assert get(stage, look_up(stage, file).get_json()["url"]).status_code == 404
    assert get(stage, look_up(stage, file).get_json()["url"]).status_code == 200


def test_a_link_cannot_be_made_up(stage):
    file, message = sent_file(stage)
    other, _ = sent_file(stage)

    forged = message["image"]["url"].replace(file["id"], other["id"])

    assert get(stage, forged).status_code == 404
    assert get(stage, "/whatsapp_business/attachments/").status_code == 404


def test_an_id_is_over_after_seven_days(stage):
    file, _ = sent_file(stage)
    stage.now += 7 * 86400

    error = look_up(stage, file).get_json()["error"]

    assert (error["code"], error["error_subcode"]) == (100, 33)


def test_a_lookup_can_be_told_to_fail(stage):
    file, _ = sent_file(stage)
    stage.control("POST", "faults", {"number": META_NUMBER, "kind": "error", "code": 2})
    stage.control("POST", "faults", {"number": META_NUMBER, "kind": "no_body", "status": 502})

    assert look_up(stage, file).get_json()["error"]["code"] == 2
    assert look_up(stage, file).status_code == 502


def test_links_can_lead_elsewhere_and_sizes_be_kept_secret(stage):
    stage.control("PUT", "settings", {"media_host": "http://127.0.0.1:9", "media_says_size": False})
    file, _ = sent_file(stage)

    found = look_up(stage, file).get_json()

    assert found["url"].startswith("http://127.0.0.1:9/whatsapp_business/attachments/?")
    assert "file_size" not in found
    assert "Content-Length" not in get(stage, found["url"]).headers


def test_cms_webhook_gives_an_address_that_wants_no_token(stage):
    file, message = sent_file(stage, to=CM_NUMBER, text="Ecco", kind="document", filename="a.pdf")

    url = message["media"].pop("mediaUri")
    assert urlsplit(url).path == f"/fileproxy/files/{file['id']}"
    assert message == {
        "text": "Ecco",
        "media": {"contentType": "application/pdf", "title": "a.pdf"},
        "custom": {"message_type": "document"},
    }
    assert hashlib.sha256(get(stage, url, token=None).data).hexdigest() == file["sha256"]


def test_cms_file_can_be_removed_for_good(stage):
    file, _ = sent_file(stage, to=CM_NUMBER)
    path = f"/fileproxy/files/{file['id']}"

    assert stage.client.delete(path).status_code == 204
    assert (stage.client.get(path).status_code, stage.client.delete(path).status_code) == (404, 404)


def test_cms_proxy_can_be_told_to_fail(stage):
    file, _ = sent_file(stage, to=CM_NUMBER)
    stage.control("POST", "faults", {"number": CM_NUMBER, "kind": "no_body", "status": 503})

    assert stage.client.get(f"/fileproxy/files/{file['id']}").status_code == 503


def test_the_files_of_one_provider_are_not_at_the_other(stage):
    at_meta, _ = sent_file(stage)
    at_cm, _ = sent_file(stage, to=CM_NUMBER)

    assert get(stage, f"/fileproxy/files/{at_meta['id']}").status_code == 404
    assert look_up(stage, at_cm).status_code == 404


@pytest.mark.parametrize(
    "media",
    [
        {},
        {"kind": "song"},
        {"kind": "image", "bytes": 0},
        {"kind": "image", "bytes": True},
        {"kind": "image", "size": 3},
        {"kind": "image", "mime_type": ""},
        {"kind": "image", "filename": 7},
        "photo",
    ],
)
def test_a_file_that_makes_no_sense_is_refused(stage, media):
    answer = stage.hear(media=media)

    assert set(answer) == {"error"}


def test_metas_receipts_are_told(stage):
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN"}
    stage.send_meta(receipt)
    stage.send_meta({**receipt, "typing_indicator": {"type": "text"}})

    told = stage.control("GET", "receipts")["receipts"]

    assert [(each["kind"], each["message_id"]) for each in told] == [
        ("read", "wamid.IN"),
        ("read", "wamid.IN"),
        ("typing", "wamid.IN"),
    ]
    assert {each["number"] for each in told} == {META_NUMBER}


def test_cms_events_are_told(stage):
    typing = {"type": "Typing", "custom": {"message_id": "wamid.IN", "typing_indicator": "text"}}

    assert send_event(stage).status_code == 200
    assert send_event(stage, event=typing).status_code == 200

    told = stage.control("GET", "receipts")["receipts"]
    assert [(each["kind"], each["to"], each["number"]) for each in told] == [
        ("read", ANNA, CM_NUMBER),
        ("typing", ANNA, CM_NUMBER),
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"from": {"number": "00390000000"}}, 301),
        ({"from": None}, 301),
        ({"to": {"number": ANNA}}, 303),
        ({"to": [{"number": "00393331234567"}]}, 303),
        ({"channel": "SMS"}, 305),
        ({"event": {"type": "MarkAsRead", "custom": {}}}, 305),
        ({"event": {"type": "Wave", "custom": {"message_id": "x"}}}, 305),
        ({"event": {"type": "Typing", "custom": {"message_id": "x"}}}, 305),
    ],
)
def test_an_event_that_makes_no_sense_is_refused(stage, changes, code):
    answer = send_event(stage, **changes)

    assert (answer.status_code, answer.get_json()["errorCode"]) == (400, code)
    assert stage.control("GET", "receipts")["receipts"] == []


def test_an_event_needs_the_token_and_can_be_told_to_fail(stage):
    assert send_event(stage, token="stolen").get_json()["errorCode"] == 101
    stage.control("POST", "faults", {"number": CM_NUMBER, "kind": "no_body", "status": 503})

    assert send_event(stage).status_code == 503


def test_reset_forgets_files_and_receipts(stage):
    file, _ = sent_file(stage)
    send_event(stage)

    stage.control("POST", "reset")

    assert look_up(stage, file).status_code == 400
    assert stage.control("GET", "receipts") == {"receipts": []}
