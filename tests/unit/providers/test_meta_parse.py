from datetime import UTC, datetime

import pytest
from webhook_fixtures import load

from shared.domain.events import (
    MessageReceived,
    ReportedError,
    StatusReported,
    TemplateStatusChanged,
    UpdateSetAside,
)
from shared.domain.identifiers import AttemptReference, ContactId, MessageId
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.domain.templates import Approval, TemplateStatus
from shared.domain.window import InboundKind
from shared.providers.meta.parse import parse

RECEIVED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
REFERENCE = AttemptReference(MessageId("msg_01JD0000000000000000000000"), 1)
USER = "NL.90011223344"
PHONE = "+31612345678"
NUMBER_ID = "555000111222333"


def events_of(name):
    return parse(load("meta", name), RECEIVED_AT)


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("name", "contact", "kind", "text", "payload"),
    [
        ("message__text", PHONE, InboundKind.TEXT, "caffè 😀 a/b", None),
        ("message__image_with_caption", PHONE, InboundKind.IMAGE, None, None),
        ("message__button_of_template", PHONE, InboundKind.BUTTON, "Stop", "STOP_PROMO"),
        ("message__list_reply", PHONE, InboundKind.INTERACTIVE, "Friday", "r2"),
        ("message__flow_reply", PHONE, InboundKind.INTERACTIVE, None, None),
        ("message__reaction_removed", PHONE, InboundKind.REACTION, None, None),
        ("message__revoke_as_unsupported", PHONE, InboundKind.REVOKE, None, None),
        ("message__unknown_type", PHONE, InboundKind.UNKNOWN, None, None),
        ("message__without_phone_number", USER, InboundKind.TEXT, "hello", None),
        ("message__user_id_inside_from", USER, InboundKind.TEXT, "hello", None),
        ("message__changed_number", PHONE, InboundKind.SYSTEM, None, None),
    ],
)
def test_an_inbound_message_is_read(name, contact, kind, text, payload):
    (event,) = events_of(name)

    assert isinstance(event, MessageReceived)
    assert (event.contact, event.kind) == (ContactId(contact), kind)
    assert (event.text, event.payload) == (text, payload)
    assert event.recipient == NUMBER_ID


def test_a_message_has_the_provider_s_id_and_time():
    (event,) = events_of("message__text")

    assert (event.event_id, event.at) == ("wamid.IN1", at(1790000000))


def test_a_status_is_read_whole():
    (event,) = events_of("status__delivered_with_pricing")

    assert event == StatusReported(
        recipient=NUMBER_ID,
        reference=REFERENCE,
        provider_message_id="wamid.OUT1",
        state=MessageState.DELIVERED,
        at=at(1790000123),
        pricing={"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"},
    )


@pytest.mark.parametrize(
    ("name", "code", "error_class"),
    [
        ("status__failed_window_closed", "131047", ErrorClass.WINDOW),
        ("status__failed_code_as_text", "132015", ErrorClass.TEMPLATE),
    ],
)
def test_a_failure_says_why(name, code, error_class):
    (event,) = events_of(name)

    assert event.state is MessageState.FAILED
    assert (event.error.code, event.error.error_class) == (code, error_class)


def test_a_closed_window_is_recognised_by_its_text_when_the_code_is_lost():
    document = load("meta", "status__failed_window_closed")
    del document["entry"][0]["changes"][0]["value"]["statuses"][0]["errors"][0]["code"]

    (event,) = parse(document, RECEIVED_AT)

    assert (event.error.code, event.error.error_class) == ("131047", ErrorClass.WINDOW)


def test_a_failure_without_any_error_is_unlisted():
    document = load("meta", "status__failed_window_closed")
    del document["entry"][0]["changes"][0]["value"]["statuses"][0]["errors"]

    (event,) = parse(document, RECEIVED_AT)

    assert event.error == ReportedError(code="failed", error_class=ErrorClass.PERMANENT, detail="")


def test_a_status_of_another_program_has_no_reference():
    (event,) = events_of("status__played_of_another_program")

    assert (event.reference, event.state) == (None, MessageState.PLAYED)


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("message__group", ["group_message"]),
        ("status__unknown_value", ["unknown_status"]),
        ("errors__throughput", ["account_error"]),
        ("account_update__restriction", ["field:account_update"]),
        ("smb_message_echoes__text", ["field:smb_message_echoes"]),
        ("template__quality_under_the_wrong_field", ["field:message_template_quality_update"]),
    ],
)
def test_what_is_not_ours_to_read_is_set_aside_by_name(name, reasons):
    events = events_of(name)

    assert [event.reason for event in events if isinstance(event, UpdateSetAside)] == reasons


def test_one_bad_update_does_not_cost_its_neighbours():
    first, bad, last = events_of("message__poison_between_two")

    assert (first.text, bad.reason, last.text) == ("one", "no_id", "two")


def test_every_entry_change_and_update_is_read():
    events = events_of("batch__two_entries_three_changes")

    kinds = [getattr(event, "state", None) or event.text for event in events]
    assert kinds == ["one", "two", MessageState.DELIVERED, MessageState.READ, MessageState.SENT]


@pytest.mark.parametrize("timestamp", [None, "", "soon", "-5", 1.5, True, "1790000000000", 10**15])
def test_an_unreadable_time_is_never_taken_for_now(timestamp):
    document = load("meta", "message__text")
    document["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = timestamp

    (event,) = parse(document, RECEIVED_AT)

    assert event.reason == "bad_timestamp"


def test_a_time_may_be_a_number():
    document = load("meta", "message__text")
    document["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = 1790000000

    (event,) = parse(document, RECEIVED_AT)

    assert event.at == at(1790000000)


def test_half_a_surrogate_pair_does_not_reach_the_store():
    document = load("meta", "message__text")
    document["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] = "ciao \ud83d!"

    (event,) = parse(document, RECEIVED_AT)

    assert event.text == "ciao �!"


def test_a_rejected_template_says_why():
    (event,) = events_of("template__rejected")

    assert event == TemplateStatusChanged(
        account="100200300400500",
        name="parcel_ready",
        language="en_US",
        approval=Approval.REJECTED,
        stopped=None,
        reason="INVALID_FORMAT: two parameters touch",
    )


@pytest.mark.parametrize(
    ("event_name", "approval", "stopped"),
    [
        ("APPROVED", Approval.APPROVED, None),
        ("reinstated", Approval.APPROVED, None),
        ("UNARCHIVED", Approval.APPROVED, None),
        ("PENDING", Approval.PENDING, None),
        ("IN_APPEAL", Approval.PENDING, None),
        ("PAUSED", None, TemplateStatus.PAUSED),
        ("DISABLED", None, TemplateStatus.DISABLED),
        ("ARCHIVED", None, TemplateStatus.ARCHIVED),
        ("DELETED", None, TemplateStatus.ARCHIVED),
    ],
)
def test_each_template_event_has_its_meaning(event_name, approval, stopped):
    document = load("meta", "template__paused_in_small_letters")
    document["entry"][0]["changes"][0]["value"]["event"] = event_name

    (event,) = parse(document, RECEIVED_AT)

    assert (event.approval, event.stopped) == (approval, stopped)


def test_a_pause_gives_its_stage_as_reason():
    (event,) = events_of("template__paused_in_small_letters")

    assert (event.stopped, event.reason) == (TemplateStatus.PAUSED, "FIRST_PAUSE")
