"""The real nginx in front of the real receiver: who takes his time costs nobody else any."""

import contextlib
import json
import os
import re
import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from bench.front import is_installed, nginx
from bench.slow import HALF_A_HEADER, HALF_A_POST, half_open
from tests.public_door import cm_body, meta_body, sign, text
from webhook.body import MAX_BODY_BYTES

pytestmark = pytest.mark.faults
SLOW = 400
GOOD = 50
LONGEST_SECONDS = 2


class Front:
    """nginx with a receiver behind it, and webhooks as the providers send them."""

    def __init__(self, live, folder: Path, port: int) -> None:
        self.live, self.folder, self.port = live, folder, port
        self.url = f"http://127.0.0.1:{port}"
        self.token = live.unit.development.secret("negozio_webhook_token")
        self.secret = live.unit.development.secret("shop_app_secret")

    def post(self, path: str, body: bytes, **headers: str) -> requests.Response:
        return requests.post(self.url + path, data=body, headers=headers, timeout=20, allow_redirects=False)

    def post_meta(self, number: int) -> requests.Response:
        body = meta_body(text(f"39333{number:07}", id=f"wamid.{number}"))
        return self.post("/webhooks/shop", body, **sign(body, self.secret))

    def post_cm(self, body: bytes | None = None) -> requests.Response:
        return self.post(f"/webhooks/negozio/{self.token}", body or json.dumps(cm_body()).encode())

    def answer_to(self, request: bytes) -> bytes:
        """The first line of what comes back for these very bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            return connection.recv(4096).split(b"\r\n")[0]

    def log(self) -> str:
        return (self.folder / "nginx.log").read_text()


def refuse_without_nginx() -> None:
    """Absent on a laptop: skip, in CI: fail."""
    if not is_installed():
        assert not os.environ.get("CI"), "CI tests with nginx"
        pytest.skip("no nginx on this machine")


@pytest.fixture
def front(stage, tmp_path):
    refuse_without_nginx()
    live = stage("receiver", FINESTRA_TRUSTED_PROXIES="127.0.0.1")
    folder = tmp_path / "nginx"
    folder.mkdir()
    with nginx(folder, live.unit.settings.receiver_bind) as port:
        yield Front(live, folder, port)


@pytest.mark.parametrize("beginning", [HALF_A_POST, HALF_A_HEADER], ids=["bodies", "headers"])
def test_400_half_open_requests_delay_no_webhook(front, beginning):
    with half_open(front.port, SLOW, beginning) as held:
        are_held = not any(_is_closed(connection) for connection in held)
        answers = [front.post_meta(number) for number in range(GOOD)]

    assert are_held
    assert {answer.status_code for answer in answers} == {200}
    assert max(answer.elapsed.total_seconds() for answer in answers) < LONGEST_SECONDS


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_the_receiver_hears_who_called_from_nginx_alone(tmp_path):
    refuse_without_nginx()
    claimed = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    with (
        socket.create_server(("127.0.0.1", 0)) as receiver,
        nginx(tmp_path, f"127.0.0.1:{receiver.getsockname()[1]}") as port,
        ThreadPoolExecutor(1) as caller,
    ):
        asked = caller.submit(requests.get, f"http://127.0.0.1:{port}/livez", headers=claimed, timeout=20)
        connection, _ = receiver.accept()
        with connection:
            head = connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert asked.result().status_code == 200

    assert re.findall(rb"(?mi)^X-Forwarded-For: (\S+)\r$", head) == [b"127.0.0.1"]


def test_what_one_receiver_leaves_unanswered_goes_to_the_other(tmp_path):
    refuse_without_nginx()
    with contextlib.ExitStack() as stack:
        receivers = {stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)}
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in receivers]
        port = stack.enter_context(nginx(tmp_path, *addresses))
        caller = stack.enter_context(ThreadPoolExecutor(1))
        asked = caller.submit(
            requests.post, f"http://127.0.0.1:{port}/webhooks/shop", data=b"its body", timeout=20
        )
        (stopping, *_), _, _ = select.select(receivers, [], [], 20)
        _answer(stopping, b"")
        (other, *_), _, _ = select.select(receivers - {stopping}, [], [], 20)
        heard = _answer(other, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        assert asked.result().status_code == 200
        assert heard.endswith(b"\r\n\r\nits body")


def test_where_a_receiver_is_gone_each_webhook_is_answered_by_the_other(tmp_path):
    """The address of a container that is gone says neither yes nor no: as one whose queue is full."""
    refuse_without_nginx()
    with contextlib.ExitStack() as stack:
        gone = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(gone.getsockname())
        there = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        there.settimeout(10)
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in (gone, there)]
        port = stack.enter_context(nginx(tmp_path, *addresses))
        provider = stack.enter_context(ThreadPoolExecutor(1))
        posting = provider.submit(keep_posting, port, 3)
        for _ in range(3):
            _answer(there, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

        assert posting.result() == [200] * 3


def keep_posting(port: int, count: int) -> list[int]:
    url = f"http://127.0.0.1:{port}/webhooks/shop"
    return [requests.post(url, data=b"its body", timeout=20).status_code for _ in range(count)]


def _answer(receiver: socket.socket, answer: bytes) -> bytes:
    """What came; after the answer it hangs up."""
    connection, _ = receiver.accept()
    with connection:
        heard = b""
        while not heard.endswith(b"its body") and (more := connection.recv(4096)):
            heard += more
        connection.sendall(answer)
    return heard


def test_both_providers_come_in_and_nothing_else_does(front):
    assert front.post_meta(1).status_code == 200
    assert front.post_cm().status_code == 200
    assert requests.get(f"{front.url}/readyz", timeout=20).status_code == 200

    for path in ("/", "/v1/senders", "/metrics", "/webhooks", "/livez/x"):
        assert requests.get(front.url + path, timeout=20).status_code == 404, path


@pytest.mark.parametrize("is_chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize("behind", [False, True], ids=["by nginx", "by the receiver itself"])
def test_a_body_that_is_too_large_is_413(front, is_chunked, behind):
    size = MAX_BODY_BYTES + 1
    framing = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % size
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b" " * size) if is_chunked else b""
    if behind:
        front.port = int(front.live.unit.settings.receiver_bind.rpartition(":")[2])

    line = front.answer_to(b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n" + body)

    assert b" 413 " in line


def test_a_body_of_just_the_limit_comes_in(front):
    padding = b" " * (MAX_BODY_BYTES - len(json.dumps(cm_body()).encode()))

    assert front.post_cm(json.dumps(cm_body()).encode() + padding).status_code == 200


def test_the_signature_header_twice_is_refused_over_the_wire(front):
    body = meta_body(text())
    header = f"X-Hub-Signature-256: {sign(body, front.secret)['X-Hub-Signature-256']}\r\n".encode()
    beginning = b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body)

    assert b" 401 " in front.answer_to(beginning + header * 2 + b"\r\n" + body)
    assert b" 200 " in front.answer_to(beginning + header + b"\r\n" + body)


def test_without_a_receiver_it_is_a_503_with_a_time_to_come_back(front):
    front.live.unit.supervisor.stop()

    answer = front.post_meta(1)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_nginx_logs_neither_address_nor_path_nor_query(front):
    front.post_cm()
    front.post_cm(b" " * (MAX_BODY_BYTES + 1))
    requests.get(f"{front.url}/webhooks/shop?hub.verify_token=SECRET", timeout=20)
    front.live.unit.supervisor.stop()
    front.post_cm()
    deadline = time.monotonic() + 10
    while front.log().count('"route": "webhook"') < 4 and time.monotonic() < deadline:
        time.sleep(0.02)

    log = front.log()
    # Each nginx process writes its own lines, so two answers may stand in either order.
    assert sorted(int(status) for status in re.findall(r'"status": (\d+)', log)) == [200, 403, 413, 503]
    for unwanted in (front.token, "negozio", "SECRET", "127.0.0.1", "/webhooks"):
        assert unwanted not in log
