"""The request for every header with every button, of templates as they are registered, for both providers."""

import re
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_builders import CM, META, ScriptedClient, outgoing, provider, template

from shared.domain.preview import preview
from shared.domain.routing import TemplateRoute
from shared.domain.session_content import MediaKind, MediaLink
from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill, ButtonKind, ButtonPart, HeaderKind, HeaderPart
from shared.domain.template_text import is_visible
from shared.providers.cm.send import UNSUPPORTED, build_message
from shared.schemas.documents import read
from shared.schemas.template_call import TemplateCallSchema

FILM = MediaLink(kind=MediaKind.VIDEO, link="https://ex.it/991.mp4")
PHOTO = MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/991.jpg")
PAPER = MediaLink(kind=MediaKind.DOCUMENT, link="https://ex.it/991.pdf", filename="Fattura.pdf")


def cm_media(kind, name, uri, mime):
    return {"type": kind, "media": {"mediaName": name, "mediaUri": uri, "mimeType": mime}}


#: The template's part, what a request brings, Meta's parameter, CM.com's parameter.
HEADERS = {
    "no header": (None, None, None, None),
    "a fixed text": (HeaderPart(kind=HeaderKind.TEXT, text="Il tuo ordine"), None, None, None),
    "text": (
        HeaderPart(kind=HeaderKind.TEXT, text="Ordine {{1}}", sample="991"),
        "991",
        {"type": "text", "text": "991"},
        {"type": "text", "text": "991"},
    ),
    "image": (
        HeaderPart(kind=HeaderKind.IMAGE),
        PHOTO,
        {"type": "image", "image": {"link": "https://ex.it/991.jpg"}},
        cm_media("image", "991.jpg", "https://ex.it/991.jpg", "image/jpeg"),
    ),
    "video": (
        HeaderPart(kind=HeaderKind.VIDEO),
        FILM,
        {"type": "video", "video": {"link": "https://ex.it/991.mp4"}},
        cm_media("video", "991.mp4", "https://ex.it/991.mp4", "video/mp4"),
    ),
    "document": (
        HeaderPart(kind=HeaderKind.DOCUMENT),
        PAPER,
        {"type": "document", "document": {"link": "https://ex.it/991.pdf", "filename": "Fattura.pdf"}},
        cm_media("document", "Fattura.pdf", "https://ex.it/991.pdf", "application/pdf"),
    ),
}
#: The template's part, what a request brings, the sub-type, its parameter.
BUTTONS = {
    "no button": (None, None, None, None),
    "url": (
        ButtonPart(kind=ButtonKind.URL, label="Segui", url="https://ex.it/t/{{1}}", sample="991"),
        (ButtonFill.URL_SUFFIX, "P-17"),
        "url",
        {"type": "text", "text": "P-17"},
    ),
    "quick reply": (
        ButtonPart(kind=ButtonKind.QUICK_REPLY, label="Basta"),
        (ButtonFill.PAYLOAD, "STOP-1"),
        "quick_reply",
        {"type": "payload", "payload": "STOP-1"},
    ),
    "copy code": (
        ButtonPart(kind=ButtonKind.COPY_CODE, label="Copia", sample="X1"),
        (ButtonFill.CODE, "SRL10"),
        "copy_code",
        {"type": "coupon_code", "coupon_code": "SRL10"},
    ),
}
#: The body, the values, Meta's parameters; CM.com's are without names.
BODIES = {
    "numbered": (
        "Ciao {{1}}, ecco il {{2}}.",
        {"1": "Anna", "2": "P-17"},
        [{"type": "text", "text": "Anna"}, {"type": "text", "text": "P-17"}],
    ),
    "named": (
        "Ciao {{nome}}, a presto.",
        {"nome": "Anna"},
        [{"type": "text", "text": "Anna", "parameter_name": "nome"}],
    ),
}


def route(header, button, body) -> TemplateRoute:
    """Of a registered template, with a request that fits it."""
    (head, given, _, _), (part, fill, _, _), (text, values, _) = (
        HEADERS[header],
        BUTTONS[button],
        BODIES[body],
    )
    fills = (TemplateButton(index=0, fill=fill[0], value=fill[1]),) if fill else ()
    made = template(text, header=given, buttons=fills, **values)
    parts = replace(made.template, header=head, buttons=(part,) if part else ())
    made = replace(made, template=parts)
    assert made.call.fits(made.template)
    return made


def expected(header, button, body, *, is_cm):
    components = []
    parameter = HEADERS[header][3 if is_cm else 2]
    if parameter:
        components.append({"type": "header", "parameters": [parameter]})
    values = [each if not is_cm else {"type": "text", "text": each["text"]} for each in BODIES[body][2]]
    components.append({"type": "body", "parameters": values})
    _, fill, kind, parameter = BUTTONS[button]
    if fill:
        index = 0 if is_cm else "0"
        components.append({"type": "button", "sub_type": kind, "index": index, "parameters": [parameter]})
    return components


CASES = list(product(HEADERS, BUTTONS, BODIES))


@pytest.mark.parametrize(("header", "button", "body"), CASES)
def test_meta_gets_the_parts_that_have_something_to_fill(header, button, body):
    call = provider(META, ScriptedClient(None)).build_call([outgoing(route(header, button, body))])

    assert call.json["template"] == {
        "name": "parcel_ready",
        "language": {"code": "it"},
        "components": expected(header, button, body, is_cm=False),
    }


@pytest.mark.parametrize(("header", "button", "body"), [case for case in CASES if case[1] != "copy code"])
def test_cm_gets_the_same_parts_in_its_own_form(header, button, body):
    message = build_message(CM, outgoing(route(header, button, body)))

    (bubble,) = message["richContent"]["conversation"]
    assert bubble["template"]["whatsapp"]["components"] == expected(header, button, body, is_cm=True)


@pytest.mark.parametrize("header", HEADERS)
def test_cm_is_not_known_to_take_a_code_to_copy(header):
    client = ScriptedClient(None)
    results = provider(CM, client).send([outgoing(route(header, "copy code", "numbered"))])

    assert results == [UNSUPPORTED]
    assert client.calls == []


@given(st.dictionaries(st.sampled_from(["1", "2"]), st.text(max_size=80), min_size=2))
def test_whatever_an_app_hands_in_is_refused_by_name_or_sent_as_whatsapp_wants_it(values):
    call, mistakes = read(
        TemplateCallSchema(), {"name": "parcel_ready", "language": "it", "variables": values}
    )
    if mistakes:
        assert set(mistakes) == {
            f"variables.{name}" for name, value in values.items() if not is_visible(value)
        }
        return
    asked = template(BODIES["numbered"][0], **call.values)
    sent = provider(META, ScriptedClient(None)).build_call([outgoing(asked)]).json
    texts = [parameter["text"] for parameter in sent["template"]["components"][0]["parameters"]]

    assert not any(re.search(r"[\n\r\t]| {5}", text) or text != text.strip() for text in texts)
    assert preview(call, asked.template).bubble.body == f"Ciao {texts[0]}, ecco il {texts[1]}."
