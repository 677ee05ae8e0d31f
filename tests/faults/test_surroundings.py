"""Those around us die or hang, from Flower to the apps: sending and receiving go on."""

import contextlib
import json
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
import requests

from shared.queues import make_impatient_celery
from shared.store.claims import Outcome
from shared.store.keys import Keys
from tests.apps import App
from workers.monitor import Monitor
from workers.report import Settled

pytestmark = pytest.mark.faults
#: Contacts who write and get an answer, while something hangs.
TRAFFIC = 12
#: More than the api has threads in all its processes.
HANGING = 150
#: More than the reports of bugs that wait for Sentry.
BUGS = 120
#: What Redis keeps for who listens to events and does not read, and as much for what it does beside.
MOST_BYTES = 2 * 32 * 1024 * 1024
LOGIN = ("oncall", "flower-word-9Z")
_number = count()


class Deaf:
    """A Sentry, or a collector of traces, that takes every connection and says nothing."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._door.settimeout(10)
        self._held: list[socket.socket] = []
        self.address = f"127.0.0.1:{self._door.getsockname()[1]}"

    def take_one(self) -> None:
        self._held.append(self._door.accept()[0])

    def leave(self) -> None:
        for each in (self._door, *self._held):
            each.close()


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Deaf]]:
    """Whom we tell of our work."""
    named = {"sentry": Deaf(), "collector": Deaf()}
    yield named
    for deaf in named.values():
        deaf.leave()


@pytest.fixture(scope="module")
def apps() -> Iterator[dict[str, App]]:
    named = {name: App(name) for name in ("well", "gone", "failing", "dripping")}
    with contextlib.ExitStack() as stack:
        for app in named.values():
            stack.enter_context(app.listening())
        yield named


@pytest.fixture(scope="module")
def live(shared_stage, told, apps):
    names = ("receiver", "api", "worker", "flower", "sandbox")
    settings = {
        "FINESTRA_SENTRY_DSN": f"http://key@{told['sentry'].address}/7",
        "FINESTRA_OTLP_ENDPOINT": f"http://{told['collector'].address}",
        "FINESTRA_FLOWER_PASSWORD": LOGIN[1],
    }
    return shared_stage(*names, apps=list(apps.values()), **settings)


class Traffic:
    """Contacts write, each of them is answered: what came of it at both ends."""

    def __init__(self, live) -> None:
        self.contacts = [f"+39333{next(_number):07}" for _ in range(TRAFFIC)]
        self.webhooks = [live.writes(contact) for contact in self.contacts]
        self.ids = [self._answer(live, contact) for contact in self.contacts]
        live.until(lambda: self._are_delivered(live), "delivery", 30)
        self.windows = [self._is_open(live, contact) for contact in self.contacts]
        to = sorted(sent["to"] for sent in live.requests())
        self.sent = [contact for contact in to if contact in self.contacts]

    def _answer(self, live, contact: str) -> str:
        asked = {"to": contact, "sender": "shop", "text": "È pronto.", "when_closed": "refuse"}
        return live.app.call("POST", "/v1/messages", json=asked)["id"]

    def _are_delivered(self, live) -> bool:
        return all(live.message(message_id)["state"] == "delivered" for message_id in self.ids)

    def _is_open(self, live, contact: str) -> bool:
        return live.app.call("GET", f"/v1/contacts/{contact}?sender=shop")["window"]["open"]


def assert_all_went_on(traffic: Traffic) -> None:
    """A status of each message came in too: it is delivered."""
    assert set(traffic.webhooks) == {200}
    assert all(traffic.windows)
    assert traffic.sent == traffic.contacts


def scrape(live, more: str = "\r\n") -> bytes:
    head = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {live.desk.key}\r\n"
    return (head + more).encode()


@contextlib.contextmanager
def hanging(live, beginning: bytes, how_many: int = HANGING):
    """So many say this, read nothing, and do not go; the last of them."""
    host, _, port = live.app.url.removeprefix("http://").partition(":")
    with contextlib.ExitStack() as stack:
        for _ in range(how_many):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.connect((host, int(port)))
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.send(beginning)
        yield connection


@pytest.mark.parametrize(
    ("more", "times"),
    [("X-Slow: ", 1), ("Connection: close\r\n\r\n", 1), ("\r\n", 5)],
    ids=["half a request", "a request and no goodbye", "requests"],
)
def test_who_scrapes_and_hangs_holds_up_nobody(live, more, times):
    with hanging(live, scrape(live, more) * times):
        traffic = Traffic(live)
        live.until(lambda: is_scraped(live), "a scrape of one who reads", 10)

    assert_all_went_on(traffic)


def test_half_a_request_ends_with_its_silence(live):
    with hanging(live, scrape(live, ""), 1) as connection:
        connection.settimeout(15)
        said = connection.recv(1)

    assert said == b""


def is_scraped(live) -> bool:
    key = {"Authorization": f"Bearer {live.desk.key}"}
    return requests.get(f"{live.app.url}/metrics", headers=key, timeout=10).ok


def flood(live) -> None:
    """Events as of a busy worker, until Redis lets go of who does not read them."""
    monitor = Monitor(make_impatient_celery(live.unit.settings), "flood@tests")
    with live.redis() as client:
        listeners = len(client.client_list(_type="pubsub"))
        while len(client.client_list(_type="pubsub")) == listeners:
            monitor.show("shop", [_settled(next(_number)) for _ in range(2000)])
            assert client.info("memory")["used_memory"] < MOST_BYTES


def _settled(number: int) -> Settled:
    now = datetime.now(UTC)
    return Settled(
        message_id=f"msg_{number:026}",
        route="session",
        outcome=Outcome.SUBMITTED,
        attempt=1,
        started_at=now,
        ended_at=now,
    )


def shown_in_flower(live) -> str:
    with contextlib.suppress(requests.RequestException):
        address = f"{live.unit.addresses['flower']}/api/tasks?limit=1000"
        return requests.get(address, auth=LOGIN, timeout=10).text
    return ""


def test_a_flower_that_hangs_is_let_go_by_redis_and_comes_back(live):
    live.unit.supervisor.kill("flower", signal.SIGSTOP)
    while_frozen = Traffic(live)
    flood(live)
    while_let_go = Traffic(live)
    live.unit.supervisor.kill("flower", signal.SIGCONT)
    live.until(lambda: Traffic(live).ids[-1] in shown_in_flower(live), "rows in Flower", 30)

    assert_all_went_on(while_frozen)
    assert_all_went_on(while_let_go)


def test_a_flower_that_is_dead_costs_nobody_anything(live):
    live.unit.supervisor.kill("flower", signal.SIGKILL)

    assert_all_went_on(Traffic(live))


def spoilt(live, how_many: int) -> list[str]:
    """Messages over which api and worker stumble, in the lanes of a sender that may go on now."""
    live.desk.call("POST", "/v1/senders/shop/halt", json={"why": "to spoil some"})
    contacts = [f"+39334{next(_number):07}" for _ in range(how_many)]
    ids = [
        live.app.call("POST", "/v1/messages", json={"to": contact, "sender": "shop", "text": "Ciao"})["id"]
        for contact in contacts
    ]
    with live.redis() as client:
        for key in map(Keys("default").message, ids):
            request = {**json.loads(client.hget(key, "request")), "in_doubt": "never"}
            client.hset(key, "request", json.dumps(request))
    live.desk.call("POST", "/v1/senders/shop/resume")
    return ids


def stumble(live, message_id: str) -> int:
    key = {"Authorization": f"Bearer {live.app.key}"}
    return requests.get(f"{live.app.url}/v1/messages/{message_id}", headers=key, timeout=10).status_code


@pytest.mark.parametrize("is_there", [True, False], ids=["hang", "are dead"])
def test_a_sentry_and_a_collector_that_hang_or_are_dead_cost_nobody_anything(live, told, is_there):
    for deaf in told.values():
        if not is_there:
            deaf.leave()
    ids = spoilt(live, 5)
    stumbled = [stumble(live, ids[0]) for _ in range(BUGS)]
    traffic = Traffic(live)
    for deaf in told.values():
        if is_there:
            deaf.take_one()  # it was asked

    assert set(stumbled) == {500}
    assert_all_went_on(traffic)


#: How the apps that are not well end what we tell them.
REASONS = {"gone": "ConnectionRefusedError", "failing": "status_500", "dripping": "timeout"}


def test_apps_that_are_dead_fail_and_drip_cost_another_app_nothing(live, apps):
    apps["gone"].leave()
    apps["failing"].refuse(500)
    apps["dripping"].drip()
    traffic = Traffic(live)
    live.until(lambda: set(heard(apps["well"])) >= set(traffic.contacts), "the app that is well", 20)
    live.until(lambda: reasons(live).items() >= REASONS.items(), "the others to have failed", 30)
    afterwards = Traffic(live)
    live.until(lambda: set(heard(apps["well"])) >= set(afterwards.contacts), "it once more", 20)

    assert apps["dripping"].dripping > 0
    assert_all_went_on(traffic)
    assert_all_went_on(afterwards)


def heard(app: App) -> list[str]:
    return [call.contact for call in app.of_type("inbound.received")]


def reasons(live) -> dict[str, str]:
    standing = live.desk.call("GET", "/v1/callbacks")["items"]
    return {each["app"]: each["last_reason"] for each in standing if each["failures_in_a_row"]}


@pytest.mark.parametrize("name", ["api", "worker"])
def test_who_has_bugs_to_tell_stops_in_time(live, name):
    """Nobody is there to be told of them: see above."""
    pid = live.unit.supervisor.pid(name)
    live.unit.supervisor.kill(name, signal.SIGTERM)

    live.until(lambda: live.unit.supervisor.pid(name) != pid, f"the {name} to stop", 10)
