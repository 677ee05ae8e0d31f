import gc
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from standardwebhooks import Webhook

from shared.callbacks.client import CallbackClient, Delivered, NotReached, Refused
from shared.configuration import App, Secret
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
SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDQDQ2Z0Zk")
BODY = '{"type":"message.sent","data":{"text":"è"}}'.encode()
LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture(autouse=True)
def _no_socket_is_left_open():
    """Warnings are errors: a socket that nobody closed speaks up when it is collected."""
    gc.freeze()  # what other tests left is not looked at again
    yield
    gc.collect()


def app_at(port, *, scheme="http", host="127.0.0.1", networks=LOOPBACK):
    return App(
        name="shop",
        api_keys=(),
        senders=(),
        scopes=frozenset(),
        callback_url=f"{scheme}://{host}:{port}/events?from=finestra",
        callback_secrets=tuple(map(Secret, SECRETS)),
        callback_networks=tuple(map(ip_network, networks)),
    )


def pushed(app, **options):
    started = time.monotonic()
    outcome = CallbackClient(app, **{"deadline": SHORT, **options}).push("evt_1", datetime.now(UTC), BODY)
    return outcome, time.monotonic() - started


def outcome_of(script):
    with WireServer(script) as server:
        return pushed(app_at(server.port))[0]


def test_an_event_arrives_as_it_was_written_and_signed_under_each_secret():
    with WireServer(reply()) as server:
        outcome, _ = pushed(app_at(server.port))

    head, body = server.requests[0]
    headers = headers_of(head)
    assert outcome == Delivered()
    assert head.startswith(b"POST /events?from=finestra HTTP/1.1\r\n")
    assert body == BODY
    assert (headers["webhook-id"], headers["content-type"]) == ("evt_1", "application/json")
    assert [Webhook(secret).verify(body, headers) for secret in SECRETS] == [json.loads(BODY)] * 2


def test_each_attempt_is_signed_with_its_own_time_under_the_same_id():
    first = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    with WireServer(reply()) as server:
        client = CallbackClient(app_at(server.port), deadline=SHORT)
        for minutes in (0, 10):
            client.push("evt_1", first + timedelta(minutes=minutes), BODY)

    sent = [headers_of(head) for head, _ in server.requests]
    assert [headers["webhook-id"] for headers in sent] == ["evt_1"] * 2
    assert int(sent[1]["webhook-timestamp"]) - int(sent[0]["webhook-timestamp"]) == 600
    assert server.connections == 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("200 OK", Delivered()),
        ("204 No Content", Delivered()),
        ("299 Odd", Delivered()),
        ("301 Moved Permanently", Refused("status_301")),
        ("307 Temporary Redirect", Refused("status_307")),
        ("400 Bad Request", Refused("status_400")),
        ("404 Not Found", Refused("status_404")),
        ("410 Gone", Refused("status_410", is_hopeless=True)),
        ("429 Too Many Requests", Refused("status_429")),
        ("500 Internal Server Error", Refused("status_500")),
        ("999 Odd", Refused("status_999")),
    ],
)
def test_the_status_says_whether_it_was_taken(status, outcome):
    assert outcome_of(reply(b"", status=status)) == outcome


def test_a_redirect_is_a_refusal_and_not_followed():
    with WireServer(reply()) as target:
        location = f"Location: http://127.0.0.1:{target.port}/"

        assert outcome_of(reply(b"", status="308 Permanent Redirect", headers=[location])) == Refused(
            "status_308"
        )
        # Accepted in turn: had the redirect been followed, it would be counted by now.
        pushed(app_at(target.port))
        assert target.connections == 1


@pytest.mark.parametrize("script", [hang, drip, drip_until_closed, drip_head])
def test_a_slow_answer_ends_at_the_deadline(script):
    with WireServer(script) as server:
        outcome, seconds = pushed(app_at(server.port))

    assert outcome == NotReached("timeout")
    assert seconds < LATEST_SECONDS


def test_an_answer_without_end_is_cut_short_and_its_status_counts():
    with WireServer(pour) as server:
        outcome, seconds = pushed(app_at(server.port), deadline=timedelta(seconds=5))

    assert outcome == Delivered()
    assert seconds < LATEST_SECONDS


def test_a_connection_cut_in_the_middle_is_not_reached():
    assert outcome_of(cut) == NotReached("connection_lost")


def test_a_refused_connection_is_not_reached():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert pushed(app_at(port))[0] == NotReached("ConnectionRefusedError")


def test_cookies_of_an_app_are_not_kept():
    with WireServer(reply(headers=["Set-Cookie: a=b; Path=/"])) as server:
        client = CallbackClient(app_at(server.port), deadline=SHORT)
        for _ in range(2):
            client.push("evt_1", datetime.now(UTC), BODY)

    assert "cookie" not in headers_of(server.requests[1][0])


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"])
def test_a_private_address_is_never_connected_to(scheme, host):
    with WireServer(reply()) as server:
        outcome, _ = pushed(app_at(server.port, scheme=scheme, host=host, networks=["10.0.0.0/8"]))
        pushed(app_at(server.port))

    assert outcome == NotReached("address_not_allowed")
    assert server.connections == 1


def test_a_public_address_is_never_called_in_plain_text():
    assert pushed(app_at(80, host="8.8.8.8"))[0] == NotReached("plain_http_not_allowed")


def test_a_certificate_is_verified_in_an_allowed_network_too(tmp_path):
    wrap, trust = self_signed(tmp_path)
    with WireServer(reply(), wrap=wrap) as server:
        app = app_at(server.port, scheme="https")
        generous = timedelta(seconds=5)

        assert pushed(app, deadline=generous)[0] == NotReached("SSLCertVerificationError")
        assert pushed(app, deadline=generous, tls=trust)[0] == Delivered()
    assert len(server.requests) == 1


def test_an_app_that_pulls_has_no_client():
    app = App(name="shop", api_keys=(), senders=(), scopes=frozenset())

    with pytest.raises(ValueError, match="shop"):
        CallbackClient(app)
