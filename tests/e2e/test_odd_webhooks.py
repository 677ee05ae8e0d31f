"""Webhooks that come many at once, before their time, or about nothing of ours, to the real processes."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
import requests

from shared.store.keys import Keys
from tests.e2e.test_story import CLI, clean_environ
from tests.public_door import meta_body, sign, text
from tests.stage import NUMBERS

ANNA, BRUNO = "+393331234567", "+393337654321"
COPIES = 50


@pytest.fixture(scope="module")
def live(shared_stage):
    return shared_stage("receiver", "api", "worker", "sandbox")


def post(live, body):
    """A POST of Meta's; the HTTP status of the answer."""
    headers = sign(body, live.unit.development.secret("shop_app_secret"))
    return requests.post(
        f"{live.unit.addresses['receiver']}/webhooks/shop", data=body, headers=headers, timeout=20
    ).status_code


def counted(live, name):
    return int(live.redis().hget(Keys("default").counters(), name) or 0)


def now_text():
    return str(int(time.time()))


def test_fifty_copies_at_once_of_one_post_have_one_effect(live):
    body = meta_body(text(ANNA.removeprefix("+"), id="wamid.COPY", timestamp=now_text()))
    at_once = Barrier(COPIES)

    def post_with_the_others(_):
        at_once.wait()
        return post(live, body)

    with ThreadPoolExecutor(COPIES) as posters:
        answers = list(posters.map(post_with_the_others, range(COPIES)))
    after_all = counted(live, "inbound_duplicates_total:shop")
    later = post(live, body)

    assert answers == [200] * COPIES
    assert (after_all, later) == (COPIES - 1, 200)
    assert counted(live, "inbound_duplicates_total:shop") == COPIES
    assert counted(live, "inbound_messages_total:shop:text") == 1
    contact = live.app.call("GET", f"/v1/contacts/{ANNA}?sender=shop")
    assert [line["id"] for line in contact["latest"]] == ["wamid.COPY"]
    told = live.app.call("GET", "/v1/events?types=inbound.received,window.opened")["items"]
    assert [event["type"] for event in told if event["data"]["contact"] == ANNA] == [
        "inbound.received",
        "window.opened",
    ]


@pytest.mark.parametrize("sender", ["shop", "negozio"])
def test_a_status_that_comes_before_the_answer_to_our_send_is_kept(live, sender):
    assert live.writes(BRUNO, sender) == 200
    live.sandbox("PUT", "settings", sent_after_ms=100, delivered_after_ms=300)
    live.sandbox("POST", "faults", number=NUMBERS[sender], kind="hang", seconds=0.5)
    asked = {"to": BRUNO, "sender": sender, "text": "È pronto."}
    message_id = live.app.call("POST", "/v1/messages", json=asked)["id"]

    live.until(lambda: has_ended(live.message(message_id)), "the answer")

    message = live.message(message_id)
    (attempt,) = message["attempts"]
    (delivered_at,) = [line["at"] for line in message["timeline"] if line["event"] == "delivered"]
    assert datetime.fromisoformat(delivered_at) < datetime.fromisoformat(attempt["ended_at"])
    assert (message["state"], attempt["outcome"]) == ("delivered", "submitted")
    assert [line["event"] for line in message["timeline"]][-3:] == ["sending", "sent", "delivered"]
    assert len(live.requests(sender)) == 1


def has_ended(message):
    return any(attempt["ended_at"] for attempt in message["attempts"])


@pytest.mark.parametrize("reference", [None, "01KAAAAAAAAAAAAAAAAAAAAAAA1", "of another system"])
def test_a_status_of_a_message_that_is_not_ours_is_taken_and_counted(live, reference):
    before = counted(live, "statuses_unmatched_total:shop")
    status = {
        "id": "wamid.NOBODYS",
        "status": "delivered",
        "timestamp": now_text(),
        "recipient_id": ANNA.removeprefix("+"),
        **({"biz_opaque_callback_data": reference} if reference else {}),
    }

    assert post(live, meta_body(statuses=[status])) == 200
    assert counted(live, "statuses_unmatched_total:shop") == before + 1


def test_the_doctor_finds_the_real_processes_well_and_says_so_without_a_secret(live):
    environ = clean_environ(FINESTRA_DATA_DIR=str(live.unit.settings.data_dir))
    command = [*CLI, "doctor", "--json"]
    done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=60)

    findings = json.loads(done.stdout)["findings"]
    assert done.returncode == 0, done.stdout
    assert {one["check"] for one in findings} >= {
        "settings",
        "redis",
        "broker",
        "clock",
        "credentials",
        "worker",
    }
    assert live.unit.development.secret("shop_token") not in done.stdout + done.stderr
    assert ANNA.removeprefix("+") not in done.stdout + done.stderr
