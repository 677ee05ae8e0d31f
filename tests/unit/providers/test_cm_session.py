"""Each kind of content and each part of a template, as CM.com documents it; what it is not known to take."""

import pytest
from provider_builders import CM, ScriptedClient, outgoing, provider, session, template

from shared.domain.session_content import Buttons, MediaKind, MediaLink, ReplyButton
from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill
from shared.providers.cm.send import UNSUPPORTED, build_message
from shared.providers.cm.session import media_object
from tests.contents import BUTTONS, CARDS, CHOICE, LINK, PDF, PHOTO, PLACE, REACTION, WAMID

PDF_MEDIA = {
    "mediaName": "Fattura.pdf",
    "mediaUri": "https://ex.it/f/991.pdf",
    "mimeType": "application/pdf",
}
PHOTO_MEDIA = {"mediaName": "991.jpg", "mediaUri": "https://ex.it/991.jpg", "mimeType": "image/jpeg"}

BUBBLES = {
    "document": (PDF, "Fattura.pdf", {"media": PDF_MEDIA}),
    "image": (PHOTO, "image", {"media": PHOTO_MEDIA}),
    "buttons with a picture above": (
        BUTTONS,
        "Confermi l'appuntamento?",
        {
            "interactive": {
                "type": "button",
                "header": {"type": "image", "media": PHOTO_MEDIA},
                "body": {"text": "Confermi l'appuntamento?"},
                "footer": {"text": "Esempio srl"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "yes", "title": "Sì"}},
                        {"type": "reply", "reply": {"id": "no", "title": "No"}},
                    ]
                },
            }
        },
    ),
    "list": (
        CHOICE,
        "Quando ti va bene?",
        {
            "interactive": {
                "type": "list",
                "header": {"type": "text", "text": "Scegli un orario"},
                "body": {"text": "Quando ti va bene?"},
                "action": {
                    "button": "Orari",
                    "sections": [
                        {
                            "title": "Domani",
                            "rows": [{"id": "s1", "title": "09:00", "description": "Sala A"}],
                        },
                        {"title": "Venerdì", "rows": [{"id": "s2", "title": "10:00"}]},
                    ],
                },
            }
        },
    ),
    "place on the equator": (
        PLACE,
        "Negozio",
        {
            "location": {
                "latitude": "0.0",
                "longitude": "-9.19",
                "label": "Negozio",
                "searchQuery": "Via Roma 1, Cagliari",
            }
        },
    ),
    "cards": (
        CARDS,
        "Ada Rossi, Bo",
        {
            "contacts": [
                {
                    "name": {"formatted_name": "Ada Rossi", "first_name": "Ada", "last_name": "Rossi"},
                    "phones": [{"phone": "+39 333 1234568", "type": "CELL"}],
                    "emails": [{"email": "ada@example.test", "type": "WORK"}],
                    "addresses": [
                        {"street": "Via Roma 1", "zip": "09100", "city": "Cagliari", "country_code": "IT"}
                    ],
                    "urls": [{"url": "https://example.test"}],
                    "org": {"company": "Esempio srl"},
                    "birthday": "1990-01-31",
                },
                {"name": {"formatted_name": "Bo", "first_name": "Bo"}},
            ]
        },
    ),
}


@pytest.mark.parametrize(("content", "words", "bubble"), BUBBLES.values(), ids=BUBBLES)
def test_each_kind_is_what_cm_documents(content, words, bubble):
    message = build_message(CM, outgoing(session(content)))

    assert message["body"] == {"type": "auto", "content": words}
    assert message["richContent"] == {"conversation": [bubble]}


def test_a_quote_stands_in_the_bubble_that_answers():
    message = build_message(CM, outgoing(session("Sì", reply_to=WAMID)))

    assert message["body"] == {"type": "auto", "content": "Sì"}
    assert message["richContent"]["conversation"] == [{"text": "Sì", "context": {"message_id": WAMID}}]


@pytest.mark.parametrize(
    ("kind", "link", "filename", "name", "mime_type"),
    [
        ("image", "https://ex.it/a/Foto%20mia.JPEG?v=2", None, "Foto mia.JPEG", "image/jpeg"),
        ("image", "https://ex.it/a", "a.png", "a.png", "image/png"),
        ("document", "https://ex.it/991.pdf", "Fattura", "Fattura.pdf", "application/pdf"),
        ("document", "https://ex.it/991", "Nota.v2.txt", "Nota.v2.txt", "text/plain"),
        ("audio", "https://ex.it/voce.ogg", None, "voce.ogg", "audio/ogg"),
        ("video", "https://ex.it/v.mp4", None, "v.mp4", "video/mp4"),
    ],
)
def test_the_type_of_a_file_is_told_by_its_name_or_its_address(kind, link, filename, name, mime_type):
    media = MediaLink(kind=MediaKind(kind), link=link, filename=filename)

    assert media_object(media) == {"mediaName": name, "mediaUri": link, "mimeType": mime_type}


@pytest.mark.parametrize(
    "media",
    [
        MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/photo"),
        MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/a.pdf"),
        MediaLink(kind=MediaKind.IMAGE, link="https://png"),
        MediaLink(kind=MediaKind.STICKER, link="https://ex.it/a.webp"),
    ],
)
def test_a_file_whose_type_cm_is_not_known_to_take_has_no_form(media):
    assert media_object(media) is None


def fill(index, fills, value):
    return TemplateButton(index=index, fill=fills, value=value)


def test_each_part_of_a_template_is_what_cm_documents():
    route = template(
        "Ciao {{1}}.",
        header=PHOTO,
        buttons=(fill(0, ButtonFill.PAYLOAD, "STOP-1"), fill(1, ButtonFill.URL_SUFFIX, "track/1001")),
        **{"1": "Anna"},
    )

    (bubble,) = build_message(CM, outgoing(route))["richContent"]["conversation"]

    assert bubble["template"]["whatsapp"]["components"] == [
        {"type": "header", "parameters": [{"type": "image", "media": PHOTO_MEDIA}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Anna"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": 0,
            "parameters": [{"type": "payload", "payload": "STOP-1"}],
        },
        {
            "type": "button",
            "sub_type": "url",
            "index": 1,
            "parameters": [{"type": "text", "text": "track/1001"}],
        },
    ]


def test_a_text_above_a_template_is_a_parameter():
    (bubble,) = build_message(CM, outgoing(template("Ciao.", header="991")))["richContent"]["conversation"]

    assert bubble["template"]["whatsapp"]["components"] == [
        {"type": "header", "parameters": [{"type": "text", "text": "991"}]}
    ]


UNKNOWN = {
    "link": session(LINK),
    "reaction": session(REACTION),
    "file of unknown type": session(MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/a")),
    "picture of unknown type above buttons": session(
        Buttons(
            body="b",
            header=MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/a"),
            buttons=(ReplyButton(id="y", title="Y"),),
        )
    ),
    "code": template("Ciao.", buttons=(fill(0, ButtonFill.CODE, "SCONTO10"),)),
}


@pytest.mark.parametrize("route", UNKNOWN.values(), ids=UNKNOWN)
def test_what_cm_is_not_known_to_take_is_not_asked_for(route):
    client = ScriptedClient(None)

    assert provider(CM, client).send([outgoing(route)]) == [UNSUPPORTED]
    assert client.calls == []
