"""What on-call sees in Flower: a row for every message, nobody's number, all of it behind a login."""

import requests

from tests.stage import NUMBERS

NUMBER = "+393331234567"
TEXT = "Il tuo ordine segreto"


def rows(live) -> dict[str, dict]:
    assert live.unit.development is not None
    login = ("oncall", live.unit.development.secret("flower_password"))
    answer = requests.get(f"{live.unit.addresses['flower']}/api/tasks?limit=100", auth=login, timeout=5)
    assert answer.ok, answer.text
    return answer.json()


def test_every_message_has_a_row_that_says_how_it_ended(stage):
    live = stage("receiver", "api", "worker", "flower", "sandbox")
    assert live.writes(NUMBER) == 200
    live.sandbox("POST", "faults", number=NUMBERS["shop"], times=1, kind="error", code=131026, status=400)
    failed = live.app.call("POST", "/v1/messages", json={"to": NUMBER, "sender": "shop", "text": TEXT})["id"]
    live.until(lambda: live.message(failed)["state"] == "failed", "the failure")
    sent = live.app.call("POST", "/v1/messages", json={"to": NUMBER, "sender": "shop", "text": TEXT})["id"]
    live.until(lambda: live.message(sent)["state"] == "delivered", "delivery")

    live.until(lambda: {failed, sent} <= set(rows(live)), "rows in Flower", 20)

    seen = rows(live)
    assert (seen[sent]["name"], seen[sent]["state"]) == ("outbound.send[session]", "SUCCESS")
    assert (seen[failed]["state"], seen[failed]["exception"]) == ("FAILURE", "failed 131026")
    drains = [row["result"] for row in seen.values() if row["name"] == "outbound.drain"]
    assert any("shop → submitted 1" in str(result) for result in drains)
    (upkeep,) = [row for row in seen.values() if row["name"] == "maintenance.sync_templates"]
    assert (upkeep["state"], upkeep["result"]) == ("SUCCESS", "'shop → 0 listed, 0 changed, whole'")
    assert NUMBER.removeprefix("+") not in str(seen)
    assert TEXT not in str(seen)


def test_nothing_is_shown_without_a_login_and_nothing_can_be_sent_with_one(stage):
    live = stage("worker", "flower", "sandbox")
    flower = live.unit.addresses["flower"]
    login = ("oncall", live.unit.development.secret("flower_password"))

    pages = {
        path: requests.get(flower + path, timeout=5).status_code
        for path in ("/", "/tasks", "/api/tasks", "/workers")
    }
    pressed = requests.post(
        f"{flower}/api/task/send-task/outbound.drain",
        json={"args": ["default", "shop"]},
        auth=login,
        timeout=5,
    )

    assert set(pages.values()) == {401}
    assert pressed.status_code == 403
