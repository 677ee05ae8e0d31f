"""What a contact would see: markup, samples where nothing is given, and never a raw variable."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.markup import Piece, Style, pieces
from shared.domain.preview import preview
from shared.domain.session_content import MediaKind, MediaLink
from shared.domain.template_call import TemplateButton, TemplateCall
from shared.domain.template_parts import (
    ButtonFill,
    ButtonKind,
    ButtonPart,
    HeaderKind,
    HeaderPart,
    TemplateContent,
)
from shared.domain.template_text import VARIABLE, clean_value, is_visible
from tests.builders import call, template

BOLD, ITALIC, STRUCK, CODE = Style
LINK = ButtonPart(kind=ButtonKind.URL, label="Segui", url="https://ex.it/t/{{1}}", sample="ZX1")
CONTENT = TemplateContent(
    header=HeaderPart(kind=HeaderKind.TEXT, text="Ordine {{1}}", sample="991"),
    body="Gentile {{1}}, il suo ordine {{2}} è pronto.",
    footer="Esempio srl",
    samples=("Anna", "991"),
    buttons=(
        LINK,
        ButtonPart(kind=ButtonKind.PHONE, label="Chiami", phone="+390212345678"),
        ButtonPart(kind=ButtonKind.COPY_CODE, label="Copia", sample="SRL10"),
    ),
)
EMPTY = TemplateCall(name="n", language="it", values={})


def shown(text):
    return [(piece.text, *sorted(piece.styles)) for piece in pieces(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("senza", [("senza",)]),
        ("un *forte* no", [("un ",), ("forte", BOLD), (" no",)]),
        ("_i_ ~s~", [("i", ITALIC), (" ",), ("s", STRUCK)]),
        ("*a _b_ c*", [("a ", BOLD), ("b", BOLD, ITALIC), (" c", BOLD)]),
        ("```a *b*\nc```", [("a *b*\nc", CODE)]),
        ("(*a*), *b*.", [("(",), ("a", BOLD), ("), ",), ("b", BOLD), (".",)]),
        ("2*3*4", [("2*3*4",)]),
        ("* a*", [("* a*",)]),
        ("*a *", [("*a *",)]),
        ("*a\nb*", [("*a\nb*",)]),
        ("*a", [("*a",)]),
        ("**", [("**",)]),
        ("snake_case_name", [("snake_case_name",)]),
        ("*a _b* c_", [("a _b", BOLD), (" c_",)]),
        ("", []),
    ],
)
def test_marks_are_whatsapp_s(text, expected):
    assert shown(text) == expected


@given(st.text("*_~` a\n1", max_size=60))
def test_markup_loses_nothing_but_marks(text):
    plain = "".join(piece.text for piece in pieces(text))

    assert re.sub(r"[*_~`]", "", plain) == re.sub(r"[*_~`]", "", text)
    assert all(isinstance(piece, Piece) and piece.text for piece in pieces(text))


def test_the_samples_stand_where_nothing_is_given():
    seen = preview(EMPTY, CONTENT)

    assert seen.misfits == ()
    assert seen.bubble.as_text() == (
        "Ordine 991\n\nGentile Anna, il suo ordine 991 è pronto.\n\nEsempio srl\n\n"
        "[Segui] https://ex.it/t/ZX1\n[Chiami] +390212345678\n[Copia] SRL10"
    )
    assert seen.length == len("Gentile Anna, il suo ordine 991 è pronto.")


def test_what_is_given_stands_before_the_samples():
    suffix = TemplateButton(index=0, fill=ButtonFill.URL_SUFFIX, value="ZX2")
    asked = TemplateCall(name="n", language="it", values={"1": "Bo"}, header="12", buttons=(suffix,))
    bubble = preview(asked, CONTENT).bubble

    assert (bubble.header, bubble.body) == ("Ordine 12", "Gentile Bo, il suo ordine 991 è pronto.")
    assert bubble.buttons[0].target == "https://ex.it/t/ZX2"


def test_what_has_no_sample_is_a_gap_and_a_misfit():
    bare = TemplateContent(
        header=HeaderPart(kind=HeaderKind.IMAGE), body="Ciao {{1}}, a presto.", buttons=(LINK,)
    )
    seen = preview(EMPTY, bare)

    assert seen.bubble.body == "Ciao …, a presto."
    assert [misfit.field for misfit in seen.misfits] == ["variables.1", "header"]


def test_a_file_is_shown_by_its_kind_and_name():
    document = TemplateContent(header=HeaderPart(kind=HeaderKind.DOCUMENT), body="Ecco la fattura.")
    file = MediaLink(kind=MediaKind.DOCUMENT, link="https://ex.it/f.pdf", filename="Fattura.pdf")
    asked = TemplateCall(name="n", language="it", values={}, header=file)

    assert preview(asked, document).bubble.as_text() == "[Fattura.pdf]\n\nEcco la fattura."
    assert preview(EMPTY, document).bubble.as_text() == "[document]\n\nEcco la fattura."


def test_a_value_that_is_too_long_is_shown_with_its_misfit():
    seen = preview(TemplateCall(name="n", language="it", values={"2": "x" * 1100}), CONTENT)

    assert seen.length > 1024
    assert [misfit.field for misfit in seen.misfits] == ["variables.2"]


#: As the door lets them in: cleaned, and something of them can be seen.
values = st.text(max_size=40).map(clean_value).filter(is_visible)
#: A value may itself look like a variable, and stays what it is.
plain_values = values.filter(lambda value: not set(value) & set("{}"))


@given(plain_values, plain_values, plain_values)
def test_what_is_sent_holds_no_raw_variable_and_no_broken_value(first, second, header):
    asked = TemplateCall(name="n", language="it", values={"1": first, "2": second}, header=header)
    bubble = preview(asked, CONTENT).bubble

    for text in (bubble.header, bubble.body):
        assert not VARIABLE.search(text)
        assert not re.search(r"[\n\t\r]| {5}", text)
    assert bubble.body == f"Gentile {first}, il suo ordine {second} è pronto."


@given(values, values)
def test_session_text_is_what_the_template_would_show(first, second):
    approved = template(
        body=CONTENT.body, footer=CONTENT.footer, header=HeaderPart(kind=HeaderKind.TEXT, text="Novità")
    )
    asked = call(values={"1": first, "2": second})

    assert approved.as_session_text(asked) == preview(asked, approved).bubble.as_text()


def test_the_approved_text_is_untouched_by_cleaning():
    body = "Riga uno\n\n  *{{1}}*  e\tpoi\n{{2}} fine."
    asked = call(values={"1": " a\n\tb ", "2": "c     d"})

    assert template(body=body).as_session_text(asked) == "Riga uno\n\n  *a b*  e\tpoi\nc d fine."
