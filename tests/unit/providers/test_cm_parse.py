import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from webhook_fixtures import load

from shared.domain.content import Location, Media, Order, OrderedItem, Reaction, Reply
from shared.domain.events import StatusReported, UpdateSetAside
from shared.domain.identifiers import AttemptReference, ContactId, MessageId
from shared.domain.keywords import read_keyword
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.domain.window import InboundKind
from shared.providers.cm.parse import parse

RECEIVED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
REFERENCE = AttemptReference(MessageId("msg_01JD0000000000000000000000"), 1)
FILE = "https://cdn-1.messaging.cm.com/fileproxy/files/00ff00ff00ff00ff00ff00ff00ff00ff"


def events_of(name):
    return parse(load("cm", name), RECEIVED_AT)


def document(name="message__text", *, text=None, media=None, custom=None, **changes):
    """A fixture with another message in it, or other fields beside it."""
    base = {**load("cm", name), **changes}
    message = {"text": text, "media": media, "custom": custom}
    given = {key: value for key, value in message.items() if value is not None}
    return {**base, "message": {**base["message"], **given}}


def read(*arguments, **changes):
    (event,) = parse(document(*arguments, **changes), RECEIVED_AT)
    return event


def media(content_type, **changes):
    return {"mediaUri": FILE, "contentType": content_type, "title": "", **changes}


def report(**changes):
    base = load("cm", "status__delivered")["messages"]["msg"]
    status = {**base["status"], **changes.pop("status", {})}
    return {"messages": {"msg": {**base, "status": status, **changes}}}


def in_upper_case(value):
    if isinstance(value, dict):
        return {key.upper(): in_upper_case(item) for key, item in value.items()}
    return [in_upper_case(item) for item in value] if isinstance(value, list) else value


def turned_round(value):
    if isinstance(value, dict):
        return {key: turned_round(item) for key, item in reversed(value.items())}
    return value


class TestKind:
    @pytest.mark.parametrize(
        ("content_type", "kind"),
        [
            ("image/jpeg", InboundKind.IMAGE),
            ("IMAGE/PNG", InboundKind.IMAGE),
            ("image/webp", InboundKind.STICKER),
            ("Image/WebP; q=1", InboundKind.STICKER),
            ("video/mp4", InboundKind.VIDEO),
            ("audio/ogg; codecs=opus", InboundKind.AUDIO),
            ("application/pdf", InboundKind.DOCUMENT),
            ("", InboundKind.DOCUMENT),
            (None, InboundKind.DOCUMENT),
            (7, InboundKind.DOCUMENT),
        ],
    )
    def test_a_file_is_what_its_type_says(self, content_type, kind):
        assert read(text="", media=media(content_type)).kind is kind

    @pytest.mark.parametrize(
        ("message_type", "kind"),
        [
            ("sticker", InboundKind.STICKER),
            ("document", InboundKind.DOCUMENT),
            ("text", InboundKind.IMAGE),
            ("hologram", InboundKind.IMAGE),
            (["document"], InboundKind.IMAGE),
        ],
    )
    def test_a_file_is_first_what_cm_calls_it_if_that_is_a_kind_of_file(self, message_type, kind):
        assert read(text="", media=media("image/png"), custom={"message_type": message_type}).kind is kind

    @pytest.mark.parametrize("custom", [{"hologram": {"id": 1}}, {"message_type": "hologram"}, {"": []}])
    def test_what_nobody_knows_is_unknown_and_still_a_message(self, custom):
        event = read(text="", custom=custom)

        assert event.kind is InboundKind.UNKNOWN
        assert json.loads(event.content.raw)["custom"] == custom

    def test_a_text_stays_one_whatever_stands_beside_it(self):
        event = read(text="STOP", custom={"rawPayload": {"x": 1}})

        assert (event.kind, event.text) == (InboundKind.TEXT, "STOP")


class TestWords:
    @pytest.mark.parametrize(
        ("label", "content_type", "custom"),
        [
            ("an image", "image/png", {"message_type": "image"}),
            ("a document", "application/pdf", {}),
            ("a sticker", "image/webp", {}),
            ("a file of no type", "", {}),
        ],
    )
    def test_a_keyword_beside_a_file_is_a_caption_and_no_consent(self, label, content_type, custom):
        event = read(text="STOP", media=media(content_type), custom=custom)

        assert (event.text, event.payload) == (None, None), label
        assert event.content.caption == "STOP", label
        assert read_keyword(event.text or "", ("en",)) is None, label

    def test_the_words_of_a_file_that_never_came_are_a_caption_as_well(self):
        event = read(text="STOP", custom={"message_type": "image"})

        assert (event.text, event.content) == (None, Media(caption="STOP"))

    def test_a_press_beside_a_file_keeps_its_title_and_not_the_words(self):
        custom = {"interactive": {"button_reply": {"id": "yes", "title": "Yes"}}}

        event = read(text="STOP", media=media("image/png"), custom=custom)

        assert (event.kind, event.text, event.payload) == (InboundKind.INTERACTIVE, "Yes", "yes")

    @pytest.mark.parametrize(
        ("name", "text", "payload", "reply"),
        [
            ("message__reply_button", "Yes", "yes", Reply(type="button_reply")),
            ("message__list_choice", "09:00", "slot-1", Reply(type="list_reply", description="Room A")),
            ("message__template_quick_reply", "Stop these", "STOP", Reply(type="quick_reply")),
            ("message__template_quick_reply_as_text", "Stop these", None, None),
        ],
    )
    def test_a_press_has_its_title_for_text_and_its_id_for_payload(self, name, text, payload, reply):
        (event,) = events_of(name)

        assert (event.text, event.payload, event.content) == (text, payload, reply)

    @pytest.mark.parametrize("value", [None, "", 7, [], {}, ["x"], "yes", {"button_reply": 7}])
    def test_a_press_that_cannot_be_read_is_still_a_message(self, value):
        event = read(text="", custom={"interactive": value, "button": value})

        assert (event.text, event.payload) == (None, None)


class TestContent:
    @pytest.mark.parametrize(
        ("place", "expected"),
        [
            ({"latitude": 52.1, "longitude": 5.1}, (52.1, 5.1)),
            ({"latitude": "-33.9", "longitude": "18.4"}, (-33.9, 18.4)),
            ({"latitude": 0, "longitude": 0}, (0.0, 0.0)),
            ({"latitude": 52.1, "longtitude": -5.1}, (52.1, -5.1)),
            ({"latitude": 52.1, "longitude": None, "longtitude": -5.1}, (52.1, -5.1)),
            ({"Latitude": 52.1, "LONGITUDE": 5.1}, (52.1, 5.1)),
            ({"latitude": 52.1}, None),
            ({"latitude": 52.1, "longitude": "east"}, None),
            ({"latitude": 52.1, "longitude": float("inf")}, None),
            ({"latitude": 52.1, "longitude": float("nan")}, None),
            ({"latitude": 52.1, "longitude": 10**400}, None),
            ({"latitude": True, "longitude": 5.1}, None),
            ({"searchQuery": "Main Street 1"}, None),
            ("52.1,5.1", None),
        ],
    )
    def test_a_place_has_both_coordinates_or_is_none(self, place, expected):
        event = read(text="", custom={"location": place})

        found = event.content and (event.content.latitude, event.content.longitude)
        assert (event.kind, found) == (InboundKind.LOCATION, expected)

    def test_a_place_has_a_name_and_what_to_look_for(self):
        (event,) = events_of("message__location")

        assert event.content == Location(latitude=-33.9, longitude=18.4, name="Shop", address="Main Street 1")

    def test_an_order_is_read_with_numbers_and_with_strings_for_numbers(self):
        (event,) = events_of("message__order")

        tea = OrderedItem(product_id="tea-100", quantity="2", price="4.50", currency="EUR")
        cup = OrderedItem(product_id="cup-7", quantity="1", price="12.5", currency="EUR")
        assert event.content == Order(catalog_id="1000001", items=(tea, cup))

    def test_only_a_document_has_its_title_for_a_name(self):
        titled = {kind: read(text="", media=media(kind, title="a.b")) for kind in ("image/png", "text/plain")}

        assert [event.content.filename for event in titled.values()] == [None, "a.b"]

    @pytest.mark.parametrize(
        ("custom", "content"),
        [
            (
                {"reaction": {"message_id": "wamid.1", "emoji": "👍"}},
                Reaction(message_id="wamid.1", emoji="👍"),
            ),
            ({"reaction": {"message_id": "wamid.1"}}, Reaction(message_id="wamid.1")),
            ({"reaction": {"emoji": "👍"}}, None),
            (
                {"interactive": {"nfm_reply": {"response_json": '{"day": "1"}', "body": "Sent"}}},
                Reply(type="nfm_reply", response='{"day": "1"}'),
            ),
        ],
        ids=["reaction", "reaction taken back", "reaction to nothing", "flow"],
    )
    def test_what_is_not_documented_is_read_if_it_comes_in_metas_shape(self, custom, content):
        assert read(text="", custom=custom).content == content

    def test_a_message_too_deep_to_read_is_set_aside(self):
        deep = {}
        for _ in range(100):
            deep = {"a": [deep]}

        assert read(custom=deep).reason == "nested_too_deeply"


class TestIdentity:
    @pytest.mark.parametrize(
        ("label", "change"),
        [
            (
                "0031",
                lambda one: {**one, "from": {"number": "0031600000001"}, "to": {"number": "+31850000001"}},
            ),
            ("bare digits", lambda one: {**one, "to": {"number": "31850000001"}}),
            ("another name", lambda one: {**one, "from": {"number": "+31600000001", "name": "A."}}),
            ("keys in upper case", in_upper_case),
            ("keys in another order", turned_round),
            ("a context of no known kind", lambda one: {**one, "messageContext": "4d0c1f8e"}),
            ("another reference", lambda one: {**one, "reference": "x"}),
            ("groupings", lambda one: {**one, "groupings": ["a", "b", "c"]}),
            ("a zone that says what is meant", lambda one: {**one, "timeUtc": "2026-01-31T10:15:30Z"}),
        ],
    )
    @pytest.mark.parametrize("name", ["message__text", "message__image", "message__list_choice"])
    def test_a_message_written_another_way_is_the_same(self, name, label, change):
        (first,) = events_of(name)

        (again,) = parse(change(load("cm", name)), RECEIVED_AT)

        assert first.event_id.startswith("cm:")
        assert again.event_id == first.event_id, label

    def test_nothing_is_the_same_nothing_absent_empty_or_null(self):
        texts = ["message__text", "message__nulls", "message__empty_groupings", "message__long_context"]

        assert len({event.event_id for name in texts for event in events_of(name)}) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"from": {"number": "+31600000002"}},
            {"to": {"number": "+31850000002"}},
            {"timeUtc": "2026-01-31T10:15:31"},
            {"text": "Is it open tomorrow?"},
            {"media": {"mediaUri": FILE}},
            {"custom": {"location": {"latitude": 1, "longitude": 2}}},
            {"messageContext": "wamid.A"},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_a_message_that_differs_is_another(self, change):
        assert read(**change).event_id != read().event_id

    def test_equal_texts_of_one_second_are_two_when_whatsapps_ids_are(self):
        contexts = ["wamid.A", "wamid.B", "wamid.A"]

        first, second, again = (read(messageContext=context).event_id for context in contexts)

        assert first == again != second

    def test_one_whatsapp_id_with_two_texts_is_two_messages(self):
        first, second = (read(messageContext="wamid.A", text=text).event_id for text in ("one", "two"))

        assert first != second

    @pytest.mark.parametrize(
        ("number", "contact"),
        [
            ("+31600000001", "+31600000001"),
            ("0031600000001", "+31600000001"),
            ("31600000001", "+31600000001"),
            ("+31 6 0000 0001", "+31600000001"),
            ("NL.90011223344", "NL.90011223344"),
            ("+31x600000001", None),
            ("x31600000001", None),
            ("+٣١٦٠٠٠٠٠٠٠١", None),
            ("3669", None),
            ("", None),
            (31600000001, None),
        ],
    )
    def test_a_contact_is_a_number_in_any_form_or_a_user_id(self, number, contact):
        event = read(**{"from": {"number": number, "name": "Ada"}})

        if contact is None:
            assert event.reason == "no_contact"
        else:
            assert (event.contact, event.profile_name) == (ContactId(contact), "Ada")


class TestWhatItAnswers:
    @pytest.mark.parametrize(
        ("reference", "message_id"),
        [
            (str(REFERENCE), str(REFERENCE.message_id)),
            ("4d0c1f8e9b7a4c5d8e6f1a2b3c4d5e6f", None),
            (f"{REFERENCE}000000", None),
            (f" {REFERENCE}", None),
            ("", None),
            (None, None),
            (7, None),
            ([str(REFERENCE)], None),
        ],
    )
    def test_a_message_answers_the_one_of_ours_whose_reference_it_repeats(self, reference, message_id):
        assert read(reference=reference).reply_to == message_id

    @pytest.mark.parametrize(
        ("context", "handle"),
        [
            ("wamid.A", "wamid.A"),
            ("4d0c1f8e", "4d0c1f8e"),
            ("x" * 512, "x" * 512),
            ("x" * 513, None),
            ("", None),
            (None, None),
            (7, None),
            ({"id": "wamid.A"}, None),
        ],
    )
    def test_the_context_is_kept_as_it_came_if_it_can_be_an_id(self, context, handle):
        assert read(messageContext=context).read_handle == handle


class TestTime:
    @pytest.mark.parametrize(
        "written",
        [None, "", "yesterday", "2026-01-31", 1790000000, "2026-13-31T10:15:30", "0001-01-01T00:00:00+23"],
    )
    def test_an_unreadable_time_is_never_taken_for_now(self, written):
        assert read(timeUtc=written).reason == "bad_timestamp"

    @pytest.mark.parametrize(
        "written", ["2026-01-31T10:15:30", "2026-01-31T10:15:30Z", "2026-01-31T11:15:30+01:00"]
    )
    def test_a_time_is_utc_unless_it_says_otherwise(self, written):
        at = read(timeUtc=written).at

        assert at == datetime(2026, 1, 31, 10, 15, 30, tzinfo=timezone(timedelta(0)))
        assert at.utcoffset() == timedelta(0)


class TestSetAside:
    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("message__sms", "other_channel"),
            ("event__instagram", "event"),
            ("unknown__flat_sms_reply", "unknown_shape"),
            ("unknown__messages_without_msg", "unknown_shape"),
            ("status__unknown_code", "unknown_status"),
            ("status__reference_of_another_program", "no_reference"),
        ],
    )
    def test_what_is_not_ours_to_read_is_set_aside_by_name(self, name, reason):
        (event,) = events_of(name)

        assert event.reason == reason

    @pytest.mark.parametrize("messages", ["odd", 7, [], [{"msg": {}}], {}, {"msg": None}])
    def test_reports_of_no_shape_are_kept_whole(self, messages):
        (event,) = parse({"messages": messages}, RECEIVED_AT)

        assert event.reason == "unknown_shape"

    @pytest.mark.parametrize("msg", ["odd", 7, [], [[]], [["odd", "odd"]], [None], {}])
    def test_a_report_that_is_none_can_be_read_again_as_the_same(self, msg):
        (event,) = parse({"messages": {"msg": msg}}, RECEIVED_AT)

        assert isinstance(event, UpdateSetAside)
        assert parse(json.loads(event.raw), RECEIVED_AT) == [event]


class TestReport:
    def test_it_is_read_in_any_case_of_keys_with_codes_as_numbers(self):
        (event,) = events_of("status__delivered_upper_case_numbers")

        assert event == StatusReported(
            recipient=None,
            reference=REFERENCE,
            provider_message_id=None,
            state=MessageState.DELIVERED,
            at=RECEIVED_AT,
            contact=ContactId("+31600000001"),
        )

    @pytest.mark.parametrize(
        ("code", "state"),
        [
            ("0", MessageState.SENT),
            (0, MessageState.SENT),
            ("1", MessageState.FAILED),
            (1, MessageState.FAILED),
            ("2", MessageState.DELIVERED),
            (2, MessageState.DELIVERED),
            ("02", MessageState.DELIVERED),
            ("3", MessageState.FAILED),
            ("4", MessageState.READ),
            (4, MessageState.READ),
        ],
    )
    def test_a_code_may_be_a_number_or_a_string(self, code, state):
        (event,) = parse(report(status={"code": code}), RECEIVED_AT)

        assert event.state is state

    @pytest.mark.parametrize("code", [None, "", "5", 5, -1, 2.0, True, "delivered", [2]])
    def test_an_unknown_code_moves_nothing(self, code):
        (event,) = parse(report(status={"code": code}), RECEIVED_AT)

        assert event.reason == "unknown_status"

    @pytest.mark.parametrize(
        ("written", "code", "error_class"),
        [
            ("62", "62", ErrorClass.WINDOW),
            (62, "62", ErrorClass.WINDOW),
            ("71", "71", ErrorClass.PERMANENT),
            ("101", "101", ErrorClass.PERMANENT),  # the gateway's 101 is a wrong token; a report's is not
            ("", "failed", ErrorClass.PERMANENT),
            (None, "failed", ErrorClass.PERMANENT),
            ("0", "failed", ErrorClass.PERMANENT),
            ("Expired", "failed", ErrorClass.PERMANENT),
        ],
    )
    def test_a_failure_says_why(self, written, code, error_class):
        (event,) = parse(report(status={"code": "3", "errorCode": written}), RECEIVED_AT)

        assert (event.error.code, event.error.error_class) == (code, error_class)

    def test_a_rejection_without_a_code_has_its_own_word(self):
        (event,) = events_of("status__rejected_without_code")

        assert (event.state, event.error.code) == (MessageState.FAILED, "rejected")

    def test_an_error_beside_a_success_is_none(self):
        (event,) = parse(report(status={"code": "2", "errorCode": "62"}), RECEIVED_AT)

        assert event.error is None

    @pytest.mark.parametrize(
        ("to", "contact"),
        [
            ("0031600000001", ContactId("+31600000001")),
            ("+31600000001", ContactId("+31600000001")),
            ("31600000001", ContactId("+31600000001")),
            ("NL.90011223344", None),
            ("3669", None),
            ("", None),
            (None, None),
            (["0031600000001"], None),
        ],
    )
    def test_it_names_the_contact_when_it_shows_a_number(self, to, contact):
        (event,) = parse(report(to=to), RECEIVED_AT)

        assert (event.state, event.contact) == (MessageState.DELIVERED, contact)

    def test_one_bad_report_does_not_cost_its_neighbours(self):
        sent, bad, delivered = events_of("status__array_with_poison")

        assert (sent.state, bad.reason) == (MessageState.SENT, "not_an_object")
        assert delivered.state is MessageState.DELIVERED
