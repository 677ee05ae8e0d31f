from datetime import UTC, datetime

import pytest
from webhook_fixtures import load

from shared.domain.events import StatusReported
from shared.domain.identifiers import AttemptReference, ContactId, MessageId
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.domain.window import InboundKind
from shared.providers.cm.parse import parse

RECEIVED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
REFERENCE = AttemptReference(MessageId("msg_01JD0000000000000000000000"), 1)


def events_of(name):
    return parse(load("cm", name), RECEIVED_AT)


@pytest.mark.parametrize(
    ("name", "kind", "text", "payload"),
    [
        ("message__text", InboundKind.TEXT, "Is it open today?", None),
        ("message__image", InboundKind.IMAGE, None, None),
        ("message__sticker_without_type", InboundKind.STICKER, None, None),
        ("message__reply_button", InboundKind.INTERACTIVE, "Yes", "yes"),
        ("message__location_misspelt", InboundKind.LOCATION, None, None),
    ],
)
def test_an_inbound_message_is_read(name, kind, text, payload):
    (event,) = events_of(name)

    assert (event.kind, event.text, event.payload) == (kind, text, payload)
    assert (event.recipient, event.contact) == ("31850000001", ContactId("+31600000001"))
    assert event.at == datetime(2026, 1, 31, 10, 15, 30, tzinfo=UTC)


def test_a_message_sent_again_has_the_same_id_and_another_text_has_not():
    document = load("cm", "message__text")
    (first,) = parse(document, RECEIVED_AT)
    document["from"]["number"], document["to"]["number"] = "0031600000001", "+31850000001"
    (again,) = parse(document, RECEIVED_AT)
    document["message"]["text"] = "Is it open tomorrow?"
    (other,) = parse(document, RECEIVED_AT)

    assert first.event_id.startswith("cm:")
    assert first.event_id == again.event_id != other.event_id


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("message__sms", "other_channel"),
        ("event__instagram", "event"),
        ("status__unknown_code", "unknown_status"),
        ("status__reference_of_another_program", "no_reference"),
    ],
)
def test_what_is_not_ours_to_read_is_set_aside_by_name(name, reason):
    (event,) = events_of(name)

    assert event.reason == reason


@pytest.mark.parametrize("written", [None, "", "yesterday", "2026-01-31", 1790000000, "2026-13-31T10:15:30"])
def test_an_unreadable_time_is_never_taken_for_now(written):
    (event,) = parse({**load("cm", "message__text"), "timeUtc": written}, RECEIVED_AT)

    assert event.reason == "bad_timestamp"


def test_a_report_is_read_in_any_case_of_keys_with_codes_as_numbers():
    (event,) = events_of("status__delivered_upper_case_numbers")

    assert event == StatusReported(
        recipient=None,
        reference=REFERENCE,
        provider_message_id=None,
        state=MessageState.DELIVERED,
        at=RECEIVED_AT,
    )


@pytest.mark.parametrize(
    ("name", "code", "error_class"),
    [
        ("status__failed_window_closed", "62", ErrorClass.WINDOW),
        ("status__rejected_without_code", "rejected", ErrorClass.PERMANENT),
    ],
)
def test_a_failure_says_why(name, code, error_class):
    (event,) = events_of(name)

    assert event.state is MessageState.FAILED
    assert (event.error.code, event.error.error_class) == (code, error_class)


def test_a_code_of_the_gateway_is_not_one_of_a_report():
    document = load("cm", "status__failed_window_closed")
    document["messages"]["msg"]["status"]["errorCode"] = "101"

    (event,) = parse(document, RECEIVED_AT)

    assert event.error.error_class is ErrorClass.PERMANENT


def test_one_bad_report_does_not_cost_its_neighbours():
    sent, bad, delivered = events_of("status__array_with_poison")

    assert (sent.state, bad.reason) == (MessageState.SENT, "not_an_object")
    assert delivered.state is MessageState.DELIVERED
