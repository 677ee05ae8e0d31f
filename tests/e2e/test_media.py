"""A contact's photo through the real processes, from the sandbox to whoever asks us for it."""

import hashlib
import socket
from urllib.parse import quote

import pytest
import requests

ANNA = "+393331234567"
LARGE = 100 * 1024 * 1024 + 1


@pytest.fixture(scope="module")
def started(shared_stage):
    return shared_stage("receiver", "api", "sandbox")


@pytest.fixture
def live(started):
    started.clear()
    return started


def ask(live, method, message_id, what, **more):
    url = f"{live.app.url}/v1/inbound/{quote(message_id, safe='')}/{what}"
    return requests.request(
        method, url, headers={"Authorization": f"Bearer {live.app.key}"}, timeout=60, **more
    )


def fetch(live, sent, **more):
    return ask(live, "GET", sent["id"], "media", **more)


def newest_id(live, sender):
    contact = live.app.call("GET", f"/v1/contacts/{ANNA}?sender={sender}")
    return contact["latest"][0]["id"]


def read_to_the_end(answer):
    """Whether the end was a proper one, and how many bytes came before it."""
    received = 0
    try:
        with answer:
            for chunk in answer.iter_content(1024 * 1024):
                received += len(chunk)
    except requests.exceptions.ChunkedEncodingError:
        return False, received
    return True, received


def code_of(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.json()["code"]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def test_a_photo_comes_through_as_it_was_sent(live):
    sent = live.sends_file(ANNA, kind="image", bytes=300_001)

    answer = fetch(live, sent)

    assert (answer.status_code, digest(answer.content)) == (200, sent["media"]["sha256"])
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Length"] == "300001"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="image.jpg"'


def test_a_document_of_cm_comes_through_with_its_name(live):
    sent = live.sends_file(ANNA, "negozio", kind="document", filename="../fattura è.pdf", bytes=70_000)

    answer = ask(live, "GET", newest_id(live, "negozio"), "media")

    assert (answer.status_code, digest(answer.content)) == (200, sent["media"]["sha256"])
    assert "filename*=UTF-8''fattura%20%C3%A8.pdf" in answer.headers["Content-Disposition"]


def test_a_link_that_is_over_is_renewed_and_a_file_that_is_over_is_gone(live):
    sent = live.sends_file(ANNA, kind="image")
    live.sandbox("POST", "faults", number="+15550783881", kind="stale_link")
    renewed = fetch(live, sent)
    live.sandbox("PUT", "settings", media_link_seconds=0)
    over = fetch(live, sent)
    live.sandbox("PUT", "settings", media_kept_seconds=0)
    forgotten = fetch(live, sent)

    assert (renewed.status_code, digest(renewed.content)) == (200, sent["media"]["sha256"])
    assert (over.status_code, code_of(over)) == (410, "media_gone")
    assert (forgotten.status_code, code_of(forgotten)) == (410, "media_gone")


def test_the_token_goes_to_nobody_whom_a_lookup_makes_up(live):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0.5)
        live.sandbox("PUT", "settings", media_host=f"http://127.0.0.1:{stranger.getsockname()[1]}")
        sent = live.sends_file(ANNA, kind="image")

        answer = fetch(live, sent)

        assert (answer.status_code, code_of(answer)) == (502, "media_host_not_allowed")
        with pytest.raises(TimeoutError):
            stranger.accept()


def test_a_file_that_is_too_large_is_refused_or_cut_and_never_looks_whole(live):
    sent = live.sends_file(ANNA, kind="video", bytes=LARGE)
    declared = fetch(live, sent)
    live.sandbox("PUT", "settings", media_says_size=False)
    is_whole, received = read_to_the_end(fetch(live, sent, stream=True))

    assert (declared.status_code, code_of(declared)) == (502, "media_too_large")
    assert not is_whole
    assert 0 < received < LARGE


def test_readers_who_go_away_hold_no_place(live):
    sent = live.sends_file(ANNA, kind="video", bytes=20 * 1024 * 1024)

    for _ in range(20):
        with fetch(live, sent, stream=True) as answer:
            if answer.status_code == 429:  # the place of the one before is still being given back
                continue
            assert len(next(answer.iter_content(1000))) == 1000
    live.until(lambda: fetch(live, sent).status_code == 200, "a free place", seconds=10)


def test_a_provider_that_is_away_is_503(live):
    sent = live.sends_file(ANNA, kind="image")
    live.sandbox("POST", "faults", number="+15550783881", kind="no_body", status=502)
    live.sandbox("POST", "faults", number="+15550783881", kind="drop")
    answers = [fetch(live, sent) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert {code_of(answer) for answer in answers} == {"provider_unavailable"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)


def test_a_message_is_marked_as_read_and_we_are_seen_typing(live):
    sent = live.sends_file(ANNA, kind="image")
    read = ask(live, "POST", sent["id"], "read")
    typing = ask(live, "POST", sent["id"], "read", json={"typing": True})

    told = live.sandbox("GET", "receipts")["receipts"]

    assert read.json() == {"id": sent["id"], "marked_read": True, "typing": False}
    assert typing.json() == {"id": sent["id"], "marked_read": True, "typing": True}
    assert [each["kind"] for each in told] == ["read", "read", "typing"]
    assert {each["message_id"] for each in told} == {sent["id"]}


def test_cm_marks_nothing_while_nobody_says_by_which_id(live):
    live.writes(ANNA, "negozio")

    answer = ask(live, "POST", newest_id(live, "negozio"), "read")

    assert (answer.status_code, code_of(answer)) == (422, "unsupported_by_provider")
    assert live.sandbox("GET", "receipts")["receipts"] == []


def test_no_log_names_a_person_or_a_token(live):
    sent = live.sends_file(ANNA, kind="image", bytes=LARGE)
    live.sandbox("PUT", "settings", media_says_size=False)
    read_to_the_end(fetch(live, sent, stream=True))
    logs = "".join(path.read_text() for path in live.unit.log_dir.glob("*"))

    assert "too_large" in logs
    assert sent["id"] not in logs
    assert live.unit.development.secret("shop_token") not in logs
    assert "whatsapp_business/attachments" not in logs
