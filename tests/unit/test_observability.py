"""Logs: one line an event, no person in it whoever wrote the line."""

import json
import re

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.identifiers import ContactId, MessageId, PhoneNumber
from shared.observability import LogEvent, configure_logging, get_logger, mask_people
from tests.unit.domain.strategies import phone_numbers

ULID = "01JD8Z6Q4R5S6T7V8W9X0Y1Z2A"


@pytest.fixture
def _fresh_logging():
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def masked(value: object) -> object:
    return mask_people(None, "info", {"seen": value})["seen"]


def logged(capsys: pytest.CaptureFixture[str], log_format: str = "json", **fields: object) -> list[str]:
    configure_logging(log_format)
    get_logger().info(LogEvent.WEBHOOK, **fields)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "+393331234567",
        "393331234567",
        "+39 333 123 4567",
        "+39 (333) 123-45-67",
        "+39.333.1234567",
        "+6831234",  # the shortest: 7 digits
        "to 393331234567, again",
        "tel:+393331234567",
        "/v1/contacts/+393331234567/consent",
        "%2B393331234567",
        "NL.90011223344",
        "3933312345673933312345",
    ],
)
def test_what_may_be_a_number_is_hidden(text):
    shown = masked(text)

    assert "[number]" in shown
    assert not re.search(r"\d{4}", shown)


def test_a_number_as_a_name_inside_is_hidden_too():
    assert masked({"+393331234567": 1}) == {"[number]": 1}


@given(phone_numbers, st.sampled_from(["", "for ", "wa_id="]), st.sampled_from(["", " failed", ","]))
def test_no_phone_number_is_ever_shown_with_its_plus(number, before, after):
    assert number[1:] not in masked(f"{before}{number}{after}")


@given(phone_numbers.filter(lambda number: len(number) > 8))
def test_no_phone_number_of_8_digits_or_more_is_shown_without_its_plus(number):
    assert number[1:] not in masked(f"to {number[1:]}")


@pytest.mark.parametrize(
    "text",
    ["shop", "131047", "2026-11-22T12:00:00.123456Z", f"msg_{ULID}", "http_429", "0.125", "127.0.0.1:8080"],
)
def test_what_is_no_person_stays_readable(text):
    assert masked(text) == text


@pytest.mark.parametrize("name", ["text", "body", "raw", "payload", "variables", "name"])
def test_fields_that_hold_texts_are_dropped(name):
    assert mask_people(None, "info", {"event": "webhook", name: "Ciao Anna"}) == {"event": "webhook"}


@pytest.mark.parametrize(
    "value",
    [
        PhoneNumber("+393331234567"),
        ContactId("+393331234567"),
        ValueError("no such contact: 393331234567"),
        ["+393331234567"],
        ("shop", {"to": "+393331234567"}),
        {"contact": {"wa_id": "393331234567", "text": "Ciao Anna"}},
        {"+393331234567"},
        b"393331234567",
    ],
    ids=lambda value: type(value).__name__,
)
def test_people_are_hidden_in_values_of_any_type(value):
    shown = json.dumps(masked(value))

    assert "3331234567" not in shown
    assert "Ciao" not in shown


@pytest.mark.parametrize("value", [3, 2.5, True, None])
def test_counts_and_flags_stay_what_they_are(value):
    assert masked(value) is value


@pytest.mark.usefixtures("_fresh_logging")
def test_an_id_of_a_message_is_shown_whole(capsys):
    (line,) = logged(capsys, message_id=MessageId.from_ulid(ULID))

    assert json.loads(line)["message_id"] == f"msg_{ULID}"


@pytest.mark.usefixtures("_fresh_logging")
def test_a_line_is_json_with_its_event_level_and_time(capsys):
    (line,) = logged(capsys, sender="shop", accepted=3)
    entry = json.loads(line)

    assert entry["timestamp"].endswith("Z")
    assert {**entry, "timestamp": ""} == {
        "event": "webhook",
        "level": "info",
        "sender": "shop",
        "accepted": 3,
        "timestamp": "",
    }


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("break_", ["\n", "\r\n", "\u2028", "\x1b[2K"])
@pytest.mark.usefixtures("_fresh_logging")
def test_nobody_can_write_a_second_line_into_the_log(capsys, log_format, break_):
    lines = logged(capsys, log_format, reason=f'x{break_}{{"event": "message_accepted"}}')

    assert len(lines) == 1
    assert break_ not in lines[0]


@pytest.mark.usefixtures("_fresh_logging")
def test_what_is_bound_to_a_task_is_masked_too(capsys):
    structlog.contextvars.bind_contextvars(contact="+393331234567")
    (line,) = logged(capsys)

    assert json.loads(line)["contact"] == "[number]"


@pytest.mark.usefixtures("_fresh_logging")
def test_a_traceback_is_one_line_and_masked(capsys):
    configure_logging("json")
    try:
        raise ValueError("no such contact: +393331234567")  # noqa: TRY301
    except ValueError:
        get_logger().exception(LogEvent.BUG)
    (line,) = capsys.readouterr().out.splitlines()

    assert "ValueError: no such contact: [number]" in json.loads(line)["exception"]


def test_names_of_events_are_words_and_each_is_there_once():
    assert all(re.fullmatch(r"[a-z_]+", event) for event in LogEvent)
    assert len({event.value for event in LogEvent}) == len(LogEvent.__members__)


def test_the_digits_of_our_own_ids_stay():
    ids = {
        "id": "msg_01234567890123456789ABCDEF",
        "event_id": "evt_default_1795660127915-0",
        "request_id": "1234567890abcdef1234567890abcdef",
        "task_id": "12345678-1234-1234-1234-123456789012",
    }

    assert mask_people(None, "", ids | {"count": 39333123456}) == ids | {"count": "[number]"}
