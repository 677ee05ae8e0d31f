import json
from datetime import UTC, datetime

import pytest
from webhook_fixtures import load

from shared.domain.events import (
    MessageReceived,
    ReportedError,
    StatusReported,
    TemplateStatusChanged,
    UpdateNoted,
)
from shared.domain.identifiers import AttemptReference, ContactId, MessageId
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.domain.templates import Approval, TemplateStatus
from shared.domain.window import InboundKind
from shared.providers.base import UNLISTED
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
        contact=ContactId(PHONE),
        user_id=ContactId(USER),
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

    assert event.error == ReportedError(code="failed", row=UNLISTED, detail="")


def test_a_status_of_another_program_has_no_reference():
    (event,) = events_of("status__played_of_another_program")

    assert (event.reference, event.state) == (None, MessageState.PLAYED)


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("status__unknown_value", ["unknown_status"]),
        ("user_preferences__signup", ["unknown_preference"]),
        ("message__of_one_of_two", ["no_contact"]),
        ("unknown__field", ["field:group_lifecycle_update"]),
    ],
)
def test_what_is_not_ours_to_read_is_set_aside_by_name(name, reasons):
    assert [event.reason for event in events_of(name)] == reasons


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("message__group", "group_message"),
        ("status__group", "group_status"),
        ("template__flagged", "template_flagged"),
        ("template__locked", "template_locked"),
        ("history__chunk", "history"),
        ("smb_message_echoes__text", "message_echo"),
        ("call__terminate", "call_ended"),
        ("call__ours", "own_call"),
    ],
)
def test_what_changes_nothing_here_is_noted_by_kind(name, kind):
    assert events_of(name) == [UpdateNoted(kind=kind)]


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
        at=at(1790000300),
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


def changed(name, **members):
    """The fixture with members of its one update replaced; None takes them away."""
    document = load("meta", name)
    value = document["entry"][0]["changes"][0]["value"]
    (update,) = next(value[list_] for list_ in ("messages", "calls", "statuses") if list_ in value)
    for key, member in members.items():
        if member is None:
            update.pop(key, None)
        else:
            update[key] = member
    return document


@pytest.mark.parametrize(
    ("label", "members", "contact", "user_id", "profile_name"),
    [
        ("number and user id", {}, PHONE, USER, "Ada"),
        ("number alone", {"from_user_id": None}, PHONE, USER, "Ada"),
        ("user id alone", {"from": None}, PHONE, USER, "Ada"),
        ("user id inside from", {"from": USER, "from_user_id": None}, PHONE, USER, "Ada"),
        ("neither", {"from": None, "from_user_id": None}, PHONE, USER, "Ada"),
        ("another number", {"from": "31687654321", "from_user_id": None}, "+31687654321", None, None),
        ("another user id", {"from": None, "from_user_id": "NL.1"}, "NL.1", None, None),
        ("a number with its plus", {"from": "+31612345678"}, PHONE, USER, "Ada"),
        ("a user id that is none", {"from_user_id": "zzz"}, PHONE, USER, "Ada"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_contact_is_found_by_what_the_message_says(label, members, contact, user_id, profile_name):
    (event,) = parse(changed("message__text", **members), RECEIVED_AT)

    assert str(event.contact) == contact
    assert event.user_id == (None if user_id is None else ContactId(user_id))
    assert event.profile_name == profile_name


def test_a_from_that_nobody_has_is_never_the_only_contact_beside_it():
    (event,) = parse(changed("message__text", **{"from": "zzz", "from_user_id": None}), RECEIVED_AT)

    assert event.reason == "no_contact"


@pytest.mark.parametrize(
    ("label", "members", "outcome"),
    [
        ("the contact's by its word", {"to": None}, InboundKind.CALL),
        ("ours by its word", {"from": None, "to": None, "direction": "BUSINESS_INITIATED"}, "own_call"),
        ("the contact's by our number", {"direction": None}, InboundKind.CALL),
        ("ours by our number", {"from": "31201234567", "to": "31612345678", "direction": None}, "own_call"),
        ("nobody's", {"to": None, "direction": None}, "unknown_direction"),
        ("of an unknown event", {"event": "hold"}, "unknown_call_event"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_call_is_the_contact_s_or_ours(label, members, outcome):
    (event,) = parse(changed("call__connect", **members), RECEIVED_AT)

    assert getattr(event, "kind", None) == outcome or getattr(event, "reason", None) == outcome


def test_a_call_is_told_from_ours_however_our_number_is_written():
    document = changed("call__ours_without_direction")
    value = document["entry"][0]["changes"][0]["value"]
    value["metadata"]["display_phone_number"] = "+31 20 123-4567"

    assert parse(document, RECEIVED_AT) == [UpdateNoted(kind="own_call")]


def test_a_type_named_call_is_no_call():
    (event,) = parse(changed("message__text", type="call"), RECEIVED_AT)

    assert event.kind is InboundKind.UNKNOWN


def test_the_news_of_an_account_are_bounded():
    document = load("meta", "account_update__restriction")
    deep = "deep"
    for _ in range(50):
        deep = {"a": deep}
    wide = {f"k{n}": ["x" * 5000] * 1000 for n in range(1000)}
    document["entry"][0]["changes"][0]["value"] |= {"deep": deep, "wide": wide, "nothing": None}

    (event,) = parse(document, RECEIVED_AT)

    assert event.event == "account_restriction"
    assert len(json.dumps(event.details)) < 30_000


def test_details_keep_words_and_numbers_to_the_fourth_level():
    document = load("meta", "account_update__restriction")
    value = {"event": "X", "a": {"b": {"c": {"word": "kept", "d": {"word": "lost"}}}}, "none": None}
    document["entry"][0]["changes"][0]["value"] = value

    (event,) = parse(document, RECEIVED_AT)

    assert event.details == {"a": {"b": {"c": {"word": "kept"}}}}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**400])
def test_a_number_that_no_store_can_hold_is_left_out(number):
    document = load("meta", "status__delivered_with_pricing")
    document["entry"][0]["changes"][0]["value"]["statuses"][0]["pricing"] = {"type": "regular", "n": number}

    (event,) = parse(document, RECEIVED_AT)

    assert event.pricing == {"type": "regular"}


def test_of_many_contacts_only_those_it_needs_are_kept_with_what_is_set_aside():
    document = load("meta", "message__text")
    value = document["entry"][0]["changes"][0]["value"]
    value["contacts"] += [{"wa_id": f"3168000{n:04}", "profile": {"name": "x" * 50}} for n in range(1000)]
    value["messages"] = [{**value["messages"][0], "id": None} for _ in range(1000)]

    events = parse(document, RECEIVED_AT)

    assert {event.reason for event in events} == {"no_id"}
    assert sum(len(event.raw) for event in events) < 1_000_000
