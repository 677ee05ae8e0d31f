"""Two receivers behind the real nginx, one made anew after the other under load: no provider notices."""

import http.client
import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.front import nginx
from bench.receiver import environment, signed
from bench.restarted import Reloaded, Restarted, restarted_receiver
from bench.stage import accepts, wait_for
from cli.ports import free_ports
from shared.store.connection import connect
from tests.faults.test_slow_clients import refuse_without_nginx

pytestmark = pytest.mark.faults
PROVIDERS = 8
#: More than are posted while both are made anew.
POSTS = 800
PAUSE_SECONDS = 0.05


@pytest.fixture(scope="module")
def receivers(tmp_path_factory, redis_url):
    with connect(redis_url) as client:
        client.flushdb()
    folder, ports = tmp_path_factory.mktemp("receivers"), free_ports(2)
    environ = environment(folder, redis_url)
    both = [restarted_receiver(f"receiver {port}", folder, environ, port) for port in ports]
    with ThreadPoolExecutor(2) as hands:
        try:
            list(hands.map(Restarted.start, both))
            yield both, [f"127.0.0.1:{port}" for port in ports]
        finally:
            list(hands.map(Restarted.stop, both))


def keep_posting(port: int, posts: list[bytes], done: threading.Event) -> list[bytes]:
    """A webhook after the other until told to stop; each one's first line."""
    lines = []
    for post in posts:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(post)
            lines.append(connection.recv(4096).split(b"\r\n")[0])
        if done.wait(PAUSE_SECONDS):
            break
    return lines


def test_every_webhook_is_answered_200_and_recorded_once(receivers, tmp_path, redis_url):
    refuse_without_nginx()
    both, addresses = receivers
    posts, done = signed(POSTS), threading.Event()
    with nginx(tmp_path, *addresses) as port, ThreadPoolExecutor(PROVIDERS) as providers:
        posting = [providers.submit(keep_posting, port, posts[n::PROVIDERS], done) for n in range(PROVIDERS)]
        for one in (both[0], Reloaded(name="nginx", pid_file=tmp_path / "nginx.pid"), both[1]):
            one.restart()
        done.set()
        lines = [line for each in posting for line in each.result()]
    with connect(redis_url) as client:
        recorded = [client.hget(key, "version") for key in client.scan_iter("contact:*", count=1000)]

    assert set(lines) == {b"HTTP/1.1 200 OK"}
    assert len(recorded) == len(lines)
    assert set(recorded) == {"1"}
    assert [one.exit_codes for one in both] == [[0], [0]]


def test_who_stops_hears_nobody_new_and_answers_whom_he_knows(receivers):
    """Refused at once, nginx asks the other one; a connection that it keeps is answered once more."""
    (one, _), (address, _) = receivers
    known = http.client.HTTPConnection(address, timeout=20)
    known.request("GET", "/livez")
    known.getresponse().read()
    with ThreadPoolExecutor(1) as hand:
        stopped = hand.submit(one.stop)
        wait_for(lambda: not accepts(int(address.rpartition(":")[2])), "a closed ear")
        known.request("GET", "/livez")
        answer = known.getresponse()

        assert (answer.status, answer.getheader("Connection")) == (200, "close")
        stopped.result()
    assert one.exit_codes[-1] == 0


def test_nginx_answers_what_it_has_when_it_is_asked_to_leave(tmp_path):
    refuse_without_nginx()
    with (
        socket.create_server(("127.0.0.1", 0)) as receiver,
        nginx(tmp_path, f"127.0.0.1:{receiver.getsockname()[1]}") as port,
        ThreadPoolExecutor(1) as provider,
    ):
        posting = provider.submit(keep_posting, port, signed(1), threading.Event())
        connection, _ = receiver.accept()
        os.kill(int((tmp_path / "nginx.pid").read_text()), signal.SIGQUIT)
        wait_for(lambda: not accepts(port), "a closed ear")
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        assert posting.result() == [b"HTTP/1.1 200 OK"]
