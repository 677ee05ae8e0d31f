"""Those around us die or hang: who scrapes us. Sending and receiving go on, nothing lost or twice."""

import contextlib
import socket
from itertools import count

import pytest
import requests

pytestmark = pytest.mark.faults
#: Contacts who write and get an answer, while something hangs.
TRAFFIC = 20
#: More than the api has threads in all its processes.
HANGING = 150
_number = count()


@pytest.fixture(scope="module")
def live(shared_stage):
    return shared_stage("receiver", "api", "worker", "sandbox")


class Traffic:
    """Contacts write, each of them is answered: what came of it at both ends."""

    def __init__(self, live) -> None:
        self.contacts = [f"+39333{next(_number):07}" for _ in range(TRAFFIC)]
        self.webhooks = [live.writes(contact) for contact in self.contacts]
        self.ids = [self._answer(live, contact) for contact in self.contacts]
        live.until(lambda: self._states(live) == {"delivered"}, "delivery", 30)
        self.windows = [self._is_open(live, contact) for contact in self.contacts]
        to = sorted(sent["to"] for sent in live.requests())
        self.sent = [contact for contact in to if contact in self.contacts]

    def _answer(self, live, contact: str) -> str:
        asked = {"to": contact, "sender": "shop", "text": "È pronto.", "when_closed": "refuse"}
        return live.app.call("POST", "/v1/messages", json=asked)["id"]

    def _states(self, live) -> set[str]:
        return {live.message(message_id)["state"] for message_id in self.ids}

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
def hanging(live, beginning: bytes):
    """So many say this, read nothing, and do not go."""
    host, _, port = live.app.url.removeprefix("http://").partition(":")
    with contextlib.ExitStack() as stack:
        for _ in range(HANGING):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.connect((host, int(port)))
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.send(beginning)
        yield


@pytest.mark.parametrize(
    ("more", "times"),
    [("", 1), ("X-Slow: ", 1), ("Connection: close\r\n\r\n", 1), ("\r\n", 20)],
    ids=["half a request", "half a header", "a request and no goodbye", "requests"],
)
def test_who_scrapes_and_hangs_holds_up_nobody(live, more, times):
    with hanging(live, scrape(live, more) * times):
        traffic = Traffic(live)
        live.until(lambda: is_scraped(live), "a scrape of one who reads", 10)

    assert_all_went_on(traffic)


def is_scraped(live) -> bool:
    key = {"Authorization": f"Bearer {live.desk.key}"}
    return requests.get(f"{live.app.url}/metrics", headers=key, timeout=10).ok
