import gc
import json
import socket
import threading
import time
from datetime import timedelta
from ipaddress import ip_network

import pytest

from shared.http.addresses import AddressGuard
from shared.http.client import MAX_BODY_BYTES, Answer, Doubt, HttpCall, HttpClient, NotSent
from shared.http.connections import Dial
from tests.unit.http.wire_server import (
    WireServer,
    cut,
    drip,
    drip_head,
    drip_until_closed,
    hang,
    pour,
    reply,
    self_signed,
)

SHORT = timedelta(seconds=0.3)
LATEST_SECONDS = 0.8


@pytest.fixture(autouse=True)
def _no_socket_is_left_open():
    """Warnings are errors: a socket that nobody closed speaks up when it is collected."""
    gc.freeze()  # what other tests left is not looked at again
    yield
    gc.collect()


def call_to(port, scheme="http", host="127.0.0.1"):
    return HttpCall(
        url=f"{scheme}://{host}:{port}/v1/messages",
        headers={"Authorization": "Bearer secret"},
        json={"to": "+39", "text": {"body": "è"}},
    )


def post(script, *, deadline=timedelta(seconds=5)):
    with WireServer(script) as server:
        return HttpClient(deadline=deadline).post(call_to(server.port))


def test_an_answer_is_read_as_json():
    assert post(reply(b'{"messages": [{"id": "x"}]}')) == Answer(200, {"messages": [{"id": "x"}]})


def test_the_request_is_compact_json_with_our_headers():
    with WireServer(reply()) as server:
        HttpClient(deadline=SHORT).post(call_to(server.port))

    head, body = server.requests[0]
    assert json.loads(body) == {"to": "+39", "text": {"body": "è"}}
    assert b": " not in body
    assert head.startswith(b"POST /v1/messages HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer secret" in head
    assert b"\r\nContent-Type: application/json" in head


def test_netrc_and_proxies_of_the_environment_change_nothing(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login intruder password x\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with WireServer(reply()) as server:
        answer = HttpClient(deadline=SHORT).post(call_to(server.port))

    assert answer == Answer(200, {"ok": True})
    assert b"\r\nAuthorization: Bearer secret" in server.requests[0][0]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"half":', b"\xff\xfe", b"[" * 100_000, b" " * (MAX_BODY_BYTES + 1)], ids=len
)
def test_a_body_that_is_no_json_is_none(body):
    assert post(reply(body)) == Answer(200, None)


def test_a_redirect_is_not_followed():
    with WireServer(reply()) as target:
        location = f"Location: http://127.0.0.1:{target.port}/"

        assert post(reply(b"", status="302 Found", headers=[location])) == Answer(302, None)
        assert target.connections == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        (["Retry-After: 7"], 7),
        (["Retry-After: soon"], None),
        (["Retry-After: 99999999999999999999"], None),
        (["Date: Sun, 22 Nov 2026 10:00:00 GMT", "Retry-After: Sun, 22 Nov 2026 10:00:30 GMT"], 30),
        (["Date: Sun, 22 Nov 2026 10:00:00 GMT", "Retry-After: Sun, 22 Nov 2026 09:00:00 GMT"], 0),
        (["Retry-After: Sun, 22 Nov 2026 10:00:30 GMT"], None),
    ],
)
def test_retry_after_is_read(headers, seconds):
    answer = post(reply(status="429 Too Many Requests", headers=headers))

    assert answer.retry_after == (None if seconds is None else timedelta(seconds=seconds))


def test_a_refused_connection_has_sent_nothing():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert HttpClient(deadline=SHORT).post(call_to(port)) == NotSent("ConnectionRefusedError")


def test_an_unknown_name_has_sent_nothing():
    outcome = HttpClient(deadline=timedelta(seconds=5)).post(call_to(80, host="nowhere.invalid"))

    assert outcome == NotSent("gaierror")


def test_a_name_that_is_looked_up_for_too_long_has_sent_nothing(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(1) or [])

    outcome, seconds = timed(HttpClient(deadline=SHORT), call_to(80, host="slow.invalid"))

    assert isinstance(outcome, NotSent)
    assert seconds < LATEST_SECONDS


@pytest.fixture
def crowded():
    """A port whose queue is full: whoever comes gets no answer at all."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        yield address[1]
        for each in waiting:
            each.close()


def test_a_connection_that_is_never_accepted_has_sent_nothing(crowded):
    outcome, seconds = timed(HttpClient(deadline=SHORT), call_to(crowded))

    assert outcome == NotSent("timeout")
    assert seconds < LATEST_SECONDS


@pytest.mark.parametrize("script", [hang, drip, drip_until_closed, drip_head])
def test_a_slow_answer_ends_at_the_deadline_as_a_doubt(script):
    with WireServer(script) as server:
        outcome, seconds = timed(HttpClient(deadline=SHORT), call_to(server.port))

    assert outcome == Doubt("timeout")
    assert 0.25 < seconds < LATEST_SECONDS


@pytest.mark.parametrize(
    "script", [cut, reply(b'{"half":', length=100), lambda connection: connection.sendall(b"odd") or "close"]
)
def test_a_connection_cut_after_the_request_is_a_doubt(script):
    def then_close(connection):
        script(connection)
        return "close"

    assert post(then_close) == Doubt("connection_lost")


def test_a_connection_is_kept_for_the_next_call():
    with WireServer(reply()) as server:
        client = HttpClient(deadline=SHORT)
        for _ in range(3):
            assert client.post(call_to(server.port)) == Answer(200, {"ok": True})

    assert (server.connections, len(server.requests)) == (1, 3)


def test_an_idle_connection_is_dropped():
    with WireServer(reply()) as server:
        client = HttpClient(deadline=SHORT, idle=timedelta(seconds=0.05))
        client.post(call_to(server.port))
        time.sleep(0.1)
        client.post(call_to(server.port))

    assert server.connections == 2


def test_a_connection_that_the_provider_closed_meanwhile_is_no_doubt():
    def answer_and_close(connection):
        reply()(connection)
        return "close"

    with WireServer(answer_and_close) as server:
        client = HttpClient(deadline=SHORT)
        client.post(call_to(server.port))
        time.sleep(0.05)

        assert client.post(call_to(server.port)) == Answer(200, {"ok": True})


def test_an_answer_in_chunks_is_read_and_its_connection_kept():
    def answer(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b'4\r\n{"ok\r\n8\r\n": true}\r\n0\r\n\r\n')

    with WireServer(answer) as server:
        client = HttpClient(deadline=SHORT)
        answers = [client.post(call_to(server.port)) for _ in range(2)]

    assert answers == [Answer(200, {"ok": True})] * 2
    assert server.connections == 1


def test_a_header_that_would_begin_another_is_not_sent():
    with WireServer(reply()) as server:
        url = f"http://127.0.0.1:{server.port}/"
        outcome = HttpClient(deadline=SHORT).post_bytes(url, {"Authorization": "x\r\nHost: y"}, b"{}")

    assert outcome == NotSent("ValueError")
    assert server.requests == []


def test_a_call_after_a_cut_one_is_not_cut():
    scripts = iter([hang, reply()])

    def hang_once(connection):
        return next(scripts)(connection)

    with WireServer(hang_once) as server:
        client = HttpClient(deadline=SHORT)

        assert client.post(call_to(server.port)) == Doubt("timeout")
        assert client.post(call_to(server.port)) == Answer(200, {"ok": True})


def test_many_threads_each_get_their_own_end():
    def half_hang(connection):
        return hang(connection) if server.connections % 2 else reply()(connection)

    with WireServer(half_hang) as server:
        client = HttpClient(deadline=SHORT)
        outcomes = []
        threads = [
            threading.Thread(target=lambda: outcomes.append(timed(client, call_to(server.port))))
            for _ in range(32)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(outcomes) == 32
    assert all(outcome in (Doubt("timeout"), Answer(200, {"ok": True})) for outcome, _ in outcomes)
    assert max(seconds for _, seconds in outcomes) < LATEST_SECONDS + 0.5


def test_a_server_that_speaks_no_tls_has_been_sent_nothing():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer_in_clear, args=(listener,))
        thread.start()
        outcome = HttpClient(deadline=SHORT).post(call_to(listener.getsockname()[1], "https"))
        thread.join()

    assert isinstance(outcome, NotSent)


def test_a_tls_handshake_that_hangs_has_sent_nothing():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        outcome, seconds = timed(HttpClient(deadline=SHORT), call_to(listener.getsockname()[1], "https"))

    assert isinstance(outcome, NotSent)
    assert seconds < LATEST_SECONDS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(
    ("script", "outcome"), [(reply(), Answer(200, {"ok": True})), (drip, Doubt("timeout"))]
)
def test_the_same_holds_through_tls(certificate, script, outcome):
    wrap, client_side = certificate
    with WireServer(script, wrap=wrap) as server:
        client = HttpClient(deadline=SHORT, tls=client_side)
        found, seconds = timed(client, call_to(server.port, "https"))

    assert found == outcome
    assert seconds < LATEST_SECONDS


def test_a_certificate_that_is_not_trusted_stops_the_call_before_it_is_sent(certificate):
    wrap, _ = certificate
    with WireServer(reply(), wrap=wrap) as server:
        outcome = HttpClient(deadline=timedelta(seconds=5)).post(call_to(server.port, "https"))

    assert outcome == NotSent("SSLCertVerificationError")
    assert server.requests == []


def test_bytes_leave_as_they_are():
    with WireServer(reply()) as server:
        HttpClient(deadline=SHORT).post_bytes(f"http://127.0.0.1:{server.port}/", {}, b'{ "a":1 }')

    assert server.requests[0][1] == b'{ "a":1 }'


def test_no_more_of_an_answer_is_read_than_the_client_may():
    with WireServer(pour) as server:
        client = HttpClient(deadline=timedelta(seconds=5), max_body_bytes=65536)
        outcome, seconds = timed(client, call_to(server.port))

    assert outcome == Answer(200, None)
    assert seconds < LATEST_SECONDS


def test_a_connection_that_is_never_accepted_ends_at_the_connect_timeout(crowded):
    client = HttpClient(deadline=timedelta(seconds=5), dial=Dial(connect_timeout=SHORT))
    outcome, seconds = timed(client, call_to(crowded))

    assert outcome == NotSent("timeout")
    assert seconds < LATEST_SECONDS


def guarded(*networks):
    guard = AddressGuard(tuple(map(ip_network, networks)))
    return HttpClient(deadline=SHORT, dial=Dial(guard=guard))


#: How 127.0.0.1 and its like can be written.
WRITTEN = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0177.0.0.1",
    "017700000001",
    "0x7f000001",
    "0x7f.0.0.1",
    "0",
    "0.0.0.1",
    "localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1%25lo]",
    "169.254.169.254",
    "10.0.0.1",
]


@pytest.mark.parametrize("host", WRITTEN)
def test_a_private_address_is_refused_however_it_is_written(host):
    with WireServer(reply()) as server:
        client = guarded()
        outcomes = [client.post(call_to(server.port, scheme, host)) for scheme in ("http", "https")]
        # They are accepted in turn: had one come before, it would be counted by now.
        HttpClient(deadline=SHORT).post(call_to(server.port))

    assert outcomes == [NotSent("address_not_allowed")] * 2
    assert server.connections == 1


class Resolver:
    """Stands in for the operating system's: each look-up gives the next answer, the last one stays."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.names = []

    def __call__(self, host, port, **_):
        self.names.append(host)
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.1",
        "10.1.2.3",
        "172.31.255.255",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "fe80::1%lo",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_a_name_of_a_private_address_is_refused(monkeypatch, address):
    monkeypatch.setattr(socket, "getaddrinfo", Resolver([address]))
    with WireServer(reply()) as server:
        outcome = guarded().post(call_to(server.port, "https", "app.example"))
        HttpClient(deadline=SHORT).post(call_to(server.port))

    assert outcome == NotSent("address_not_allowed")
    assert server.connections == 1


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(monkeypatch):
    """DNS rebinding: good when judged (here 127.0.0.2, where nobody listens), private a moment later."""
    resolver = Resolver(["127.0.0.2"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with WireServer(reply()) as server:
        client = guarded("127.0.0.2/32")
        outcomes = [client.post(call_to(server.port, host="app.example")) for _ in range(2)]
        HttpClient(deadline=SHORT).post(call_to(server.port))

    assert outcomes == [NotSent("ConnectionRefusedError"), NotSent("address_not_allowed")]
    assert resolver.names == ["app.example"] * 2
    assert server.connections == 1


def test_the_refused_addresses_of_a_name_are_passed_over(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(["::1", "127.0.0.1"]))
    with WireServer(reply()) as server:
        outcome = guarded("127.0.0.0/8").post(call_to(server.port, host="app.example"))

    assert outcome == Answer(200, {"ok": True})


def test_a_public_address_is_not_called_in_plain_text(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(["8.8.8.8"]))

    assert guarded().post(call_to(80, host="app.example")) == NotSent("plain_http_not_allowed")


def timed(client, call):
    started = time.monotonic()
    outcome = client.post(call)
    return outcome, time.monotonic() - started


def _answer_in_clear(listener):
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connection.close()
