"""Content of every kind at both doors: what our builders make is taken, what the pages forbid is refused."""

import pytest

from shared.domain.identifiers import AttemptReference, ContactId, MessageId
from shared.domain.routes import Rule, SessionRoute, TemplateRoute
from shared.domain.template_call import TemplateButton, TemplateCall
from shared.domain.template_parts import ButtonFill
from shared.providers.base import Outgoing
from shared.providers.cm.send import build_message
from shared.providers.meta.send import build_body
from tests.builders import ANNA, NOW, cm_sender, template
from tests.contents import EVERY_KIND, PHOTO, WAMID

ENVELOPE = {"messaging_product": "whatsapp", "to": ANNA.value}
FILE = {"link": "https://ex.it/a.jpg"}
REPLY = {"type": "reply", "reply": {"id": "y", "title": "Sì"}}
ROW = {"id": "1", "title": "09:00"}
JPEG = {"mediaName": "a.jpg", "mediaUri": "https://ex.it/a.jpg", "mimeType": "image/jpeg"}


def outgoing(route):
    return Outgoing(
        reference=AttemptReference(MessageId(f"msg_{'0' * 26}"), 1),
        to=ContactId(ANNA.value),
        route=route,
        expires_at=NOW,
    )


def session(content, reply_to=None):
    return SessionRoute(rule=Rule.WINDOW_OPEN, content=content, reply_to=reply_to, begin_before=NOW)


def meta(kind, value, **more):
    return {**ENVELOPE, "type": kind, kind: value, **more}


def cm(*bubbles, **more):
    return {
        "from": "00390212345678",
        "to": [{"number": "00393331234567"}],
        "body": {"type": "auto", "content": "x"},
        "allowedChannels": ["WhatsApp"],
        "reference": "a1",
        "richContent": {"conversation": list(bubbles)},
        **more,
    }


def send_cm(stage, message):
    return stage.send_cm({"messages": {"msg": [message]}}).get_json()["messages"][0]


def interactive(kind="button", action=None, **more):
    return {"type": kind, "body": {"text": "b"}, "action": action or {"buttons": [REPLY]}, **more}


def sections(*rows):
    return {"button": "Menu", "sections": [{"title": "a", "rows": list(rows)}]}


def header(kind, value):
    return {"type": kind, kind: value}


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_meta_takes_what_our_builder_makes(stage, kind):
    reply_to = None if kind == "reaction" else WAMID
    stage.hear()

    answer = stage.send_meta(build_body(outgoing(session(EVERY_KIND[kind], reply_to))))

    (recorded,) = stage.requests()
    assert answer.status_code == 200, answer.get_json()
    assert (recorded["outcome"], recorded["kind"], recorded["quotes"]) == ("accepted", "session", reply_to)


@pytest.mark.parametrize("kind", ["text", "image", "buttons", "list", "location", "contacts"])
def test_cm_takes_what_our_builder_makes(stage, kind):
    stage.hear(to="+390212345678")

    entry = send_cm(stage, build_message(cm_sender(), outgoing(session(EVERY_KIND[kind], WAMID))))

    (recorded,) = stage.requests()
    assert entry["status"] == "Accepted", entry
    assert (recorded["outcome"], recorded["kind"], recorded["quotes"]) == ("accepted", "session", WAMID)


def test_what_the_customer_reads_is_recorded(stage):
    stage.send_meta(build_body(outgoing(session(EVERY_KIND["buttons"]))))
    send_cm(stage, build_message(cm_sender(), outgoing(session(EVERY_KIND["contacts"]))))

    asked, cards = stage.requests()
    assert (asked["content"], asked["text"]) == ("interactive", "Confermi l'appuntamento?\n[Sì]\n[No]")
    assert (cards["content"], cards["text"]) == ("contacts", "Ada Rossi, Bo")


META_REFUSED = {
    "no file": meta("image", {}),
    "id and link": meta("image", {**FILE, "id": "1"}),
    "http": meta("image", {"link": "http://ex.it/a.jpg"}),
    "captioned sticker": meta("sticker", {**FILE, "caption": "c"}),
    "named image": meta("image", {**FILE, "filename": "a.jpg"}),
    "long caption": meta("image", {**FILE, "caption": "x" * 1025}),
    "carousel": meta("interactive", interactive("carousel")),
    "four buttons": meta("interactive", interactive(action={"buttons": [REPLY] * 4})),
    "equal titles": meta("interactive", interactive(action={"buttons": [REPLY] * 2})),
    "long title": meta(
        "interactive",
        interactive(action={"buttons": [{"type": "reply", "reply": {"id": "y", "title": "x" * 21}}]}),
    ),
    "long body": meta("interactive", interactive(body={"text": "x" * 1025})),
    "eleven rows": meta("interactive", interactive("list", sections(*[ROW] * 11))),
    "picture above a list": meta(
        "interactive", interactive("list", sections(ROW), header=header("image", FILE))
    ),
    "link without label": meta(
        "interactive", interactive("cta_url", {"name": "cta_url", "parameters": {"url": "https://ex.it"}})
    ),
    "long header": meta("interactive", interactive(header=header("text", "x" * 61))),
    "place as text": meta("location", {"latitude": "1", "longitude": "2"}),
    "card without name": meta("contacts", [{"phones": [{"phone": "1"}]}]),
    "cards in an object": meta("contacts", {}),
    "quoting reaction": meta("reaction", {"message_id": WAMID, "emoji": "👍"}, context={"message_id": WAMID}),
}
CM_REFUSED = {
    "no address": cm({"media": {"mediaName": "a.jpg", "mimeType": "image/jpeg"}}),
    "unknown type": cm({"media": JPEG | {"mimeType": "image/webp"}}),
    "name of another type": cm({"media": JPEG | {"mediaName": "a.pdf"}}),
    "two files": cm({"media": JPEG}, {"media": JPEG}),
    "caption": cm({"media": JPEG | {"caption": "c"}}),
    "reaction": cm({"reaction": {"message_id": WAMID, "emoji": "👍"}}),
    "link": cm({"interactive": interactive("cta_url", {"name": "cta_url", "parameters": {}})}),
    "place as numbers": cm({"location": {"latitude": 1, "longitude": 2}}),
    "meta's header": cm({"interactive": interactive(header=header("image", FILE))}),
    "media above a list": cm(
        {"interactive": interactive("list", sections(ROW), header={"type": "image", "media": JPEG})}
    ),
    "two kinds in one": cm({"text": "x", "location": {"latitude": "1", "longitude": "2"}}),
    "validity without zone": cm({"text": "x"}, validity="2026-01-31 11:50:05"),
    "validity in two units": cm({"text": "x"}, validity="2h30m"),
}


@pytest.mark.parametrize("payload", META_REFUSED.values(), ids=META_REFUSED)
def test_meta_refuses(stage, payload):
    answer = stage.send_meta(payload)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, 100)


@pytest.mark.parametrize("message", CM_REFUSED.values(), ids=CM_REFUSED)
def test_cm_refuses(stage, message):
    assert send_cm(stage, message)["messageErrorCode"] == 305


def test_the_validity_that_our_builder_writes_has_its_zone(stage):
    message = build_message(cm_sender(), outgoing(session(EVERY_KIND["text"])))

    assert message["validity"].endswith("+00:00")
    assert send_cm(stage, message)["status"] == "Accepted"


class TestTemplates:
    """One template with a picture above and two buttons, known to both providers."""

    @pytest.fixture(autouse=True)
    def _registered(self, stage):
        common = {
            "name": "spedito",
            "language": "it",
            "category": "UTILITY",
            "body": "Ciao {{1}}.",
            "status": "APPROVED",
            "header": "image",
            "buttons": ["quick_reply", "url"],
        }
        accounts = ("102290129340398", cm_sender().template_namespace)
        templates = [{**common, "account": account} for account in accounts]
        assert stage.control("PUT", "templates", {"templates": templates})

    def route(self, **changes):
        values = {
            "name": "spedito",
            "language": "it",
            "values": {"1": "Anna"},
            "header": PHOTO,
            "buttons": (
                TemplateButton(index=0, fill=ButtonFill.PAYLOAD, value="STOP"),
                TemplateButton(index=1, fill=ButtonFill.URL_SUFFIX, value="P-17"),
            ),
        }
        return TemplateRoute(
            rule=Rule.WINDOW_CLOSED,
            call=TemplateCall(**values | changes),
            template=template(body="Ciao {{1}}."),
        )

    def test_both_take_what_our_builders_make(self, stage):
        answer = stage.send_meta(build_body(outgoing(self.route())))
        entry = send_cm(stage, build_message(cm_sender(), outgoing(self.route())))

        assert answer.status_code == 200, answer.get_json()
        assert entry["status"] == "Accepted", entry
        assert [(each["text"], each["code"]) for each in stage.requests()] == [("Ciao Anna.", None)] * 2

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"header": None}, 132000),
            ({"header": "991"}, 132012),
            ({"buttons": ()}, 132000),
            ({"buttons": (TemplateButton(index=1, fill=ButtonFill.PAYLOAD, value="x"),)}, 132000),
            (
                {
                    "buttons": (
                        TemplateButton(index=1, fill=ButtonFill.URL_SUFFIX, value="x"),
                        TemplateButton(index=2, fill=ButtonFill.URL_SUFFIX, value="x"),
                    )
                },
                132000,
            ),
        ],
    )
    def test_what_the_template_has_no_place_for_or_lacks_is_refused(self, stage, changes, code):
        answer = stage.send_meta(build_body(outgoing(self.route(**changes))))

        assert answer.get_json()["error"]["code"] == code

    def test_a_quick_reply_needs_no_payload(self, stage):
        only_url = (TemplateButton(index=1, fill=ButtonFill.URL_SUFFIX, value="x"),)

        assert stage.send_meta(build_body(outgoing(self.route(buttons=only_url)))).status_code == 200

    def test_a_one_time_code_must_stand_in_the_button_too(self, stage):
        code = {
            "account": "102290129340398",
            "name": "codice",
            "language": "it",
            "category": "AUTHENTICATION",
            "body": "{{1}} è il tuo codice.",
            "status": "APPROVED",
        }
        stage.control("PUT", "templates", {"templates": [code]})
        body = {"type": "body", "parameters": [{"type": "text", "text": "123456"}]}
        button = {**body, "type": "button", "sub_type": "url", "index": "0"}

        def answered(*components):
            asked = {"name": "codice", "language": {"code": "it"}, "components": list(components)}
            return stage.send_meta(meta("template", asked)).status_code

        assert (answered(body), answered(body, button)) == (400, 200)
