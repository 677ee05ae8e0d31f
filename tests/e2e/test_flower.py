"""What on-call sees in Flower: a row for every message, nobody's number, all of it behind a login."""

import re
from urllib.parse import urlencode

import requests

from tests.stage import NUMBERS

NUMBER = "+393331234567"
STRANGER = "+393337654321"
TEXT = "Il tuo ordine segreto"


def opened(live, path: str) -> requests.Response:
    assert live.unit.development is not None
    login = ("oncall", live.unit.development.secret("flower_password"))
    answer = requests.get(live.unit.addresses["flower"] + path, auth=login, timeout=5)
    assert answer.ok, answer.text
    return answer


def rows(live) -> dict[str, dict]:
    return opened(live, "/api/tasks?limit=100").json()


def listed(live, words: str) -> set[tuple[str, str]]:
    """State and result, as the page of tasks lists what is found by these words."""
    assert re.findall(r'data-column="(\w+)"', opened(live, "/tasks").text)[:3] == ["name", "result", "state"]
    query = {"draw": 1, "start": 0, "length": 100, "search[value]": words}
    order = {"order[0][column]": 0, "order[0][dir]": "asc", "columns[0][data]": "name"}
    found = opened(live, f"/tasks/datatable?{urlencode({**query, **order})}").json()["data"]
    return {(row["state"], row["result"]) for row in found}


def test_every_message_has_a_row_that_says_how_it_ended(stage):
    live = stage("receiver", "api", "worker", "flower", "sandbox")
    assert live.writes(NUMBER) == 200
    waits = {"to": STRANGER, "sender": "shop", "text": TEXT, "when_closed": "wait", "expires_in": 1}
    expired = live.app.call("POST", "/v1/messages", json=waits)["id"]
    live.sandbox("POST", "faults", number=NUMBERS["shop"], times=1, kind="error", code=131026, status=400)
    failed = live.app.call("POST", "/v1/messages", json={"to": NUMBER, "sender": "shop", "text": TEXT})["id"]
    live.until(lambda: live.message(failed)["state"] == "failed", "the failure")
    live.sandbox("POST", "faults", number=NUMBERS["shop"], times=1, kind="late_error", code=131026)
    late = live.app.call("POST", "/v1/messages", json={"to": NUMBER, "sender": "shop", "text": TEXT})["id"]
    live.until(lambda: live.message(late)["state"] == "failed", "the late failure")
    sent = live.app.call("POST", "/v1/messages", json={"to": NUMBER, "sender": "shop", "text": TEXT})["id"]
    live.until(lambda: live.message(sent)["state"] == "delivered", "delivery")

    live.until(lambda: {failed, f"{late}-1", sent} <= set(rows(live)), "rows in Flower", 20)
    live.until(lambda: rows(live).get(expired, {}).get("state") == "FAILURE", "the row of what has expired")

    seen = rows(live)
    assert (seen[sent]["name"], seen[sent]["state"]) == ("outbound.send[session]", "SUCCESS")
    assert (seen[failed]["state"], seen[failed]["exception"]) == ("FAILURE", "shop → failed (131026)")
    reported = seen[f"{late}-1"]
    assert (reported["name"], reported["state"]) == ("outbound.reported", "FAILURE")
    assert (reported["exception"], reported["args"]) == ("shop → failed (131026)", f"('shop', '{late}')")
    assert seen[expired]["exception"] == "shop → expired"
    drains = [row["result"] for row in seen.values() if row["name"] == "outbound.drain"]
    assert any("shop → submitted 1" in str(result) for result in drains)
    assert listed(live, "state:FAILURE") == {
        ("FAILURE", "shop → failed (131026)"),
        ("FAILURE", "shop → expired"),
    }
    (upkeep,) = [row for row in seen.values() if row["name"] == "maintenance.sync_templates"]
    assert (upkeep["state"], upkeep["result"]) == ("SUCCESS", "'shop → 0 listed, 0 changed, whole'")
    assert all(number.removeprefix("+") not in str(seen) for number in (NUMBER, STRANGER))
    assert TEXT not in str(seen)


def test_nothing_is_shown_without_a_login_and_nothing_can_be_sent_with_one(stage):
    live = stage("worker", "flower", "sandbox")
    flower = live.unit.addresses["flower"]
    login = ("oncall", live.unit.development.secret("flower_password"))

    pages = {
        path: requests.get(flower + path, timeout=5).status_code
        for path in ("/", "/tasks", "/api/tasks", "/workers")
    }
    pressed = {
        path: requests.post(f"{flower}/api/{path}", json={"args": []}, auth=login, timeout=5).status_code
        for path in ("task/send-task/outbound.drain", "task/revoke/any", "worker/shutdown/any")
    }
    open_to_all = {
        path: requests.get(flower + path, timeout=5).status_code for path in ("/metrics", "/healthcheck")
    }

    assert set(pages.values()) == {401}
    assert set(pressed.values()) == {403}
    assert set(open_to_all.values()) == {200}, "documented so in README.md and SECURITY.md"
