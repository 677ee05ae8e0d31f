from datetime import timedelta

import pytest
from provider_builders import META, ScriptedClient, outgoing, provider, session, template

from shared.domain.retry import ErrorClass
from shared.http.client import Answer, Doubt, NotSent
from shared.providers.base import NOT_SENT, Rejected, Submitted
from shared.providers.meta.send import read_answer

ENVELOPE = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "+31600000001",
    "biz_opaque_callback_data": "01JD00000000000000000000001",
}


def body_of(attempt):
    return provider(META, ScriptedClient(None)).build_call([attempt]).json


def with_parameters(*parameters):
    body = {"name": "parcel_ready", "language": {"code": "it"}}
    if parameters:
        body["components"] = [{"type": "body", "parameters": list(parameters)}]
    return {**ENVELOPE, "type": "template", "template": body}


def text(value, **more):
    return {"type": "text", "text": value, **more}


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        pytest.param(
            outgoing(session("Ciao\nAnna")),
            {**ENVELOPE, "type": "text", "text": {"body": "Ciao\nAnna"}},
            id="text",
        ),
        pytest.param(outgoing(template("Ciao.")), with_parameters(), id="template without variables"),
        pytest.param(
            outgoing(template("{{1}} e {{2}} e {{1}}.", **{"2": "P-17", "1": "Anna"})),
            with_parameters(text("Anna"), text("P-17")),
            id="numbered variables, each once",
        ),
        pytest.param(
            outgoing(template("Il {{2}} di {{1}}.", **{"1": "Anna", "2": "P-17"})),
            with_parameters(text("Anna"), text("P-17")),
            id="numbered variables go by number, not by place",
        ),
        pytest.param(
            outgoing(template("Ciao {{first_name}}.", first_name="Anna")),
            with_parameters(text("Anna", parameter_name="first_name")),
            id="named variables",
        ),
        pytest.param(
            outgoing(template("Ciao {{1}}.", **{"1": " Anna\n\tdi   Roma "})),
            with_parameters(text("Anna di Roma")),
            id="values are cleaned",
        ),
    ],
)
def test_the_request_is_what_meta_documents(attempt, expected):
    assert body_of(attempt) == expected


def test_a_user_id_is_addressed_as_recipient():
    body = body_of(outgoing(to="NL.90011223344"))

    assert body["recipient"] == "NL.90011223344"
    assert "to" not in body


def test_the_call_goes_to_the_number_s_own_door_with_its_token():
    call = provider(META, ScriptedClient(None)).build_call([outgoing()])

    assert call.url == "https://graph.facebook.com/v24.0/555000111222333/messages"
    assert call.headers == {"Authorization": "Bearer meta-token"}


def test_send_makes_one_call_and_reads_its_answer():
    client = ScriptedClient(Answer(200, {"messages": [{"id": "wamid.X"}]}))

    results = provider(META, client).send([outgoing()])

    assert results == [Submitted(provider_message_id="wamid.X")]
    assert len(client.calls) == 1


def error(code, **more):
    return {"error": {"message": "m", "type": "OAuthException", "code": code, **more}}


@pytest.mark.parametrize(
    ("outcome", "code", "error_class"),
    [
        pytest.param(NotSent("gaierror"), "not_sent", ErrorClass.RETRY, id="never left"),
        pytest.param(Doubt("timeout"), "timeout", ErrorClass.IN_DOUBT, id="timeout"),
        pytest.param(Doubt("connection_lost"), "connection_lost", ErrorClass.IN_DOUBT, id="cut"),
        pytest.param(Answer(200, None), "http_200", ErrorClass.IN_DOUBT, id="200 unreadable"),
        pytest.param(Answer(200, []), "http_200", ErrorClass.IN_DOUBT, id="200 with a list"),
        pytest.param(Answer(200, {"messages": [{}]}), "http_200", ErrorClass.IN_DOUBT, id="200 without id"),
        pytest.param(
            Answer(200, {"messages": [{"id": 7}]}), "http_200", ErrorClass.IN_DOUBT, id="200 odd id"
        ),
        pytest.param(Answer(202, {}), "http_202", ErrorClass.IN_DOUBT, id="another 2xx"),
        pytest.param(Answer(302, None), "http_302", ErrorClass.PERMANENT, id="redirect"),
        pytest.param(Answer(404, None), "http_404", ErrorClass.PERMANENT, id="4xx without body"),
        pytest.param(Answer(400, {"error": "x"}), "http_400", ErrorClass.PERMANENT, id="error is a string"),
        pytest.param(Answer(429, None), "http_429", ErrorClass.THROTTLE, id="429 without body"),
        pytest.param(Answer(429, error(999999)), "http_429", ErrorClass.THROTTLE, id="429, code unlisted"),
        pytest.param(Answer(429, error(190)), "190", ErrorClass.HALT, id="429, code known"),
        pytest.param(Answer(502, None), "http_502", ErrorClass.IN_DOUBT, id="502"),
        pytest.param(
            Answer(500, {"error": {}}), "http_500", ErrorClass.IN_DOUBT, id="500, error without code"
        ),
        pytest.param(Answer(503, None), "http_503", ErrorClass.RETRY, id="503"),
        pytest.param(Answer(503, error(131045)), "131045", ErrorClass.HALT, id="503, code known"),
        pytest.param(Answer(500, error(131000)), "131000", ErrorClass.RETRY, id="500, code known"),
        pytest.param(Answer(500, error(3)), "3", ErrorClass.HALT, id="500 that is a fault of configuration"),
        pytest.param(Answer(400, error(131047)), "131047", ErrorClass.WINDOW, id="window"),
        pytest.param(Answer(400, error("131056")), "131056", ErrorClass.THROTTLE, id="code as text"),
        pytest.param(Answer(403, error(294)), "294", ErrorClass.HALT, id="permission range"),
        pytest.param(Answer(400, error(999999)), "999999", ErrorClass.PERMANENT, id="unlisted"),
        pytest.param(
            Answer(400, error(None, error_data={"details": "Re-engagement message"})),
            "131047",
            ErrorClass.WINDOW,
            id="window by its text",
        ),
    ],
)
def test_each_answer_has_its_class(outcome, code, error_class):
    result = read_answer(outcome)

    assert isinstance(result, Rejected)
    assert (result.code, result.row.error_class) == (code, error_class)


def test_an_accepted_template_tells_the_id_the_number_and_the_hold():
    body = {
        "contacts": [{"input": "+31600000001", "wa_id": "31600000001"}],
        "messages": [{"id": "wamid.X", "message_status": "held_for_quality_assessment"}],
    }

    assert read_answer(Answer(200, body)) == Submitted(
        provider_message_id="wamid.X", wa_id="31600000001", provider_hold="held_for_quality_assessment"
    )


def test_what_was_never_sent_says_why_in_its_detail():
    assert read_answer(NotSent("gaierror")) == Rejected(code="not_sent", row=NOT_SENT, detail="gaierror")


def test_the_provider_s_wish_to_wait_is_kept():
    for body in (None, error(130429)):
        assert read_answer(Answer(429, body, timedelta(seconds=7))).retry_after == timedelta(seconds=7)


def test_the_detail_is_meta_s_own():
    body = error(100, error_data={"details": "the body is too long"})

    assert read_answer(Answer(400, body)).detail == "the body is too long"
