"""Meta's template API as the sandbox plays it: what it takes, lists, edits and decides."""

import pytest

from tests.sandbox.conftest import META_TOKEN

ACCOUNT = "102290129340398"
EDGE = f"/v26.0/{ACCOUNT}/message_templates"
BODY = {"type": "BODY", "text": "Ciao {{1}}, a presto.", "example": {"body_text": [["Anna"]]}}
NEW = {"name": "saluto", "language": "it", "category": "UTILITY", "components": [BODY]}


def ask(stage, method, path, body=None, token=META_TOKEN):
    headers = {"Authorization": f"Bearer {token}"}
    return stage.client.open(path, method=method, json=body, headers=headers)


def create(stage, **changes):
    return ask(stage, "POST", EDGE, {**NEW, **changes})


def decide(stage, status, **more):
    script = {"account": ACCOUNT, "name": "saluto", "language": "it", "status": status, **more}
    return stage.control("POST", "templates/decide", script)


def test_a_creation_is_pending_and_listed(stage):
    created = create(stage)
    (listed,) = ask(stage, "GET", f"{EDGE}?name=saluto").json["data"]

    assert (created.json["status"], created.json["category"]) == ("PENDING", "UTILITY")
    assert (listed["id"], listed["components"]) == (created.json["id"], [BODY])


@pytest.mark.parametrize(
    ("changes", "subcode"),
    [
        ({"name": "Saluto"}, 2388040),
        ({"category": "TRANSACTIONAL"}, 2388040),
        ({"components": []}, 2388072),
        ({"components": [{**BODY, "text": "{{1}}, ciao."}]}, 2388299),
        ({"components": [{**BODY, "example": {}}]}, 2388072),
        ({"components": [{"type": "HEADER", "format": "IMAGE"}, BODY]}, 2388047),
        ({"name": "in_attesa"}, 2388024),
    ],
)
def test_what_meta_would_not_take_is_refused_with_its_subcode(stage, changes, subcode):
    refused = create(stage, **changes)

    assert (refused.status_code, refused.json["error"]["error_subcode"]) == (400, subcode)


def test_a_decision_is_told_to_the_webhook(stage):
    number = create(stage).json["id"]

    decide(stage, "paused", title="FIRST_PAUSE")

    value = stage.receiver.next_json()["entry"][0]["changes"][0]["value"]
    assert (value["event"], value["message_template_id"]) == ("PAUSED", int(number))
    assert value["other_info"]["title"] == "FIRST_PAUSE"


def test_what_is_in_review_cannot_be_edited_and_what_is_approved_once_a_day(stage):
    number = create(stage).json["id"]
    pending = ask(stage, "POST", f"/v26.0/{number}", NEW)
    decide(stage, "APPROVED")
    first = ask(stage, "POST", f"/v26.0/{number}", NEW)
    decide(stage, "APPROVED")
    second = ask(stage, "POST", f"/v26.0/{number}", NEW)

    assert [one.status_code for one in (pending, first, second)] == [400, 200, 400]


def test_an_unpause_is_for_what_is_paused(stage):
    number = create(stage).json["id"]
    early = ask(stage, "POST", f"/v26.0/{number}/unpause").json
    decide(stage, "PAUSED")

    assert early["success"] is False
    assert ask(stage, "POST", f"/v26.0/{number}/unpause").json == {"success": True}


def test_one_language_is_deleted_by_its_id(stage):
    number = create(stage).json["id"]
    create(stage, language="en")

    deleted = ask(stage, "DELETE", f"{EDGE}?hsm_id={number}&name=saluto")

    assert deleted.json == {"success": True}
    assert [one["language"] for one in ask(stage, "GET", f"{EDGE}?name=saluto").json["data"]] == ["en"]


def test_a_created_template_can_be_sent_once_it_is_approved(stage):
    create(stage)
    message = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+393331234567",
        "type": "template",
        "template": {
            "name": "saluto",
            "language": {"code": "it"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Anna"}]}],
        },
    }
    early = stage.send_meta(message)
    decide(stage, "APPROVED")

    assert early.json["error"]["code"] == 132001
    assert stage.send_meta(message).status_code == 200


def test_the_list_has_pages_and_a_strange_token_sees_none(stage):
    first = ask(stage, "GET", f"{EDGE}?limit=2").json
    rest = ask(stage, "GET", f"{EDGE}?limit=9&after={first['paging']['cursors']['after']}").json

    assert (len(first["data"]), len(rest["data"]), "next" in rest["paging"]) == (2, 3, False)
    assert ask(stage, "GET", EDGE, token="nobody's").status_code == 401
