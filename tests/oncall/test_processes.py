"""From the alert to the cause, where a process is gone: with the real ones."""

import shutil
import signal

import pytest
import requests

from cli.supervisor import wait_until
from tests.alerting import read_scrape, say
from tests.e2e.test_flower import rows
from tests.engineer import Engineer

ANNA = "+393331234567"


@pytest.fixture(scope="module")
def live(shared_stage):
    live = shared_stage("receiver", "api", "worker", "flower", "sandbox")
    assert live.writes(ANNA) == 200
    return live


@pytest.fixture
def engineer_of(live, monkeypatch):
    monkeypatch.setenv("FINESTRA_API_URL", live.desk.url)
    monkeypatch.setenv("FINESTRA_API_KEY", live.desk.key)
    return Engineer


def scrape(live):
    headers = {"Authorization": f"Bearer {live.desk.key}"}
    try:
        return read_scrape(requests.get(f"{live.desk.url}/metrics", headers=headers, timeout=5).text)
    except requests.ConnectionError:
        return None


def kill(live, name):
    live.unit.supervisor.kill(name, signal.SIGKILL)
    assert wait_until(lambda: not live.unit.supervisor.is_running(name), timeout_seconds=10)


def test_an_api_that_is_gone(live, tmp_path, engineer_of):
    if shutil.which("curl") is None:
        pytest.skip("curl is not here")
    well = scrape(live)
    kill(live, "api")
    assert wait_until(lambda: scrape(live) is None, timeout_seconds=20)  # its children see it a little later
    gone = [well] * 3 + [scrape(live)] * 3

    assert say(tmp_path, gone, ever=["FinestraDown"], now=["FinestraDown"]) == ""
    shown = engineer_of("FinestraDown").looks()
    assert "Failed to connect" in shown
    assert "one looked just now" in shown, "the workers go on, doctor says"

    live.until(lambda: scrape(live) is not None, "the api")
    assert say(tmp_path, gone + [scrape(live)] * 2, ever=["FinestraDown"]) == ""


def test_a_worker_that_is_gone(live, tmp_path, engineer_of):
    well = scrape(live)
    kill(live, "worker")
    message_id = live.app.call("POST", "/v1/messages", json={"to": ANNA, "sender": "shop", "text": "ciao"})[
        "id"
    ]
    with live.redis() as client:  # instead of waiting
        client.hincrby("business:{default}", "beat_at", -45_000)
    gone = [well] * 3 + [scrape(live)] * 3

    assert say(tmp_path, gone, ever=["FinestraNoWorker"], now=["FinestraNoWorker"]) == ""
    engineer = engineer_of("FinestraNoWorker")
    assert "none since" in engineer.looks()
    assert "reachable" in engineer.shown, "it is neither Redis nor the broker"

    live.until(lambda: live.message(message_id)["state"] == "delivered", "what waited")
    live.until(lambda: "a worker worked" in engineer.does("finestra alive worker"), "a beat")
    assert say(tmp_path, gone + [scrape(live)] * 2, ever=["FinestraNoWorker"]) == ""


def test_a_sender_that_the_provider_stops_is_found_in_flower(live):
    live.sandbox("POST", "faults", number="+15550783881", times=1, kind="error", code=190, status=401)
    message_id = live.app.call("POST", "/v1/messages", json={"to": ANNA, "sender": "shop", "text": "ciao"})[
        "id"
    ]
    live.until(lambda: message_id in rows(live), "a row in Flower")

    assert rows(live)[message_id]["exception"] == "shop → deferred (190)"
    assert "sender_halted" in (live.unit.log_dir / "worker.log").read_text()
    live.desk.call("POST", "/v1/senders/shop/resume")
