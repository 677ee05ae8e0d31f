import pytest
from provider_builders import CM, ScriptedClient, outgoing, provider, session, template

from shared.domain.retry import ErrorClass
from shared.http.client import Answer, Doubt, NotSent
from shared.providers.base import Rejected, Submitted
from shared.providers.cm.answer import read_answer
from shared.providers.cm.send import PHONE_NUMBER_REQUIRED

ONE, TWO = outgoing(message=1), outgoing(message=2, to="+31600000002")


def entry(attempt, status="Accepted", code=0, details=None):
    return {
        "to": "00" + attempt.to.value[1:],
        "status": status,
        "reference": str(attempt.reference),
        "parts": 1,
        "messageDetails": details,
        "messageErrorCode": code,
    }


def answer(*entries, status=200, code=0):
    return Answer(status, {"details": "Created", "errorCode": code, "messages": list(entries)})


def test_a_batch_is_one_request_with_a_message_each():
    ciao = template("Ciao {{1}}, il tuo {{2}}.", **{"1": "Anna", "2": "ordine\n991"})

    call = provider(CM, ScriptedClient(None)).build_call(
        [outgoing(session("Ciao"), message=1), outgoing(ciao, message=2)]
    )

    common = {
        "from": "0031850000001",
        "to": [{"number": "0031600000001"}],
        "allowedChannels": ["WhatsApp"],
        "validity": "2026-11-22 15:30:05+00:00",
    }
    text = {"body": {"type": "auto", "content": "Ciao"}, "reference": "01JD00000000000000000000011"}
    whatsapp = {
        "namespace": "0a1b2c3d_0000_1111_2222_333344445555",
        "element_name": "parcel_ready",
        "language": {"policy": "deterministic", "code": "it"},
        "components": [
            {
                "type": "body",
                "parameters": [{"type": "text", "text": "Anna"}, {"type": "text", "text": "ordine 991"}],
            }
        ],
    }
    rich = {
        "body": {"type": "auto", "content": "Ciao Anna, il tuo ordine 991."},
        "richContent": {"conversation": [{"template": {"whatsapp": whatsapp}}]},
        "reference": "01JD00000000000000000000021",
    }
    assert call.json == {"messages": {"msg": [{**common, **text}, {**common, **rich}]}}
    assert call.url == "https://gw.messaging.cm.com/v1.0/message"
    assert call.headers == {"X-CM-PRODUCTTOKEN": "cm-token"}


def test_a_reference_fits_what_cm_takes():
    reference = str(outgoing(attempt=999_999).reference)

    assert reference.isalnum()
    assert len(reference) <= 32


def test_a_contact_without_number_is_rejected_and_the_others_go():
    client = ScriptedClient(answer(entry(TWO), entry(ONE)))

    results = provider(CM, client).send([ONE, outgoing(to="NL.90011223344"), TWO])

    assert results == [Submitted(), PHONE_NUMBER_REQUIRED, Submitted()]
    assert len(client.calls[0].json["messages"]["msg"]) == 2


def test_nothing_is_sent_when_nobody_has_a_number():
    client = ScriptedClient(None)

    results = provider(CM, client).send([outgoing(to="NL.90011223344")])

    assert results == [PHONE_NUMBER_REQUIRED]
    assert client.calls == []


OK = None
REFUSED_ONE = entry(ONE, "Rejected", 303, "not a number")
NO_CODES = {"messages": [{"to": "0031600000001", "status": "Accepted", "reference": str(ONE.reference)}]}
REJECTED_NO_CODE = {"messages": [{**NO_CODES["messages"][0], "status": "Rejected"}]}
OTHER_KEYS = {"ERRORCODE": "0", "Messages": [{key.upper(): value for key, value in entry(ONE).items()}]}
DOUBT, PERMANENT, HALT, RETRY = ErrorClass.IN_DOUBT, ErrorClass.PERMANENT, ErrorClass.HALT, ErrorClass.RETRY
MISSING = ("missing_in_answer", DOUBT)


@pytest.mark.parametrize(
    ("outcome", "first", "second"),
    [
        pytest.param(answer(entry(TWO), entry(ONE)), OK, OK, id="all accepted, in another order"),
        pytest.param(answer(REFUSED_ONE, entry(TWO), code=201), ("303", PERMANENT), OK, id="some accepted"),
        pytest.param(
            answer(REFUSED_ONE, entry(TWO, "Rejected", 304), status=400, code=201),
            ("303", PERMANENT),
            ("304", PERMANENT),
            id="none accepted",
        ),
        pytest.param(answer(status=400, code=101), ("101", HALT), ("101", HALT), id="wrong token"),
        pytest.param(answer(status=200, code=102), ("102", HALT), ("102", HALT), id="refused whole with 200"),
        pytest.param(answer(status=500, code=500), ("500", RETRY), ("500", RETRY), id="internal error"),
        pytest.param(answer(status=500, code=999), ("999", DOUBT), ("999", DOUBT), id="999"),
        pytest.param(answer(entry(ONE, "Rejected", 999), entry(TWO)), ("999", DOUBT), OK, id="999 of one"),
        pytest.param(answer(entry(ONE)), OK, MISSING, id="one is missing"),
        pytest.param(answer(entry(ONE), code=201), OK, MISSING, id="one is missing and has errors"),
        pytest.param(answer(entry(ONE), code=777), OK, MISSING, id="one is missing, code unlisted"),
        pytest.param(answer(), MISSING, MISSING, id="200 with an empty list"),
        pytest.param(Answer(200, NO_CODES), OK, MISSING, id="an older gateway without codes"),
        pytest.param(Answer(200, REJECTED_NO_CODE), ("rejected", PERMANENT), MISSING, id="rejected, no code"),
        pytest.param(Answer(200, OTHER_KEYS), OK, MISSING, id="keys in another case"),
        pytest.param(
            answer({**entry(ONE), "to": "0031600000009"}, entry(TWO)),
            MISSING,
            OK,
            id="another number's entry",
        ),
        pytest.param(
            answer({**entry(ONE), "status": "Perhaps"}, entry(TWO)),
            ("unreadable_answer", DOUBT),
            OK,
            id="a status that is neither",
        ),
        pytest.param(Answer(200, None), ("http_200", DOUBT), ("http_200", DOUBT), id="200 unreadable"),
        pytest.param(Answer(200, {}), ("http_200", DOUBT), ("http_200", DOUBT), id="200 empty"),
        pytest.param(answer(code=777), ("http_200", DOUBT), ("http_200", DOUBT), id="200 whole, unlisted"),
        pytest.param(
            answer(status=400, code=777), ("777", PERMANENT), ("777", PERMANENT), id="400, unlisted"
        ),
        pytest.param(Answer(404, None), ("http_404", PERMANENT), ("http_404", PERMANENT), id="404"),
        pytest.param(Answer(429, None), *[("http_429", ErrorClass.THROTTLE)] * 2, id="429"),
        pytest.param(Answer(503, None), ("http_503", RETRY), ("http_503", RETRY), id="503"),
        pytest.param(Answer(502, None), ("http_502", DOUBT), ("http_502", DOUBT), id="502"),
        pytest.param(NotSent("x"), ("not_sent", RETRY), ("not_sent", RETRY), id="never left"),
        pytest.param(Doubt("timeout"), ("timeout", DOUBT), ("timeout", DOUBT), id="timeout"),
    ],
)
def test_each_answer_has_its_meaning_for_each_message(outcome, first, second):
    results = [seen(result) for result in read_answer([ONE, TWO], outcome)]

    assert results == [first, second]


def seen(result):
    return (result.code, result.row.error_class) if isinstance(result, Rejected) else OK


@pytest.mark.parametrize(
    "odd", [None, 7, "x", [], [None], [7], [{}], {"a": 1}, [{"reference": [], "to": {}}]]
)
def test_an_answer_of_any_shape_is_read(odd):
    for body in (odd, {"messages": odd}, {"errorCode": odd, "messages": [entry(ONE) | {"status": odd}]}):
        for status in (200, 400, 500):
            assert len(read_answer([ONE, TWO], Answer(status, body))) == 2
