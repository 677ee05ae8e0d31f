"""Each kind of content and each part of a template, as the Cloud API documents it."""

import pytest
from provider_builders import outgoing, session, template

from shared.domain.consent import Category
from shared.domain.content import Location
from shared.domain.session_content import EmojiReaction, LinkButton, MediaKind, MediaLink
from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill
from shared.providers.meta.send import build_body
from tests.contents import BUTTONS, CARDS, CHOICE, LINK, PDF, PHOTO, PLACE, WAMID

BODIES = {
    "image": (PHOTO, "image", {"link": "https://ex.it/991.jpg"}),
    "document": (
        PDF,
        "document",
        {"link": "https://ex.it/f/991.pdf", "caption": "La tua fattura", "filename": "Fattura.pdf"},
    ),
    "sticker": (
        MediaLink(kind=MediaKind.STICKER, link="https://ex.it/s.webp"),
        "sticker",
        {"link": "https://ex.it/s.webp"},
    ),
    "buttons with a picture above": (
        BUTTONS,
        "interactive",
        {
            "type": "button",
            "header": {"type": "image", "image": {"link": "https://ex.it/991.jpg"}},
            "body": {"text": "Confermi l'appuntamento?"},
            "footer": {"text": "Esempio srl"},
            "action": {
                "buttons": [
                    {"type": "reply", "reply": {"id": "yes", "title": "Sì"}},
                    {"type": "reply", "reply": {"id": "no", "title": "No"}},
                ]
            },
        },
    ),
    "list": (
        CHOICE,
        "interactive",
        {
            "type": "list",
            "header": {"type": "text", "text": "Scegli un orario"},
            "body": {"text": "Quando ti va bene?"},
            "action": {
                "button": "Orari",
                "sections": [
                    {"title": "Domani", "rows": [{"id": "s1", "title": "09:00", "description": "Sala A"}]},
                    {"title": "Venerdì", "rows": [{"id": "s2", "title": "10:00"}]},
                ],
            },
        },
    ),
    "link": (
        LINK,
        "interactive",
        {
            "type": "cta_url",
            "body": {"text": "Segui il pacco."},
            "action": {
                "name": "cta_url",
                "parameters": {"display_text": "Apri", "url": "https://ex.it/991"},
            },
        },
    ),
    "link with texts around": (
        LinkButton(body="b", header="h", footer="f", label="l", url="https://ex.it"),
        "interactive",
        {
            "type": "cta_url",
            "header": {"type": "text", "text": "h"},
            "body": {"text": "b"},
            "footer": {"text": "f"},
            "action": {"name": "cta_url", "parameters": {"display_text": "l", "url": "https://ex.it"}},
        },
    ),
    "place on the equator": (
        PLACE,
        "location",
        {"latitude": 0.0, "longitude": -9.19, "name": "Negozio", "address": "Via Roma 1, Cagliari"},
    ),
    "bare place": (Location(latitude=1, longitude=2), "location", {"latitude": 1, "longitude": 2}),
    "cards": (
        CARDS,
        "contacts",
        [
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
        ],
    ),
    "reaction": (
        EmojiReaction(message_id=WAMID, emoji="👍"),
        "reaction",
        {"message_id": WAMID, "emoji": "👍"},
    ),
}


@pytest.mark.parametrize(("content", "kind", "expected"), BODIES.values(), ids=BODIES)
def test_each_kind_is_what_meta_documents(content, kind, expected):
    body = build_body(outgoing(session(content)))

    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+31600000001",
        "biz_opaque_callback_data": "01JD00000000000000000000001",
        "type": kind,
        kind: expected,
    }


def test_a_quote_stands_beside_what_it_answers():
    body = build_body(outgoing(session("Sì", reply_to=WAMID)))

    assert (body["context"], body["text"]) == ({"message_id": WAMID}, {"body": "Sì"})


def fill(index, fills, value):
    return TemplateButton(index=index, fill=fills, value=value)


COMPONENTS = {
    "text above": (
        template("Ciao.", header="991"),
        [{"type": "header", "parameters": [{"type": "text", "text": "991"}]}],
    ),
    "document above, and a variable": (
        template("Ciao {{1}}.", header=PDF, **{"1": "Anna"}),
        [
            {
                "type": "header",
                "parameters": [
                    {
                        "type": "document",
                        "document": {
                            "link": "https://ex.it/f/991.pdf",
                            "caption": "La tua fattura",
                            "filename": "Fattura.pdf",
                        },
                    }
                ],
            },
            {"type": "body", "parameters": [{"type": "text", "text": "Anna"}]},
        ],
    ),
    "buttons": (
        template(
            "Ciao.",
            buttons=(
                fill(0, ButtonFill.URL_SUFFIX, "track/P-17"),
                fill(1, ButtonFill.PAYLOAD, "STOP_PROMO"),
                fill(2, ButtonFill.CODE, "SCONTO10"),
            ),
        ),
        [
            {
                "type": "button",
                "sub_type": "url",
                "index": "0",
                "parameters": [{"type": "text", "text": "track/P-17"}],
            },
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "1",
                "parameters": [{"type": "payload", "payload": "STOP_PROMO"}],
            },
            {
                "type": "button",
                "sub_type": "copy_code",
                "index": "2",
                "parameters": [{"type": "coupon_code", "coupon_code": "SCONTO10"}],
            },
        ],
    ),
}


@pytest.mark.parametrize(("route", "expected"), COMPONENTS.values(), ids=COMPONENTS)
def test_each_part_of_a_template_is_what_meta_documents(route, expected):
    assert build_body(outgoing(route))["template"]["components"] == expected


@pytest.mark.parametrize("buttons", [(), (fill(0, ButtonFill.CODE, "123456"),)])
def test_a_one_time_code_stands_in_the_body_and_in_the_button(buttons):
    route = template(
        "{{1}} è il tuo codice.", category=Category.AUTHENTICATION, buttons=buttons, **{"1": "123456"}
    )

    code = [{"type": "text", "text": "123456"}]
    assert build_body(outgoing(route))["template"]["components"] == [
        {"type": "body", "parameters": code},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
    ]
