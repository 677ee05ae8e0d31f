"""What a provider is not known to take is named by its field, and nothing else is refused."""

from dataclasses import replace

import pytest
from provider_builders import CM, META

from shared.domain.identifiers import ContactId
from shared.domain.session_content import Choice, MediaKind, MediaLink, Row, Section
from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill
from shared.providers.support import unsupported
from tests.builders import ANNA, call
from tests.contents import BUTTONS, CHOICE, EVERY_KIND, LINK, PDF, PHOTO, REACTION

STICKER = MediaLink(kind=MediaKind.STICKER, link="https://ex.it/s.webp")
UNTYPED = MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/photo")
LONG_LIST = Choice(body="x" * 1025, label="Menu", sections=(Section(rows=(Row(id="1", title="1"),)),))


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (PDF, ["media.caption"]),
        (STICKER, ["media.kind"]),
        (UNTYPED, ["media.link"]),
        (replace(BUTTONS, header=UNTYPED), ["interactive.header.link"]),
        (LINK, ["interactive.kind"]),
        (replace(CHOICE, footer="f"), ["interactive.footer"]),
        (LONG_LIST, ["interactive.body"]),
        (REACTION, ["reaction"]),
    ],
)
def test_cm_is_not_known_to_take(content, fields):
    assert list(unsupported(CM, ANNA, content, ())) == fields


@pytest.mark.parametrize("kind", ["text", "image", "buttons", "list", "location", "contacts"])
def test_cm_takes_the_rest(kind):
    assert unsupported(CM, ANNA, EVERY_KIND[kind], (call(),)) == {}


@pytest.mark.parametrize("content", [*EVERY_KIND.values(), STICKER, UNTYPED, LONG_LIST])
def test_meta_takes_every_kind(content):
    assert unsupported(META, ANNA, content, (call(),)) == {}


def test_meta_shows_a_file_name_for_documents_only():
    assert list(unsupported(META, ANNA, replace(PHOTO, filename="a.jpg"), ())) == ["media.filename"]


def test_cm_sends_to_numbers_only():
    contact = ContactId("NL.90011223344")

    assert list(unsupported(CM, contact, None, (call(),))) == ["to"]
    assert unsupported(META, contact, None, (call(),)) == {}


def test_every_template_is_looked_at():
    code = (TemplateButton(index=1, fill=ButtonFill.CODE, value="123456"),)
    calls = (replace(call(), header=UNTYPED), replace(call(), buttons=code))

    assert list(unsupported(CM, ANNA, None, calls)) == [
        "template.header.link",
        "template.alternates.0.buttons.0.code",
    ]
    assert unsupported(META, ANNA, None, calls) == {}


def test_every_refusal_says_what_to_do_instead():
    texts = unsupported(CM, ANNA, PDF, ()) | unsupported(META, ANNA, replace(PHOTO, filename="a.jpg"), ())

    assert all("; " in text for texts_of_field in texts.values() for text in texts_of_field)
