"""Content at the door: each kind becomes a value, each limit holds to the character."""

import pytest

from shared.domain.session_content import Choice, LinkButton, MediaKind, MediaLink, Text
from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill
from shared.schemas.documents import read
from shared.schemas.message_request import MessageRequestSchema
from tests.contents import BUTTONS, CARDS, CHOICE, LINK, PDF, PLACE, REACTION, WAMID

PHOTO = {"kind": "image", "link": "https://ex.it/991.jpg"}
BUTTON = {"id": "yes", "title": "Sì"}
ROW = {"id": "s1", "title": "09:00"}
TEMPLATE = {"name": "ordine_pronto", "language": "it", "variables": ["Anna", "991"]}


def load(**content):
    return read(MessageRequestSchema(), {"to": "+393331234567", **content})


def buttons(**changes):
    return {"interactive": {"kind": "buttons", "body": "b", "buttons": [BUTTON], **changes}}


def menu(*rows, **changes):
    return {
        "interactive": {"kind": "list", "body": "b", "sections": [{"rows": list(rows or [ROW])}], **changes}
    }


def link(**changes):
    return {"interactive": {"kind": "link", "body": "b", "url": "https://ex.it", **changes}}


def card(**changes):
    return {"contacts": [{"name": {"formatted_name": "Ada"}, **changes}]}


def template(**changes):
    return {"template": TEMPLATE | changes}


KINDS = {
    "text": ({"text": "Ciao"}, Text("Ciao")),
    "media": (
        {
            "media": {
                "kind": "document",
                "link": "https://ex.it/f/991.pdf",
                "caption": "La tua fattura",
                "filename": "Fattura.pdf",
            }
        },
        PDF,
    ),
    "buttons": (
        {
            "interactive": {
                "kind": "buttons",
                "body": "Confermi l'appuntamento?",
                "header": PHOTO,
                "footer": "Esempio srl",
                "buttons": [BUTTON, {"id": "no", "title": "No"}],
            }
        },
        BUTTONS,
    ),
    "list": (
        {
            "interactive": {
                "kind": "list",
                "body": "Quando ti va bene?",
                "header": {"text": "Scegli un orario"},
                "label": "Orari",
                "sections": [
                    {"title": "Domani", "rows": [{**ROW, "description": "Sala A"}]},
                    {"title": "Venerdì", "rows": [{"id": "s2", "title": "10:00"}]},
                ],
            }
        },
        CHOICE,
    ),
    "link": (
        {
            "interactive": {
                "kind": "link",
                "body": "Segui il pacco.",
                "label": "Apri",
                "url": "https://ex.it/991",
            }
        },
        LINK,
    ),
    "location": (
        {
            "location": {
                "latitude": 0,
                "longitude": -9.19,
                "name": "Negozio",
                "address": "Via Roma 1, Cagliari",
            }
        },
        PLACE,
    ),
    "contacts": (
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
                {"name": {"formatted_name": "Bo"}},
            ]
        },
        CARDS,
    ),
    "reaction": ({"reaction": {"message_id": WAMID, "emoji": "👍"}}, REACTION),
}


@pytest.mark.parametrize(("asked", "content"), KINDS.values(), ids=KINDS)
def test_each_kind_becomes_a_value(asked, content):
    draft, mistakes = load(**asked)

    assert mistakes == {}
    assert (draft.content, draft.reply_to, draft.templates) == (content, None, ())


def test_content_may_quote_and_have_a_template_beside_it():
    draft, _ = load(text="Sì", reply_to=WAMID, template=TEMPLATE)

    assert (draft.content, draft.reply_to, len(draft.templates)) == (Text("Sì"), WAMID, 1)


def test_a_header_may_be_written_as_a_text():
    draft, _ = load(**buttons(header="Ordine 991"))

    assert draft.content.header == "Ordine 991"


def test_a_label_may_be_left_out():
    menu_draft, _ = load(**menu())
    link_draft, _ = load(**link(url="https://www.negozio-di-esempio.it/991"))

    assert isinstance(menu_draft.content, Choice)
    assert menu_draft.content.label == "Menu"
    assert isinstance(link_draft.content, LinkButton)
    assert link_draft.content.label == "negozio-di-esempio.i"


def test_a_template_s_header_and_buttons_are_read():
    fills = [
        {"index": 0, "url_suffix": "track/P-17"},
        {"index": 1, "payload": "STOP"},
        {"index": 2, "code": "SCONTO10"},
    ]
    draft, _ = load(**template(header={"text": "Ordine\n 991"}, buttons=fills))
    (call,) = draft.templates

    assert call.header == "Ordine 991"
    assert call.buttons == (
        TemplateButton(index=0, fill=ButtonFill.URL_SUFFIX, value="track/P-17"),
        TemplateButton(index=1, fill=ButtonFill.PAYLOAD, value="STOP"),
        TemplateButton(index=2, fill=ButtonFill.CODE, value="SCONTO10"),
    )


def test_an_alternate_has_a_header_of_its_own():
    draft, _ = load(**template(alternates=[TEMPLATE | {"header": PHOTO}]))

    assert [call.header for call in draft.templates] == [
        None,
        MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/991.jpg"),
    ]


#: The longest that is taken; one character more is a mistake in the field.
LIMITS = {
    "text": (4096, lambda text: {"text": text}, "text"),
    "caption": (1024, lambda text: {"media": PHOTO | {"caption": text}}, "media.caption"),
    "body of buttons": (1024, lambda text: buttons(body=text), "interactive.body"),
    "body of a link": (1024, lambda text: link(body=text), "interactive.body"),
    "body of a list": (4096, lambda text: menu(body=text), "interactive.body"),
    "header": (60, lambda text: buttons(header={"text": text}), "interactive.header.text"),
    "header of a list": (60, lambda text: menu(header={"text": text}), "interactive.header.text"),
    "footer": (60, lambda text: buttons(footer=text), "interactive.footer"),
    "label of a list": (20, lambda text: menu(label=text), "interactive.label"),
    "label of a link": (20, lambda text: link(label=text), "interactive.label"),
    "id of a button": (
        256,
        lambda text: buttons(buttons=[BUTTON | {"id": text}]),
        "interactive.buttons.0.id",
    ),
    "title of a button": (
        20,
        lambda text: buttons(buttons=[BUTTON | {"title": text}]),
        "interactive.buttons.0.title",
    ),
    "id of a row": (200, lambda text: menu(ROW | {"id": text}), "interactive.sections.0.rows.0.id"),
    "title of a row": (24, lambda text: menu(ROW | {"title": text}), "interactive.sections.0.rows.0.title"),
    "description of a row": (
        72,
        lambda text: menu(ROW | {"description": text}),
        "interactive.sections.0.rows.0.description",
    ),
    "title of a section": (
        24,
        lambda text: menu(sections=[{"title": text, "rows": [ROW]}]),
        "interactive.sections.0.title",
    ),
    "code": (15, lambda text: template(buttons=[{"index": 0, "code": text}]), "template.buttons.0.code"),
    "header of a template": (60, lambda text: template(header={"text": text}), "template.header.text"),
}


@pytest.mark.parametrize(("most", "asked", "field"), LIMITS.values(), ids=LIMITS)
def test_each_limit_holds_to_the_character(most, asked, field):
    assert load(**asked("è" * most))[1] == {}
    assert list(load(**asked("è" * (most + 1)))[1]) == [field]
    assert list(load(**asked("   "))[1]) == [field]


ROWS = [{"id": str(number), "title": str(number)} for number in range(11)]
MISTAKES = {
    "nothing": ({}, "text"),
    "two contents": ({"text": "Ciao", "media": PHOTO}, "media"),
    "a quote of nothing": ({"reply_to": WAMID, "template": TEMPLATE}, "reply_to"),
    "a quoting reaction": ({"reaction": {"message_id": WAMID, "emoji": "👍"}, "reply_to": WAMID}, "reply_to"),
    "a quote by our id": ({"text": "Sì", "reply_to": "msg_01JD0000000000000000000000"}, "reply_to"),
    "unknown kind of file": ({"media": PHOTO | {"kind": "gif"}}, "media.kind"),
    "a file without link": ({"media": {"kind": "image"}}, "media.link"),
    "http": ({"media": PHOTO | {"link": "http://ex.it/a.jpg"}}, "media.link"),
    "no host": ({"media": PHOTO | {"link": "https:///a.jpg"}}, "media.link"),
    "a space": ({"media": PHOTO | {"link": "https://ex.it/a b.jpg"}}, "media.link"),
    "a password": ({"media": PHOTO | {"link": "https://a:b@ex.it/a.jpg"}}, "media.link"),
    "bad brackets": ({"media": PHOTO | {"link": "https://[ex.it/a.jpg"}}, "media.link"),
    "a long link": ({"media": PHOTO | {"link": "https://ex.it/" + "a" * 1987}}, "media.link"),
    "captioned audio": (
        {"media": {"kind": "audio", "link": "https://ex.it/a.ogg", "caption": "c"}},
        "media.caption",
    ),
    "captioned sticker": (
        {"media": {"kind": "sticker", "link": "https://ex.it/a.webp", "caption": "c"}},
        "media.caption",
    ),
    "misspelt": ({"media": PHOTO | {"captoin": "c"}}, "media.captoin"),
    "unknown kind to press": (buttons(kind="carousel"), "interactive.kind"),
    "four buttons": (
        buttons(buttons=[{"id": str(number), "title": str(number)} for number in range(4)]),
        "interactive.buttons",
    ),
    "no button": (buttons(buttons=[]), "interactive.buttons"),
    "equal titles": (buttons(buttons=[BUTTON, BUTTON | {"id": "no"}]), "interactive.buttons"),
    "equal ids": (buttons(buttons=[BUTTON, BUTTON | {"title": "No"}]), "interactive.buttons"),
    "buttons without buttons": ({"interactive": {"kind": "buttons", "body": "b"}}, "interactive.buttons"),
    "a list without rows": ({"interactive": {"kind": "list", "body": "b"}}, "interactive.sections"),
    "a link without url": ({"interactive": {"kind": "link", "body": "b"}}, "interactive.url"),
    "buttons in a link": (link(buttons=[BUTTON]), "interactive.buttons"),
    "a label on buttons": (buttons(label="Menu"), "interactive.label"),
    "eleven rows": (
        menu(sections=[{"title": "a", "rows": ROWS[:6]}, {"title": "b", "rows": ROWS[6:]}]),
        "interactive.sections",
    ),
    "eleven sections": (
        menu(sections=[{"title": row["title"], "rows": [row]} for row in ROWS]),
        "interactive.sections",
    ),
    "rows of one id": (menu(ROW, ROW | {"title": "10:00"}), "interactive.sections"),
    "sections without titles": (
        menu(sections=[{"rows": ROWS[:1]}, {"rows": ROWS[1:2]}]),
        "interactive.sections",
    ),
    "a file above a list": (menu(header=PHOTO), "interactive.header"),
    "a file above a link": (link(header=PHOTO), "interactive.header"),
    "audio above buttons": (
        buttons(header={"kind": "audio", "link": "https://ex.it/a.ogg"}),
        "interactive.header.kind",
    ),
    "a captioned header": (buttons(header=PHOTO | {"caption": "c"}), "interactive.header.caption"),
    "a header of a bare link": (
        buttons(header={"link": "https://ex.it/a.jpg"}),
        "interactive.header.kind",
    ),
    "a header of numbers": (buttons(header=[7]), "interactive.header"),
    "beyond the pole": ({"location": {"latitude": 90.1, "longitude": 0}}, "location.latitude"),
    "around the world": ({"location": {"latitude": 0, "longitude": -180.1}}, "location.longitude"),
    "a place as text": ({"location": {"latitude": "45.1", "longitude": 0}}, "location.latitude"),
    "a place that is true": ({"location": {"latitude": True, "longitude": 0}}, "location.latitude"),
    "half a place": ({"location": {"latitude": 1}}, "location.longitude"),
    "no cards": ({"contacts": []}, "contacts"),
    "a card without name": ({"contacts": [{"phones": []}]}, "contacts.0.name"),
    "a birthday in words": (card(birthday="31 gennaio"), "contacts.0.birthday"),
    "a phone without number": (card(phones=[{"type": "CELL"}]), "contacts.0.phones.0.phone"),
    "a word as reaction": ({"reaction": {"message_id": WAMID, "emoji": "ok"}}, "reaction.emoji"),
    "taking a reaction back": ({"reaction": {"message_id": WAMID, "emoji": ""}}, "reaction.emoji"),
    "a reaction to our id": ({"reaction": {"message_id": "cm:ab", "emoji": "👍"}}, "reaction.message_id"),
    "a button filled twice": (
        template(buttons=[{"index": 0, "payload": "a", "code": "b"}]),
        "template.buttons.0",
    ),
    "a space in an address": (
        template(buttons=[{"index": 0, "url_suffix": "t/P 17"}]),
        "template.buttons.0.url_suffix",
    ),
    "a line break in an address": (
        template(buttons=[{"index": 0, "url_suffix": "t\n17"}]),
        "template.buttons.0.url_suffix",
    ),
    "a value that cleaning empties": (template(variables=["Anna", " \n\t"]), "template.variables.2"),
    "a value that nobody sees": (template(variables=["\u200b \u2060"]), "template.variables.1"),
    "a value beyond all texts": (template(variables={"nome": "x" * 4097}), "template.variables.nome"),
    "a button filled with nothing": (template(buttons=[{"index": 0}]), "template.buttons.0"),
    "one button twice": (
        template(buttons=[{"index": 0, "payload": "a"}, {"index": 0, "payload": "b"}]),
        "template.buttons",
    ),
    "the eleventh button": (template(buttons=[{"index": 10, "payload": "a"}]), "template.buttons.0.index"),
    "a sticker above a template": (
        template(header={"kind": "sticker", "link": "https://ex.it/s.webp"}),
        "template.header.kind",
    ),
}


@pytest.mark.parametrize(("asked", "field"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_by_its_field(asked, field):
    draft, mistakes = load(**asked)

    assert draft is None
    assert list(mistakes) == [field]
    assert all(mistakes[field])
