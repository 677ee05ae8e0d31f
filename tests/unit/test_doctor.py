"""`finestra doctor`, by value: what a server, a clock or a provider says, and how bad that is."""

from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from cli.doctor import or_away
from cli.doctor_clock import Reading, check_clock
from cli.doctor_provider import check_standing, check_webhooks
from cli.doctor_store import (
    check_broker,
    check_data,
    check_lua,
    check_memory,
    check_persistence,
    check_policy,
    check_version,
)
from cli.findings import Level, ok
from cli.main import main
from cli.redis_server import url_left_in
from shared.errors import StoreUnavailableError
from shared.providers.meta.numbers import NumberStanding
from shared.store.connection import StoreRefusal
from shared.store.data_version import CURRENT
from shared.store.health import Condition
from tests.builders import NOW, cm_sender, meta_sender

OK, WARNING, ERROR = Level.OK, Level.WARNING, Level.ERROR
SECOND = timedelta(seconds=1)
GOOD = Condition(
    version="7.2.4",
    policy="noeviction",
    is_append_only=True,
    last_write="ok",
    used_bytes=10 * 2**20,
    most_bytes=100 * 2**20,
)
UNASKED = Condition(
    version=None, policy=None, is_append_only=None, last_write=None, used_bytes=None, most_bytes=None
)


@pytest.mark.parametrize(
    ("check", "changes", "level"),
    [
        (check_version, {}, OK),
        (check_version, {"version": "6.2.0"}, OK),
        (check_version, {"version": "6.0.16"}, ERROR),
        (check_version, {"version": "10.0"}, OK),
        (check_policy, {}, OK),
        (check_policy, {"policy": "allkeys-lru"}, ERROR),
        (check_persistence, {}, OK),
        (check_persistence, {"is_append_only": False}, ERROR),
        (check_persistence, {"last_write": "err"}, ERROR),
        (check_memory, {}, OK),
        (check_memory, {"most_bytes": 0}, WARNING),
        (check_memory, {"used_bytes": 80 * 2**20}, WARNING),
        (check_memory, {"used_bytes": 95 * 2**20}, ERROR),
    ],
)
def test_a_server_is_judged_by_what_it_says(check, changes, level):
    finding = check(replace(GOOD, **changes))

    assert finding.level is level
    assert bool(finding.todo) is (level is not OK)


@pytest.mark.parametrize("check", [check_version, check_policy, check_persistence, check_memory])
def test_a_server_that_may_not_be_asked_is_no_error(check):
    assert check(UNASKED).level is WARNING


@pytest.mark.parametrize(
    ("version", "level", "todo"),
    [
        (CURRENT, OK, ""),
        (CURRENT - 1, ERROR, "run `finestra migrate`, then start again"),
        (CURRENT + 1, ERROR, "start the Finestra that wrote them, or a newer one"),
    ],
)
def test_data_of_another_version_are_an_error(version, level, todo):
    finding = check_data({"default": version})

    assert (finding.level, finding.todo) == (level, todo)


def test_lua_and_a_broker_are_needed():
    assert [check_lua(runs=True).level, check_lua(runs=False).level] == [OK, ERROR]
    assert [check_broker(None).level, check_broker("ConnectionRefusedError").level] == [OK, ERROR]
    assert "ConnectionRefusedError" in check_broker("ConnectionRefusedError").seen


@pytest.mark.parametrize(
    ("told", "level"),
    [
        (NOW, OK),
        (NOW + 2 * SECOND, OK),  # our question was on its way for as long
        (NOW - SECOND, OK),
        (NOW - 1.5 * SECOND, WARNING),
        (NOW + 4 * SECOND, WARNING),
    ],
)
def test_a_clock_is_wrong_only_when_no_way_of_the_answer_explains_it(told, level):
    reading = Reading(asked_at=NOW, told=told, answered_at=NOW + 2 * SECOND)

    assert check_clock(reading, "Redis").level is level


def test_a_date_of_whole_seconds_may_be_as_much_behind():
    reading = Reading(asked_at=NOW, told=NOW - 1.5 * SECOND, answered_at=NOW, step=SECOND)

    assert check_clock(reading, "Meta").level is OK
    assert check_clock(replace(reading, told=NOW - 3 * SECOND), "Meta").seen == "2.0 s off Meta's"


@pytest.mark.parametrize(
    ("can_send", "level"),
    [("AVAILABLE", OK), (None, OK), ("LIMITED", WARNING), ("BLOCKED", ERROR)],
)
def test_what_meta_says_of_a_number_counts(can_send, level):
    standing = NumberStanding(
        can_send=can_send, quality="RED", limit="TIER_2K", throughput="STANDARD", told_at=None
    )

    finding = check_standing(standing, about="shop")

    assert (finding.level, finding.about) == (level, "shop")
    assert "quality RED, limit TIER_2K, throughput STANDARD" in finding.seen


def webhooks(*, came: float = 0, windows: float = 0, refused: float = 0, sender=None):
    """Of a sender, by default of Meta's, to which `came` messages and as many POSTs."""
    sender = sender or meta_sender()
    reading = {
        "inbound_messages_total": {(sender.alias, "text"): came, ("other", "text"): 7},
        "windows_open": {(sender.alias,): windows},
        "webhooks_total": {(sender.alias, "recorded"): came, (sender.alias, "refused"): refused},
    }
    return check_webhooks(sender, reading)


def test_an_open_window_says_that_webhooks_come_whatever_strangers_try():
    finding = webhooks(came=3, windows=2, refused=5)

    assert finding.level is OK
    assert finding.seen == "3 recorded, 5 refused; 3 messages of contacts came, 2 windows open"


@pytest.mark.parametrize("came", [0, 2])
def test_where_no_window_is_open_webhooks_may_come_no_more(came):
    finding = webhooks(came=came)

    assert finding.level is WARNING
    assert "/webhooks/shop and subscribe" in finding.todo


def test_where_only_refused_ones_come_the_secret_is_doubted():
    assert "FinestraWebhooksRefused" in webhooks(refused=3).todo


def test_what_is_told_of_a_webhook_is_the_providers_way():
    todo = webhooks(sender=cm_sender()).todo

    assert "/webhooks/negozio/TOKEN" in todo
    assert "subscribe" not in todo


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (StoreUnavailableError("TimeoutError"), "does not answer (TimeoutError)"),
        (StoreRefusal("NOPERM contact:+393331234567"), "refuses a command (ResponseError)"),
    ],
)
def test_what_was_found_before_the_store_went_away_or_said_no_is_shown(raised, seen):
    def look():
        yield ok("redis", "reachable")
        raise raised

    before, after = or_away(look)

    assert before.level is OK
    assert (after.level, after.seen) == (ERROR, seen)
    assert after.todo


def test_the_server_of_up_is_found_by_what_it_left(tmp_path):
    assert url_left_in(tmp_path) is None

    (tmp_path / "redis.conf").write_text('port 7001\nrequirepass abc\nsave ""\n')

    assert url_left_in(tmp_path) == "redis://:abc@127.0.0.1:7001/0"


def test_all_mistakes_of_the_settings_are_shown_and_nothing_else_is_asked(tmp_path):
    wrong = {
        "FINESTRA_API_BIND": "nowhere",
        "FINESTRA_WORKER_SLOTS": "none",
        "FINESTRA_DATA_DIR": str(tmp_path),
    }

    done = CliRunner().invoke(main, ["doctor"], env={**wrong, "COLUMNS": "200"})

    assert done.exit_code == 1
    assert "API_BIND" in done.output
    assert "WORKER_SLOTS" in done.output
    assert "2 error" in done.output
