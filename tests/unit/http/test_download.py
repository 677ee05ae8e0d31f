import gc
import gzip
import threading
import time
from datetime import timedelta

import pytest

from shared.http.addresses import AddressGuard
from shared.http.client import Answer, Doubt, HttpClient, NotSent
from shared.http.connections import Dial
from shared.http.download import CHUNK_BYTES, DownloadError
from tests.unit.http.wire_server import (
    WireServer,
    cut,
    drip,
    drip_head,
    drip_until_closed,
    hang,
    headers_of,
    pour,
    reply,
    self_signed,
)

SHORT = timedelta(seconds=0.3)
LATEST_SECONDS = 0.8
MANY = 10_000_000


@pytest.fixture(autouse=True)
def _no_socket_is_left_open():
    """Warnings are errors: a socket that nobody closed speaks up when it is collected."""
    gc.freeze()  # what other tests left is not looked at again
    yield
    gc.collect()


@pytest.fixture
def client():
    return HttpClient(deadline=timedelta(seconds=5))


def get(client, server, *, max_bytes=MANY, path="/media/1"):
    place = f"127.0.0.1:{server.port}"
    return client.get(
        f"http://{place}{path}",
        {"Authorization": "Bearer secret"},
        max_bytes=max_bytes,
        allowed_hosts=["lookaside.fbsbx.com"],
        plain_hosts=[place],
    )


def end_of(download):
    """How reading it to the end went, with what came before."""
    received = []
    try:
        received.extend(download)
    except DownloadError as error:
        return error.reason, b"".join(received)
    return "whole", b"".join(received)


def test_a_body_comes_in_chunks_with_what_is_said_of_it(client):
    body = bytes(range(256)) * 1000
    with (
        WireServer(reply(body, headers=["Content-Type: image/jpeg"])) as server,
        get(client, server) as download,
    ):
        chunks = list(download)

    assert (download.status, download.content_type, download.declared_bytes) == (200, "image/jpeg", len(body))
    assert b"".join(chunks) == body
    assert max(map(len, chunks)) <= CHUNK_BYTES


def test_the_request_asks_for_the_plain_bytes(client):
    with WireServer(reply()) as server, get(client, server, path="/media/1?mid=7&x=%20"):
        pass

    head, body = server.requests[0]
    assert head.startswith(b"GET /media/1?mid=7&x=%20 HTTP/1.1\r\n")
    assert body == b""
    assert headers_of(head)["authorization"] == "Bearer secret"
    assert headers_of(head)["accept-encoding"] == "identity"


def test_a_host_that_is_not_listed_is_never_called(client):
    with WireServer(reply()) as server:
        url = f"https://127.0.0.1:{server.port}/"
        outcome = client.get(url, {}, max_bytes=MANY, allowed_hosts=["lookaside.fbsbx.com"])
        get(client, server).close()

    assert outcome == NotSent("host_not_allowed")
    assert server.connections == 1


def test_a_guard_holds_here_too():
    with WireServer(reply()) as server:
        client = HttpClient(deadline=SHORT, dial=Dial(guard=AddressGuard()))

        assert get(client, server) == NotSent("address_not_allowed")


def test_a_listed_host_is_called_through_tls(tmp_path):
    wrap, trust = self_signed(tmp_path)
    with WireServer(reply(b"bytes"), wrap=wrap) as server:
        place = f"127.0.0.1:{server.port}"
        client = HttpClient(deadline=timedelta(seconds=5), tls=trust)
        download = client.get(f"https://{place}/", {}, max_bytes=MANY, allowed_hosts=[place])

        assert end_of(download) == ("whole", b"bytes")


def test_a_redirect_is_an_answer_like_any_other(client):
    with WireServer(reply()) as target:
        location = f"Location: http://127.0.0.1:{target.port}/"
        with (
            WireServer(reply(b"", status="302 Found", headers=[location])) as server,
            get(client, server) as download,
        ):
            assert download.status == 302
            assert list(download) == []
        get(client, target).close()

    assert target.connections == 1


@pytest.mark.parametrize(
    ("headers", "declared"),
    [([], 5), (["Content-Encoding: identity"], None)],
)
def test_a_length_is_believed_for_plain_bytes_only(client, headers, declared):
    with WireServer(reply(b"bytes", headers=headers)) as server, get(client, server) as download:
        assert download.declared_bytes == declared


def test_more_than_agreed_is_not_read(client):
    with WireServer(reply(b"x" * 1001)) as server:
        assert end_of(get(client, server, max_bytes=1001)) == ("whole", b"x" * 1001)
        assert end_of(get(client, server, max_bytes=1000)) == ("too_large", b"")


def test_a_body_without_end_stops_at_what_was_agreed(client):
    with WireServer(pour) as server:
        reason, received = end_of(get(client, server, max_bytes=200_000))

    assert reason == "too_large"
    assert 100_000 < len(received) <= 200_000


def test_a_bomb_stops_at_what_was_agreed(client):
    bomb = gzip.compress(b"\0" * MANY)
    with WireServer(reply(bomb, headers=["Content-Encoding: gzip"])) as server:
        reason, received = end_of(get(client, server, max_bytes=100_000))

    assert reason == "too_large"
    assert len(received) <= 100_000


@pytest.mark.parametrize("script", [drip, drip_until_closed])
def test_a_slow_body_ends_at_the_deadline(script):
    with WireServer(script) as server:
        started = time.monotonic()
        reason, _ = end_of(get(HttpClient(deadline=SHORT), server))

    assert reason == "timeout"
    assert time.monotonic() - started < LATEST_SECONDS


def test_a_slow_reader_meets_the_deadline_too():
    with WireServer(pour) as server, get(HttpClient(deadline=SHORT), server) as download:
        next(download)
        time.sleep(0.4)

        assert end_of(download)[0] == "timeout"


@pytest.mark.parametrize("script", [hang, drip_head])
def test_a_slow_head_is_a_doubt_at_the_deadline(script):
    with WireServer(script) as server:
        started = time.monotonic()
        outcome = get(HttpClient(deadline=SHORT), server)

    assert outcome == Doubt("timeout")
    assert time.monotonic() - started < LATEST_SECONDS


def test_a_connection_cut_before_the_head_is_a_doubt(client):
    with WireServer(cut) as server:
        assert get(client, server) == Doubt("connection_lost")


def test_half_a_body_is_no_whole_one(client):
    def half(connection):
        reply(b"half", length=100)(connection)
        return "close"

    with WireServer(half) as server:
        assert end_of(get(client, server))[0] == "connection_lost"


@pytest.mark.parametrize("how", ["close", "too_large"])
def test_the_connection_ends_with_the_reading(client, how):
    gone = threading.Event()

    def pour_until_gone(connection):
        try:
            pour(connection)
        finally:
            gone.set()

    with WireServer(pour_until_gone) as server:
        download = get(client, server, max_bytes=100_000)
        next(download)
        download.close() if how == "close" else end_of(download)

        assert gone.wait(2)
        assert list(download) == []


def test_other_calls_may_be_made_while_a_body_is_read(client):
    with (
        WireServer(reply(b"x" * 300_000)) as server,
        WireServer(reply()) as other,
        get(client, server) as download,
    ):
        first = next(download)
        answer = client.post_bytes(f"http://127.0.0.1:{other.port}/", {}, b"{}")
        rest = b"".join(download)

    assert answer == Answer(200, {"ok": True})
    assert first + rest == b"x" * 300_000
