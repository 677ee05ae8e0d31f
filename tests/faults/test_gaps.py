"""`kill -9` in each gap of a message's way, of the worker, of Redis and of both, by real processes.

The provider's own record shows at most one request an attempt, and what the message says of itself is true.
"""

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest
import requests

from cli.ports import free_ports
from cli.redis_server import EmbeddedRedis
from cli.supervisor import wait_until
from shared.store.keys import Keys
from tests.proxy import FaultProxy, Strike
from tests.public_door import meta_body, sign
from tests.stage import NUMBERS, Stage

#: The fixture takes the time of all of them together.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
GRACE_SECONDS = 1
#: Where it strikes: a script, and whether it has run.
GAPS = {
    "before the claim": ("claim", False),
    "after the claim": ("claim", True),
    "before the begin": ("begin", False),
    "after the begin": ("begin", True),
    "before the settle": ("settle", False),
    "after the settle": ("settle", True),
}
AT_THE_PROVIDER = "at the provider"
#: Gap, who is killed, how the message ends, requests that the provider saw. Who is sent only when a lease has
#: ended comes last: what is killed later must not meet it on its way.
ENDS = [
    ("before the claim", "worker", "submitted", 1),
    ("before the claim", "redis", "submitted", 1),
    ("after the begin", "worker", "unknown", 0),
    # The worker that asked is alive, and asks again with the same nonce.
    ("after the begin", "redis", "submitted", 1),
    ("after the begin", "both", "unknown", 0),
    # The provider has taken it and says so later: nobody but a worker that lives can hear it.
    (AT_THE_PROVIDER, "worker", "unknown", 1),
    (AT_THE_PROVIDER, "redis", "submitted", 1),
    (AT_THE_PROVIDER, "both", "unknown", 1),
    ("before the settle", "worker", "unknown", 1),
    ("before the settle", "redis", "submitted", 1),
    ("before the settle", "both", "unknown", 1),
    ("after the settle", "worker", "submitted", 1),
    ("after the settle", "redis", "submitted", 1),
    ("after the claim", "redis", "submitted", 1),
    ("before the begin", "redis", "submitted", 1),
    ("after the claim", "worker", "submitted", 1),
    ("before the begin", "worker", "submitted", 1),
]
WAIT_FOR_A_LEASE = {"after the claim", "before the begin"}
CASES = {case[:2]: f"+39333{number:07}" for number, case in enumerate(ENDS)}
UNREADABLE = "+393339999999"


class Worker:
    """A worker of the stage that speaks to Redis through a proxy; doorbells go their own way."""

    def __init__(self, live: Stage, server: EmbeddedRedis, proxy: FaultProxy) -> None:
        process = live.unit.process("worker")
        self._argv = process.argv
        self._environ = {
            **os.environ,
            **process.env,
            "FINESTRA_REDIS_URL": server.url.replace(f":{server.port}/", f":{proxy.port}/"),
            "FINESTRA_BROKER_URL": server.url.removesuffix("/0") + "/1",
        }
        self._log = live.unit.log_dir / "worker.log"
        self._child: subprocess.Popen | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(self._argv, env=self._environ, stdout=log, stderr=log)

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()


class Scene:
    def __init__(self, live: Stage, server: EmbeddedRedis, proxy: FaultProxy, worker: Worker) -> None:
        self.live = live
        self.server = server
        self.proxy = proxy
        self.worker = worker
        self.ids: dict[tuple[str, str], str] = {}

    def accept(self, contact: str) -> str:
        asked = {"to": contact, "sender": "shop", "text": "Il tuo ordine è pronto."}
        return self.live.app.call("POST", "/v1/messages", json=asked)["id"]

    def strike(self, gap: str, victim: str) -> None:
        """Accept a message, wait until it is in the gap, kill, and have all running again."""
        contact = CASES[gap, victim]
        has_struck = threading.Event()
        if gap == AT_THE_PROVIDER:
            self.live.sandbox("POST", "faults", number=NUMBERS["shop"], kind="hang", seconds=2)
        else:
            self._arm(gap, victim, contact, has_struck)
        message_id = self.ids[gap, victim] = self.accept(contact)
        if gap == AT_THE_PROVIDER:
            self.live.until(lambda: self.requests()[message_id], "the request at the provider", 30)
            self._kill(victim)
        else:
            self.live.until(has_struck.is_set, f"the gap {gap}, {victim}", 40)
        self._restart(victim)

    def _arm(self, gap: str, victim: str, contact: str, has_struck: threading.Event) -> None:
        script, has_run = GAPS[gap]

        def happening() -> None:
            self._kill(victim)
            has_struck.set()

        mark = b"" if gap == "before the claim" else contact.encode()
        self.proxy.arm(Strike(script, mark, has_run, happening))

    def _kill(self, victim: str) -> None:
        if victim in {"worker", "both"}:
            self.worker.kill()
        if victim in {"redis", "both"}:
            os.kill(self.server.pid, signal.SIGKILL)

    def _restart(self, victim: str) -> None:
        """Redis on the same data."""
        if victim in {"redis", "both"}:
            wait_until(lambda: self.server.pid is None, timeout_seconds=5)
            self.server.start()
            doors = [f"{self.live.unit.addresses[name]}/readyz" for name in ("receiver", "api")]
            self.live.until(lambda: all(requests.get(door, timeout=9).ok for door in doors), "Redis", 20)
        if victim in {"worker", "both"}:
            self.worker.start()

    def requests(self) -> Counter:
        """By message, what the provider saw of it."""
        return Counter(f"msg_{item['reference'][:26]}" for item in self.live.requests())

    def stored(self, message_id: str, field: str) -> str | None:
        client = self.live.redis()
        try:
            return client.hget(Keys("default").message(message_id), field)
        finally:
            client.close()

    def states(self) -> dict[tuple[str, str], str]:
        return {case: self.stored(message_id, "state") for case, message_id in self.ids.items()}


@contextmanager
def scene(live: Stage, server: EmbeddedRedis):
    proxy = FaultProxy(server.port)
    worker = Worker(live, server, proxy)
    try:
        yield Scene(live, server, proxy, worker)
    finally:
        worker.kill()
        proxy.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with EmbeddedRedis(data_dir=tmp_path_factory.mktemp("redis"), port=free_ports(1)[0]) as started:
        yield started


@pytest.fixture(scope="module")
def ended(server, shared_stage):
    """All gaps, one after the other, and then the time that leases and graces need, once for all."""
    settings = {"FINESTRA_REDIS_URL": server.url, "FINESTRA_DOUBT_GRACE_SECONDS": str(GRACE_SECONDS)}
    live = shared_stage("receiver", "api", "sandbox", **settings)
    live.sandbox("PUT", "settings", statuses=False)
    for contact in (*CASES.values(), UNREADABLE):
        assert live.writes(contact) == 200
    expected = {(gap, victim): state for gap, victim, state, _ in ENDS}
    with scene(live, server) as scened:
        scened.unreadable = scened.accept(UNREADABLE)
        client = live.redis()
        client.hset(Keys("default").message(scened.unreadable), "request", "{")
        client.close()
        scened.worker.start()
        for case in CASES:
            scened.strike(*case)
            if expected[case] == "submitted" and case[0] not in WAIT_FOR_A_LEASE:
                live.until(lambda case=case: scened.states()[case] == "submitted", f"{case} to be sent")
        scened.follower = scened.accept(CASES["after the begin", "both"])
        wait_until(lambda: scened.states() == expected, timeout_seconds=60)
        yield scened


@pytest.mark.parametrize(("gap", "victim", "state", "count"), ENDS)
def test_a_kill_in_the_gap_is_told_as_it_was(ended, gap, victim, state, count):
    message_id = ended.ids[gap, victim]

    assert ended.states()[gap, victim] == state
    assert ended.requests()[message_id] == count


def test_no_attempt_reached_the_provider_twice(ended):
    by_attempt = Counter(item["reference"] for item in ended.live.requests())

    assert set(by_attempt.values()) == {1}


def test_who_comes_after_a_doubt_goes_when_its_grace_is_over(ended):
    ended.live.until(lambda: ended.stored(ended.follower, "state") == "submitted", "the follower", 30)


def test_a_doubt_ends_with_the_word_of_the_provider(ended):
    message_id = ended.ids["before the settle", "worker"]
    status = {
        "id": "wamid.LATE",
        "status": "delivered",
        "timestamp": str(int(time.time())),
        "recipient_id": CASES["before the settle", "worker"].removeprefix("+"),
        "biz_opaque_callback_data": f"{message_id.removeprefix('msg_')}1",
    }
    body = meta_body(statuses=[status])
    headers = sign(body, ended.live.unit.development.secret("shop_app_secret"))
    url = f"{ended.live.unit.addresses['receiver']}/webhooks/shop"

    assert requests.post(url, data=body, headers=headers, timeout=9).status_code == 200
    assert ended.live.message(message_id)["state"] == "delivered"


def test_what_no_claim_can_read_ends_as_an_error_of_ours(ended):
    """Three claims that lead to nothing, each as long as a lease, whatever was killed meanwhile."""
    ended.live.until(lambda: ended.stored(ended.unreadable, "state") == "failed", "the third claim", 60)

    assert ended.stored(ended.unreadable, "reason") == "internal_error"
    assert ended.requests()[ended.unreadable] == 0
