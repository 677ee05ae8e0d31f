from dataclasses import replace
from datetime import timedelta

import pytest
from provider_builders import CM, META, ScriptedClient, provider

from shared.domain.identifiers import ContactId
from shared.domain.retry import ErrorClass
from shared.http.client import Answer, Doubt, NotSent
from shared.providers.base import ReadMarked, ReadReceipt, ReadUnsupported, Rejected

OWN_ID = replace(CM, is_message_context_own_id=True)
RECEIPT = ReadReceipt(
    event_id="wamid.IN==", read_handle="wamid.CTX", contact=ContactId("+31600000001"), typing=False
)
TYPING = replace(RECEIPT, typing=True)
EVENT = {
    "channel": "WhatsApp",
    "event": {"type": "MarkAsRead", "custom": {"message_id": "wamid.CTX"}},
    "from": {"number": "0031850000001"},
    "to": {"number": "0031600000001"},
}


def marked(sender, receipt, outcome):
    """The result, and what was sent."""
    client = ScriptedClient(outcome)
    return provider(sender, client).mark_read(receipt), client.calls


def test_meta_marks_by_the_id_of_the_message():
    result, [call] = marked(META, RECEIPT, Answer(200, {"success": True}))

    assert result == ReadMarked()
    assert call.url == "https://graph.facebook.com/v24.0/555000111222333/messages"
    assert call.headers == {"Authorization": "Bearer meta-token"}
    assert call.json == {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN=="}


def test_meta_shows_typing_in_the_same_request():
    _, [call] = marked(META, TYPING, Answer(200, {"success": True}))

    assert call.json["typing_indicator"] == {"type": "text"}


@pytest.mark.parametrize(
    ("outcome", "code", "error_class"),
    [
        (Answer(400, {"error": {"code": 131009}}), "131009", ErrorClass.PERMANENT),
        (Answer(401, {"error": {"code": 190}}), "190", ErrorClass.HALT),
        (Answer(429, {"error": {"code": 999999}}), "http_429", ErrorClass.THROTTLE),
        (Answer(503, None), "http_503", ErrorClass.RETRY),
        (Answer(200, {"success": False}), "http_200", ErrorClass.IN_DOUBT),
        (Answer(200, {"success": "true"}), "http_200", ErrorClass.IN_DOUBT),
        (Answer(200, None), "http_200", ErrorClass.IN_DOUBT),
        (NotSent("ConnectionRefusedError"), "not_sent", ErrorClass.RETRY),
        (Doubt("timeout"), "timeout", ErrorClass.IN_DOUBT),
    ],
)
def test_what_metas_other_answers_mean(outcome, code, error_class):
    result, _ = marked(META, RECEIPT, outcome)

    assert isinstance(result, Rejected)
    assert (result.code, result.row.error_class) == (code, error_class)


def test_cm_marks_by_the_handle_where_it_is_known_to_be_one():
    result, [call] = marked(OWN_ID, RECEIPT, Answer(200, None))

    assert result == ReadMarked()
    assert call.url == "https://gw.messaging.cm.com/v1.0/event"
    assert call.headers == {"X-CM-PRODUCTTOKEN": "cm-token"}
    assert call.json == EVENT


def test_cm_shows_typing_by_a_second_event():
    result, [first, second] = marked(OWN_ID, TYPING, Answer(202, {}))

    assert result == ReadMarked()
    assert first.json == EVENT
    custom = {"message_id": "wamid.CTX", "typing_indicator": "text"}
    assert second.json == {**EVENT, "event": {"type": "Typing", "custom": custom}}


@pytest.mark.parametrize(
    ("sender", "receipt", "word"),
    [
        (CM, RECEIPT, "message_context_is_inbound_id"),
        (CM, TYPING, "message_context_is_inbound_id"),
        (OWN_ID, replace(RECEIPT, read_handle=None), "gave no id"),
        (OWN_ID, replace(RECEIPT, contact=ContactId("NL.90011223344")), "user id"),
    ],
)
def test_cm_is_not_asked_for_what_it_may_not_know(sender, receipt, word):
    result, calls = marked(sender, receipt, Answer(200, {}))

    assert isinstance(result, ReadUnsupported)
    assert word in result.why
    assert calls == []


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Answer(400, {"errorCode": 101, "details": "No account"}), "101"),
        (Answer(400, {"errorCode": 7777}), "http_400"),
        (Answer(404, None), "http_404"),
        (Answer(503, {}, timedelta(seconds=9)), "http_503"),
        (Doubt("connection_lost"), "connection_lost"),
    ],
)
def test_what_cms_other_answers_mean(outcome, code):
    result, calls = marked(OWN_ID, TYPING, outcome)

    assert isinstance(result, Rejected)
    assert result.code == code
    assert len(calls) == 1
