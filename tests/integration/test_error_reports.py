"""What Sentry hears of a bug: what kind, where, and our ids. No text, no variable, nobody."""

import json
import subprocess
import sys
import time

import pytest
import structlog
from sentry_sdk.transport import Transport

from shared.error_reports import error_reports
from shared.observability import LogEvent, configure_logging, get_logger
from shared.settings import load_settings
from tests.builders import World
from tests.door import DESK
from tests.sentry import Sentry
from webhook.api.app import create_api

DSN = "https://0123456789abcdef0123456789abcdef@sentry.example/7"
NUMBER, TEXT, NAME = "+393338765432", "canarino in segreto", "Ginevra"


class Kept(Transport):
    """Keeps what would have left."""

    sent: list[bytes]

    def __init__(self, options):
        super().__init__(options)
        self.sent = []

    def capture_envelope(self, envelope):
        self.sent.append(envelope.serialize())


@pytest.fixture
def kept():
    transport = Kept({"dsn": DSN})
    configure_logging("json", error_reports(DSN, transport))
    yield transport
    structlog.reset_defaults()


def event_of(kept) -> dict:
    (envelope,) = kept.sent
    return json.loads(envelope.splitlines()[-1])


def fall(text: str = TEXT) -> None:
    local_variable = f"{text} {NAME}"
    try:
        raise KeyError(NUMBER)  # noqa: TRY301
    except KeyError as exc:
        raise ValueError(local_variable) from exc


def test_a_bug_is_told_with_its_place_and_our_ids(kept):
    try:
        fall()
    except ValueError:
        get_logger().error(LogEvent.BUG, where="outbound.drain", sender="shop", at="x.py:1 fall", text=TEXT)

    event = event_of(kept)
    assert event["tags"] == {"where": "outbound.drain", "sender": "shop", "at": "x.py:1 fall"}
    assert [error["type"] for error in event["exception"]["values"]] == ["KeyError", "ValueError"]
    assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "fall"
    assert event["release"].startswith("finestra@")


def test_nobody_and_no_text_is_in_it(kept):
    try:
        fall()
    except ValueError:
        get_logger().error(LogEvent.BUG, at=f"{NUMBER} stumbled", message_id=NUMBER, contact=NUMBER)

    (envelope,) = kept.sent
    for canary in (NUMBER, NUMBER[1:], TEXT, NAME, "local_variable", "raise KeyError", "vars", "breadcrumbs"):
        assert canary.encode() not in envelope, canary


def test_only_bugs_are_told(kept):
    get_logger().error(LogEvent.SENDER_HALTED, sender="shop")

    assert kept.sent == []


def test_without_an_exception_at_hand_the_line_is_told(kept):
    get_logger().error(LogEvent.BUG, where="thread bell", error="ValueError")

    assert event_of(kept)["tags"] == {"where": "thread bell", "error": "ValueError"}


def test_a_bug_in_a_request_is_told_with_the_id_of_the_request_and_nothing_of_the_request(kept, fake_redis):
    client = create_api(World(fake_redis).deps).test_client()
    fake_redis.set("sender:{default}:shop", f"{NUMBER} {NAME}")  # not the type that is read

    answer = client.get(
        f"/v1/senders?{NAME}={TEXT}", headers=DESK | {"X-Request-ID": "mine-1", "Cookie": NAME}
    )

    event = event_of(kept)
    assert answer.status_code == 500
    assert (event["tags"]["request_id"], event["tags"]["app"]) == ("mine-1", "desk")
    assert not {"request", "user", "extra", "contexts", "server_name", "modules"} & set(event)
    assert NAME not in json.dumps(event)


def test_nobody_is_told_where_nothing_is_configured():
    assert error_reports("") is None


@pytest.mark.parametrize(
    "dsn", ["sentry.example/7", "https://sentry.example/7", "https://key@sentry.example"]
)
def test_an_address_that_is_none_is_refused_at_the_start(monkeypatch, dsn):
    monkeypatch.setenv("FINESTRA_SENTRY_DSN", dsn)

    with pytest.raises(Exception, match="as Sentry shows it") as raised:
        load_settings()

    assert dsn not in str(raised.value)


AROUND_A_FORK = """
import os, sys
from shared.error_reports import error_reports

on_bug = error_reports(sys.argv[1])
on_bug({"where": "before"})
sys.stdin.readline()
child = os.fork() == 0
on_bug({"where": "child" if child else "parent"})
sys.stdin.read()
os._exit(0)
"""


def test_both_sides_of_a_fork_are_heard():
    with Sentry(answers=True).listening() as sentry:
        command = [sys.executable, "-c", AROUND_A_FORK, sentry.dsn]
        forked = subprocess.Popen(command, stdin=subprocess.PIPE)
        before = sentry.next_place()
        forked.stdin.write(b"go on\n")
        forked.stdin.flush()
        after = {sentry.next_place(), sentry.next_place()}
        forked.communicate(timeout=20)

    assert (before, after) == ("before", {"parent", "child"})


def test_nobody_waits_for_one_that_never_answers_and_a_hundred_reports_do():
    with Sentry(answers=False).listening() as sentry:
        on_bug = error_reports(sentry.dsn)
        started = time.monotonic()
        for number in range(300):
            on_bug({"where": f"place {number}"})
        took = time.monotonic() - started
        told = [sentry.next_place()]
        sentry.may_answer.set()
        while told[-1] != "afterwards":
            on_bug({"where": "afterwards"})
            told.append(sentry.next_place())

    assert took < 2  # one answer would take until the end of the test
    assert 100 <= len([place for place in told if place.startswith("place")]) <= 102


BEFORE_THE_END = """
import sys
from shared.error_reports import error_reports

on_bug = error_reports(sys.argv[1])
for number in range(300):
    on_bug({"where": f"place {number}"})
print("told", flush=True)
sys.stdin.read()
"""


def test_a_process_does_not_wait_at_its_end_for_one_that_never_answers():
    with Sentry(answers=False).listening() as sentry:
        command = [sys.executable, "-c", BEFORE_THE_END, sentry.dsn]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        sentry.heard.get(timeout=20)
        ended = time.monotonic()
        child.communicate(timeout=20)
        took = time.monotonic() - ended

    assert child.returncode == 0
    assert took < 2  # Sentry's own way is to give it two seconds
