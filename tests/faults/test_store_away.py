"""Redis frozen, and Redis killed: every door answers in its 3 seconds, and all is well when it is back."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

pytestmark = pytest.mark.faults
LONGEST_SECONDS = 3
AT_ONCE = 80


def ask(url: str) -> tuple[int, float]:
    started = time.monotonic()
    answer = requests.get(url, timeout=20)
    return answer.status_code, time.monotonic() - started


def test_a_frozen_redis_is_503_in_time_however_many_ask(stage):
    live = stage("receiver", "api")
    addresses = live.unit.addresses
    urls = [f"{addresses[name]}/readyz" for name in ("receiver", "api")]
    assert {ask(url)[0] for url in urls} == {200}

    live.unit.supervisor.kill("redis", signal.SIGSTOP)
    with ThreadPoolExecutor(AT_ONCE) as askers:
        answers = list(askers.map(ask, urls * (AT_ONCE // 2)))
    live.unit.supervisor.kill("redis", signal.SIGCONT)

    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < LONGEST_SECONDS
    live.until(lambda: {ask(url)[0] for url in urls} == {200}, "both doors ready again", 5)


def test_a_killed_redis_comes_back_with_everything_that_was_accepted(stage):
    live = stage("receiver", "api", "worker", "sandbox")
    assert live.writes("+393331234567") == 200
    asked = {"to": "+393331234567", "sender": "shop", "text": "È pronto."}
    live.desk.call("POST", "/v1/senders/shop/halt", json={"why": "test"})
    message_id = live.app.call("POST", "/v1/messages", json=asked)["id"]

    live.unit.supervisor.kill("redis", signal.SIGKILL)
    ready = f"{live.unit.addresses['api']}/readyz"
    live.until(lambda: ask(ready)[0] == 200, "Redis restarted by the supervisor", 20)

    assert live.message(message_id)["waiting"] == "sender_halted"
    live.desk.call("POST", "/v1/senders/shop/resume")
    live.until(lambda: live.message(message_id)["state"] == "delivered", "delivery", 40)
