"""The whole story with real processes, as a user runs it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import requests

from cli.ports import free_binds

CLI = [sys.executable, "-m", "cli"]


def wait_for_text(path: Path, text: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while text not in path.read_text():
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.05)


def clean_environ(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FINESTRA_")}
    return {**inherited, **settings}


def test_the_demo_ends_well_shows_both_routes_of_both_providers_and_explains_each_message():
    run = subprocess.run(
        [*CLI, "demo"], check=False, env=clean_environ(), capture_output=True, text=True, timeout=110
    )

    assert run.returncode == 0, run.stdout + run.stderr
    for provider in ("Meta", "CM.com"):
        lines = [line for line in run.stdout.splitlines() if line.strip().startswith(provider)]
        assert any("session" in line and "window_open" in line for line in lines)
        assert any("template" in line and "window_closed" in line for line in lines)
        assert any("1 deferred, 2 submitted" in line for line in lines)
    for who in ("Anna", "Bruno", "Carla"):
        for sender in ("shop", "negozio"):
            assert f"  {who} via {sender}: Attempt 1 began" in run.stdout


def test_up_prints_its_addresses_and_leaves_no_orphan_on_sigterm(tmp_path: Path):
    binds = free_binds()
    environ = clean_environ(FINESTRA_DATA_DIR=str(tmp_path), **binds)
    log = tmp_path / "up.log"
    with log.open("w") as output:
        up = subprocess.Popen([*CLI, "up"], env=environ, stdout=output, stderr=output)
    try:
        wait_for_text(log, "flower_password")  # the last line of the greeting
        family = psutil.Process(up.pid).children(recursive=True)
        flower = requests.get(f"http://{binds['FINESTRA_FLOWER_BIND']}/", timeout=5)
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(timeout=60)

    assert up.returncode == 0
    assert f"http://{binds['FINESTRA_RECEIVER_BIND']}" in log.read_text()
    assert flower.status_code == 401
    assert len(family) >= 6
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def test_a_message_tells_why_it_went_the_way_it_went(stage):
    live = stage("receiver", "api", "worker", "sandbox")
    assert live.writes("+393331234567") == 200
    contact = live.app.call("GET", "/v1/contacts/+393331234567?sender=shop")
    assert contact["window"]["open"] is True  # to the very next call

    environ = clean_environ(FINESTRA_API_URL=live.app.url, FINESTRA_API_KEY=live.app.key)
    send = [*CLI, "send", "--sender", "shop", "--to", "+393331234567", "--text", "È pronto."]
    sent = subprocess.run(send, env=environ, capture_output=True, text=True, check=True)
    message_id = sent.stdout.split(":")[0]
    live.until(lambda: live.message(message_id)["state"] == "delivered", "delivery")
    shown = subprocess.run(
        [*CLI, "message", "show", message_id], env=environ, capture_output=True, text=True, check=True
    )

    assert "session (window_open)" in sent.stdout
    assert "delivered" in shown.stdout
    assert "The customer service window was open" in shown.stdout


def test_a_window_refused_late_by_the_provider_ends_with_the_template(stage):
    """The sandbox keeps its own windows: it says no where we still say yes."""
    live = stage("receiver", "api", "worker", "sandbox")
    approve(live)
    consent = {"status": "opted_in", "source": "test"}
    live.app.call("PUT", "/v1/contacts/+393331234567/consent?sender=shop", json=consent)
    assert live.writes("+393331234567") == 200
    live.sandbox("PUT", "settings", window_seconds=1)
    time.sleep(1.1)  # the sandbox's own window, shorter than ours, has to end
    asked = {
        "to": "+393331234567",
        "sender": "shop",
        "text": "È pronto.",
        "template": {"name": "ordine_pronto", "language": "it", "variables": ["Anna", "991"]},
    }
    message_id = live.app.call("POST", "/v1/messages", json=asked)["id"]

    live.until(lambda: live.message(message_id)["state"] == "delivered", "the template")

    attempts = live.message(message_id)["attempts"]
    assert [attempt["route"]["kind"] for attempt in attempts] == ["session", "template"]
    assert attempts[0]["error"]["code"] == "131047"


def approve(live) -> None:
    body = "Ciao {{1}}, il tuo ordine {{2}} è pronto."
    name, path = {"name": "ordine_pronto", "language": "it"}, "/v1/templates/ordine_pronto/it"
    registered = {**name, "body": body, "sender": "shop", "tag": "UTILITY", "samples": ["Anna", "991"]}
    live.app.call("POST", "/v1/templates", json=registered)
    live.app.call("POST", f"{path}/submit?sender=shop")
    live.sandbox("POST", "templates/decide", account="102290129340398", **name, status="APPROVED")
    live.until(lambda: live.app.call("GET", f"{path}?sender=shop")["status"] == "approved", "approval")
