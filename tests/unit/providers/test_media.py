import json
from dataclasses import replace
from datetime import timedelta

import pytest
from provider_builders import CM, META, provider

from shared.domain.content import Media
from shared.http.client import HttpClient
from shared.http.download import DownloadError
from shared.providers.media import MOST_BYTES, Hosts, MediaFile, MediaRefusal, MediaRefused
from shared.providers.meta.media import read_lookup
from tests.unit.http.wire_server import WireServer, cut, hang, headers_of, reply

JPEG = b"\xff\xd8 bytes"
PHOTO = Media(media_id="7001", url="https://lookaside.fbsbx.com/old", mime_type="image/jpeg")


def refused(reason):
    return MediaRefused(MediaRefusal(reason))


def error(code, status="400 Bad Request", **more):
    return reply(json.dumps({"error": {"code": code, "message": "…", **more}}).encode(), status=status)


def file_reply(body=JPEG, **more):
    return reply(body, headers=["Content-Type: image/jpeg"], **more)


class Provider:
    """A wire server that answers in the order of `scripts`, and keeps what it was asked."""

    def __init__(self, *scripts):
        self._scripts = list(scripts)
        self.wire = WireServer(self._answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.__exit__()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.wire.port}"

    @property
    def paths(self):
        return [head.split(b" ")[1].decode() for head, _ in self.wire.requests]

    @property
    def tokens(self):
        return [headers_of(head).get("authorization") for head, _ in self.wire.requests]

    def link(self, path="/link/1", **more):
        """A lookup's answer that leads here."""
        document = {"url": self.url + path, "mime_type": "image/jpeg", "id": "7001", **more}
        return reply(json.dumps(document).encode())

    def _answer(self, connection):
        return self._scripts.pop(0)(self)(connection)


def at(server, sender, *, seconds=5, **changes):
    client = HttpClient(deadline=timedelta(seconds=seconds))
    return provider(replace(sender, base_url=server.url, **changes), client)


def said(script):
    """A script that does not need to know where it runs."""
    return lambda _server: script


def link(path="/link/1", **more):
    return lambda server: server.link(path, **more)


def bytes_of(file):
    assert isinstance(file, MediaFile), file
    try:
        return b"".join(file.chunks)
    finally:
        file.close()


class TestMeta:
    def test_the_id_is_looked_up_and_the_link_fetched_with_the_same_token(self):
        with Provider(link(), said(file_reply())) as server:
            file = at(server, META).fetch_media(PHOTO)

            assert bytes_of(file) == JPEG
            assert (file.content_type, file.size_bytes) == ("image/jpeg", len(JPEG))
        assert server.paths == ["/v24.0/7001", "/link/1"]
        assert server.tokens == ["Bearer meta-token"] * 2

    def test_an_id_cannot_lead_to_another_path(self):
        with Provider(said(error(100))) as server:
            at(server, META).fetch_media(Media(media_id="../7?x=/1"))

        assert server.paths == ["/v24.0/..%2F7%3Fx%3D%2F1"]

    @pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone"])
    def test_a_link_that_is_over_is_renewed_once(self, status):
        over = said(reply(b"", status=status))
        with Provider(link("/1"), over, link("/2"), said(file_reply())) as server:
            assert bytes_of(at(server, META).fetch_media(PHOTO)) == JPEG
        assert server.paths == ["/v24.0/7001", "/1", "/v24.0/7001", "/2"]

    @pytest.mark.parametrize(("status", "reason"), [("404 Not Found", "gone"), ("403 Forbidden", "denied")])
    def test_a_second_link_that_is_over_ends_it(self, status, reason):
        over = said(reply(b"", status=status))
        with Provider(link(), over, link(), over) as server:
            assert at(server, META).fetch_media(PHOTO) == refused(reason)
        assert len(server.paths) == 4

    def test_an_id_that_is_over_by_the_second_lookup_is_gone(self):
        with Provider(link(), said(reply(b"", status="404 Not Found")), said(error(100))) as server:
            assert at(server, META).fetch_media(PHOTO) == refused("gone")

    @pytest.mark.parametrize("status", ["302 Found", "500 Internal Server Error"])
    def test_other_answers_to_the_link_ask_for_no_new_one(self, status):
        with Provider(link(), said(reply(b"", status=status))) as server:
            assert isinstance(at(server, META).fetch_media(PHOTO), MediaRefused)
        assert len(server.paths) == 2

    @pytest.mark.parametrize(
        "elsewhere", ["http://127.0.0.1:{port}/x", "https://127.0.0.1:{port}/x", "http://localhost:{port}/x"]
    )
    def test_the_token_reaches_no_host_that_a_lookup_makes_up(self, elsewhere):
        with WireServer(reply()) as stranger:
            url = elsewhere.format(port=stranger.port)
            with Provider(link(url=url)) as server:
                assert at(server, META).fetch_media(PHOTO) == refused("host_not_allowed")

            assert stranger.connections == 0
            assert len(server.paths) == 1

    def test_a_listed_host_is_called_through_tls_only(self):
        with Provider(link(url="http://lookaside.fbsbx.com/x")) as server:
            file = at(server, META, media_hosts=("lookaside.fbsbx.com",)).fetch_media(PHOTO)

        assert file == refused("host_not_allowed")

    def test_a_file_without_an_id_is_fetched_from_its_address(self):
        with Provider(said(file_reply())) as server:
            assert bytes_of(at(server, META).fetch_media(Media(url=f"{server.url}/link"))) == JPEG
        assert server.paths == ["/link"]

    def test_a_file_with_neither_is_gone(self):
        with Provider() as server:
            assert at(server, META).fetch_media(Media()) == refused("gone")

    def test_a_size_that_the_lookup_declares_is_enough_to_refuse(self):
        with Provider(link(file_size=MOST_BYTES + 1)) as server:
            assert at(server, META).fetch_media(PHOTO) == refused("too_large")
        assert len(server.paths) == 1

    def test_a_provider_that_does_not_answer_is_away(self):
        with Provider(said(cut)) as server:
            assert at(server, META).fetch_media(PHOTO) == refused("away")
        with Provider(said(hang)) as server:
            assert at(server, META, seconds=0.2).fetch_media(PHOTO) == refused("away")
        with Provider(link(), said(cut)) as server:
            assert at(server, META).fetch_media(PHOTO) == refused("away")
        assert at(server, META).fetch_media(PHOTO) == refused("away")  # nobody listens any more

    def test_a_lookup_that_never_ends_is_given_up(self):
        with Provider(said(reply(b"{", length=100_000_000))) as server:
            assert at(server, META, seconds=0.3).fetch_media(PHOTO) == refused("away")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"url": "https://x/1", "file_size": MOST_BYTES}, "https://x/1"),
        (200, {"url": "https://x/1", "file_size": "61901"}, "https://x/1"),
        (200, {"url": "https://x/1", "file_size": "many"}, "https://x/1"),
        (200, {"url": 7}, refused("unreadable")),
        (200, {}, refused("unreadable")),
        (200, [], refused("unreadable")),
        (302, {}, refused("unreadable")),
        (404, {}, refused("gone")),
        (400, {"error": {"code": 100, "error_subcode": 33}}, refused("gone")),
        (400, {"error": {"code": 131052}}, refused("gone")),
        (401, {"error": {"code": 190}}, refused("denied")),
        (403, {"error": {"code": 200}}, refused("denied")),
        (403, {"error": {"code": 999999}}, refused("denied")),
        (400, {"error": {"code": 4}}, refused("away")),
        (503, {"error": {"code": 2}}, refused("away")),
        (429, {}, refused("away")),
        (502, "<html>", refused("away")),
        (400, {"error": "broken"}, refused("unreadable")),
    ],
)
def test_what_a_lookups_answer_means(status, body, expected):
    assert read_lookup(status, json.dumps(body).encode()) == expected


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_lookup_that_is_no_json_is_unreadable(raw):
    assert read_lookup(200, raw) == refused("unreadable")


class TestCm:
    def test_the_address_is_fetched_without_the_token(self):
        with Provider(said(file_reply())) as server:
            file = at(server, CM).fetch_media(Media(url=f"{server.url}/fileproxy/files/0a"))

            assert bytes_of(file) == JPEG
        head = headers_of(server.wire.requests[0][0])
        assert server.tokens == [None]
        assert "x-cm-producttoken" not in head

    def test_a_host_that_is_not_listed_is_never_called(self):
        with WireServer(reply()) as stranger, Provider() as server:
            url = f"https://127.0.0.1:{stranger.port}/fileproxy/files/0a"

            assert at(server, CM).fetch_media(Media(url=url)) == refused("host_not_allowed")
            assert stranger.connections == 0

    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            ("404 Not Found", "gone"),
            ("401 Unauthorized", "denied"),
            ("503 Service Unavailable", "away"),
            ("204 No Content", "unreadable"),
        ],
    )
    def test_an_answer_that_is_no_file_says_why(self, status, reason):
        with Provider(said(reply(b"", status=status))) as server:
            assert at(server, CM).fetch_media(Media(url=f"{server.url}/x")) == refused(reason)

    def test_a_file_without_an_address_is_gone(self):
        with Provider() as server:
            assert at(server, CM).fetch_media(Media()) == refused("gone")

    def test_a_declared_size_over_the_limit_is_refused_before_it_is_read(self):
        with Provider(said(reply(b"x", length=MOST_BYTES + 1))) as server:
            assert at(server, CM).fetch_media(Media(url=f"{server.url}/x")) == refused("too_large")

    def test_a_file_that_ends_too_early_is_an_error_and_not_a_short_file(self):
        def broken(connection):
            reply(b"half", length=8)(connection)
            return "close"

        with Provider(said(broken)) as server:
            file = at(server, CM).fetch_media(Media(url=f"{server.url}/x"))
            with pytest.raises(DownloadError, match="connection_lost"):
                bytes_of(file)


@pytest.mark.parametrize(
    ("base_url", "hosts"),
    [
        ("https://graph.facebook.com/", Hosts(("graph.facebook.com",))),
        ("https://graph.facebook.com:443", Hosts(("graph.facebook.com",))),
        ("https://Graph.example:8443/x", Hosts(("graph.example:8443",))),
        ("http://127.0.0.1:8090", Hosts((), ("127.0.0.1:8090",))),
        ("http://sandbox", Hosts((), ("sandbox",))),
        ("http://[::1]:8090", Hosts((), ("::1:8090",))),
    ],
)
def test_a_provider_is_called_at_its_own_host_alone(base_url, hosts):
    assert Hosts.of(base_url) == hosts


def test_files_lie_on_the_listed_hosts_and_at_a_sandbox():
    assert Hosts.of_media(("a", "b"), "https://graph.facebook.com") == Hosts(("a", "b"))
    assert Hosts.of_media(("a",), "http://127.0.0.1:1") == Hosts(("a",), ("127.0.0.1:1",))
