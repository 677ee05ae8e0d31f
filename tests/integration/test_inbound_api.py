"""`/v1/inbound`: whose file may be fetched, how it is passed on, and what it says when it cannot."""

import threading
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from shared.configuration import Configuration
from shared.domain.content import Media
from shared.domain.retry import ErrorClass
from shared.domain.window import InboundKind
from shared.http.download import DownloadError
from shared.providers.base import (
    NOT_SENT,
    THROTTLED,
    ErrorRow,
    ReadReceipt,
    ReadUnsupported,
    Rejected,
)
from shared.providers.media import MediaFile, MediaRefusal, MediaRefused
from shared.store.connection import connect
from tests.builders import ANNA, NOW, RecordingProvider, World, app, cm_sender, meta_sender, wrote
from tests.door import DESK, ORDERS, assert_problem
from webhook.api.app import create_api
from webhook.api.inbound import MOST_FETCHES, MOST_RECEIPTS

WAMID = "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJDQjZCMzlEQUE4OTJBMTE4RTUA=="
PHOTO = Media(media_id="7001", mime_type="image/jpeg", filename="è.jpg")


class File:
    """A file at the provider that says whether it was closed."""

    def __init__(self, *chunks, content_type="image/jpeg", size=None):
        self.closed = threading.Event()
        self.opened = MediaFile(
            chunks=self._read(chunks), close=self.closed.set, content_type=content_type, size_bytes=size
        )

    def _read(self, chunks):
        for chunk in chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


class SlowProvider(RecordingProvider):
    """Takes receipts in, and answers when told to."""

    def __init__(self, most):
        super().__init__()
        self.full, self.go_on = threading.Barrier(most + 1), threading.Event()

    def mark_read(self, receipt):
        self.full.wait(10)
        self.go_on.wait(10)
        return super().mark_read(receipt)


def came(world, event_id=WAMID, sender="shop", **changes):
    changes = {"kind": InboundKind.IMAGE, "text": None, "content": PHOTO, **changes}
    event = replace(wrote(event_id=event_id), **changes)
    world.deps.recorder.record([(world.deps.sender(sender), event)], now=NOW)


def has(world, *files, sender="shop"):
    opened = [file.opened if isinstance(file, File) else file for file in files]
    world.providers[sender].files.extend(opened)


def fetch(client, event_id=WAMID, query="", headers=ORDERS, **more):
    return client.get(f"/v1/inbound/{event_id}/media{query}", headers=headers, **more)


def mark(client, event_id=WAMID, query="", headers=ORDERS, **more):
    return client.post(f"/v1/inbound/{event_id}/read{query}", headers=headers, **more)


class TestMedia:
    def test_a_file_is_passed_on_as_it_is_and_closed(self, world, client):
        file = File(b"one", b"two", size=6)
        came(world)
        has(world, file)

        answer = fetch(client)

        assert (answer.status_code, answer.data) == (200, b"onetwo")
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Content-Length"] == "6"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Request-ID"]
        assert world.providers["shop"].fetched == [PHOTO]
        answer.close()
        assert file.closed.is_set()

    def test_nothing_of_it_is_kept(self, world, client):
        came(world)
        has(world, File(b"one"))
        before = {key: world.client.type(key) for key in world.client.keys("*")}

        fetch(client).close()

        assert {key: world.client.type(key) for key in world.client.keys("*")} == before

    def test_without_a_length_none_is_made_up(self, world, client):
        came(world)
        has(world, File(b"one"))

        answer = fetch(client)

        assert "Content-Length" not in answer.headers
        assert answer.data == b"one"

    def test_the_type_is_the_providers_word_then_the_webhooks_if_it_looks_like_one(self, world, client):
        came(world)
        came(world, "wamid.2", content=Media(media_id="1", mime_type="nonsense"))
        has(world, File(b"", content_type="evil\r\nX: y"), File(b"", content_type=None))

        assert fetch(client).headers["Content-Type"] == "image/jpeg"
        assert fetch(client, "wamid.2").headers["Content-Type"] == "application/octet-stream"

    @pytest.mark.parametrize(
        "event_id",
        [
            WAMID,
            "wamid.HBgL/QjZ+CMz==",
            "wamid.A//B==",
            "a/media",
            "a/read",
            "cm:0a1b",
            "wamid.%41",
            "è:{default}",
        ],
    )
    @pytest.mark.parametrize("is_encoded", [True, False])
    def test_any_id_can_be_named(self, world, client, event_id, is_encoded):
        came(world, event_id)
        has(world, File(b"one"))
        written = quote(event_id, safe="" if is_encoded else "/=+:{}")

        assert fetch(client, written).data == b"one"
        assert mark(client, written).json["id"] == event_id

    def test_it_is_found_under_whichever_sender_it_came_to(self, world, client):
        came(world, "cm:1", "negozio", content=Media(url="https://x/1"))
        has(world, File(b"one"), File(b"one"), sender="negozio")

        assert fetch(client, "cm:1").data == b"one"
        assert fetch(client, "cm:1", "?sender=negozio").data == b"one"
        assert_problem(fetch(client, "cm:1", "?sender=shop"), 404, "not_found")
        assert_problem(fetch(client, "cm:1", "?sender=nobody"), 404, "unknown_sender")

    def test_a_key_sees_what_came_to_its_own_senders_only(self, any_redis):
        apps = {"till": app("till", ("events", "messages"), senders=("negozio",))}
        senders = {"shop": meta_sender(), "negozio": cm_sender()}
        world = World(any_redis, configuration=Configuration(senders=senders, apps=apps))
        client, till = create_api(world.deps).test_client(), {"Authorization": "Bearer till-key"}
        came(world)

        assert_problem(fetch(client, headers=till), 404, "not_found")
        assert_problem(fetch(client, query="?sender=shop", headers=till), 403, "sender_not_allowed")
        assert_problem(mark(client, headers=till), 404, "not_found")
        assert world.providers["shop"].fetched == []

    @pytest.mark.parametrize(
        ("scopes", "is_let_in"),
        [
            (("events",), True),
            (("contacts:read",), True),
            (("admin",), True),
            (("messages", "contacts"), False),
        ],
    )
    def test_who_may_read_what_a_contact_wrote_may_fetch_it(self, any_redis, scopes, is_let_in):
        apps = {"till": app("till", scopes)}
        world = World(any_redis, configuration=Configuration(senders={"shop": meta_sender()}, apps=apps))
        came(world)
        has(world, File(b"one"))

        answer = fetch(create_api(world.deps).test_client(), headers={"Authorization": "Bearer till-key"})

        assert answer.status_code == (200 if is_let_in else 403)

    def test_without_a_key_nothing_is_said(self, world, client):
        came(world)

        assert_problem(fetch(client, headers={}), 401, "key_required")
        assert_problem(mark(client, headers={}), 401, "key_required")

    def test_what_never_came_or_holds_no_file_is_404_each_in_its_way(self, world, client):
        came(world, "wamid.text", kind=InboundKind.TEXT, content=None)

        assert_problem(fetch(client, "wamid.never"), 404, "not_found")
        assert_problem(fetch(client, "wamid.text"), 404, "no_media")
        assert world.providers["shop"].fetched == []

    @pytest.mark.parametrize(
        ("reason", "status", "code"),
        [
            ("gone", 410, "media_gone"),
            ("denied", 502, "provider_refused"),
            ("too_large", 502, "media_too_large"),
            ("host_not_allowed", 502, "media_host_not_allowed"),
            ("away", 503, "provider_unavailable"),
            ("unreadable", 502, "provider_refused"),
        ],
    )
    def test_why_a_file_cannot_be_had(self, world, client, reason, status, code):
        came(world)
        has(world, MediaRefused(MediaRefusal(reason)))

        answer = fetch(client)

        assert_problem(answer, status, code)
        assert ("Retry-After" in answer.headers) == (status == 503)

    def test_every_reason_has_its_problem(self, world, client):
        came(world)
        has(world, *(MediaRefused(reason) for reason in MediaRefusal))

        assert all(fetch(client).status_code != 500 for _ in MediaRefusal)

    def test_so_many_at_once_and_no_more(self, world, client):
        came(world)
        files = [File(b"one", b"two") for _ in range(MOST_FETCHES + 1)]
        has(world, *files)
        under_way = [fetch(client, buffered=False) for _ in range(MOST_FETCHES)]

        one_more = fetch(client)

        assert_problem(one_more, 429, "too_many_at_once")
        assert one_more.headers["Retry-After"] == "1"
        assert mark(client).status_code == 200
        under_way[0].close()
        assert files[0].closed.is_set()
        assert fetch(client).status_code == 200
        for answer in under_way:
            answer.close()

    def test_a_client_that_goes_away_gives_its_place_back(self, world, client):
        came(world)
        for _ in range(2 * MOST_FETCHES):
            file = File(b"one", b"two")
            has(world, file)
            answer = fetch(client, buffered=False)
            assert next(answer.response) == b"one"
            answer.close()
            assert file.closed.is_set()

    def test_a_refusal_keeps_no_place(self, world, client):
        came(world)
        for _ in range(2 * MOST_FETCHES):
            has(world, MediaRefused(MediaRefusal.GONE))
            assert fetch(client).status_code == 410

    def test_a_file_that_breaks_off_is_no_whole_answer(self, world, client):
        came(world)
        file = File(b"one", DownloadError("too_large"), size=6)
        has(world, file)

        with pytest.raises(DownloadError), fetch(client, buffered=False) as answer:
            list(answer.response)
        assert file.closed.is_set()

    def test_head_fetches_nothing_for_good(self, world, client):
        file = File(b"one", size=3)
        came(world)
        has(world, file)

        answer = client.head(f"/v1/inbound/{WAMID}/media", headers=ORDERS)
        answer.close()

        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["Content-Length"] == "3"
        assert file.closed.is_set()


class TestRead:
    def test_a_message_is_marked_as_read(self, world, client):
        came(world, read_handle="wamid.CTX")

        answer = mark(client, json={"typing": True})

        assert answer.status_code == 200
        assert answer.json == {"id": WAMID, "marked_read": True, "typing": True}
        assert world.providers["shop"].receipts == [
            ReadReceipt(event_id=WAMID, read_handle="wamid.CTX", contact=ANNA, typing=True)
        ]

    @pytest.mark.parametrize("body", [{}, {"json": {}}, {"json": {"typing": False}}, {"data": b""}])
    def test_the_body_may_be_left_out(self, world, client, body):
        came(world)

        assert mark(client, **body).json == {"id": WAMID, "marked_read": True, "typing": False}

    def test_what_is_wrong_with_a_body_is_said(self, world, client):
        came(world)

        assert "typing" in assert_problem(mark(client, json={"typing": "perhaps"}), 422, "invalid_request")
        assert "typng" in assert_problem(mark(client, json={"typng": True}), 422, "invalid_request")
        assert_problem(mark(client, data="{"), 400, "not_json")
        assert_problem(mark(client, data=" "), 400, "not_json")
        assert world.providers["shop"].receipts == []

    def test_it_needs_the_scope_of_those_who_write(self, any_redis):
        apps = {"till": app("till", ("events", "contacts:read"))}
        world = World(any_redis, configuration=Configuration(senders={"shop": meta_sender()}, apps=apps))
        came(world)
        client = create_api(world.deps).test_client()

        assert_problem(mark(client, headers={"Authorization": "Bearer till-key"}), 403, "scope_missing")

    def test_an_unknown_message_is_404(self, client):
        assert_problem(mark(client, "wamid.never"), 404, "not_found")

    def test_what_the_provider_is_not_known_to_do_is_said(self, world, client):
        came(world)
        world.providers["shop"].receipt_answers.append(ReadUnsupported("It does not say how"))

        answer = mark(client)

        assert_problem(answer, 422, "unsupported_by_provider")
        assert answer.get_json(force=True)["detail"] == "It does not say how."

    @pytest.mark.parametrize(
        ("rejected", "wait"),
        [
            (Rejected(code="not_sent", row=NOT_SENT), "5"),
            (Rejected(code="http_429", row=THROTTLED, retry_after=timedelta(seconds=30.2)), "31"),
            (
                Rejected(
                    code="4",
                    row=ErrorRow(
                        error_class=ErrorClass.THROTTLE, advice="…", minimum_wait=timedelta(minutes=5)
                    ),
                ),
                "300",
            ),
        ],
    )
    def test_a_provider_that_is_away_is_503_and_says_when_to_come_back(self, world, client, rejected, wait):
        came(world)
        world.providers["shop"].receipt_answers.append(rejected)

        answer = mark(client)

        assert_problem(answer, 503, "provider_unavailable")
        assert answer.headers["Retry-After"] == wait

    def test_a_provider_that_refuses_is_502_without_its_own_words(self, world, client):
        came(world)
        row = ErrorRow(error_class=ErrorClass.PERMANENT, advice="Do this.")
        rejected = Rejected(code="131009", row=row, detail="token EAAJB is not valid")
        world.providers["shop"].receipt_answers.append(rejected)

        answer = mark(client)

        assert_problem(answer, 502, "provider_refused")
        assert "131009" in answer.text
        assert "EAAJB" not in answer.text

    def test_so_many_at_once_and_no_more(self, world, client):
        came(world)
        slow = world.providers["shop"] = SlowProvider(MOST_RECEIPTS)
        client = create_api(world.deps).test_client()
        markers = [
            threading.Thread(target=mark, args=(client.application.test_client(),))
            for _ in range(MOST_RECEIPTS)
        ]
        for marker in markers:
            marker.start()
        slow.full.wait(10)

        assert_problem(mark(client), 429, "too_many_at_once")

        slow.go_on.set()
        for marker in markers:
            marker.join()
        assert len(slow.receipts) == MOST_RECEIPTS


def test_a_store_that_is_away_is_503():
    away = create_api(World(connect("redis://127.0.0.1:1/0")).deps).test_client()

    assert_problem(fetch(away), 503, "store_unavailable")
    assert_problem(mark(away, query="?sender=shop", headers=DESK), 503, "store_unavailable")
