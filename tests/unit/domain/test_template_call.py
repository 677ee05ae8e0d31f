"""Where a request does not fit the template that it names: each place with its field and its mend."""

from dataclasses import replace

import pytest

from shared.domain.session_content import MediaKind, MediaLink
from shared.domain.template_call import TemplateButton, misfits
from shared.domain.template_parts import ButtonFill, ButtonKind, ButtonPart, HeaderKind, HeaderPart
from tests.builders import call, template

PHOTO = MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/991.jpg")
FILM = MediaLink(kind=MediaKind.VIDEO, link="https://ex.it/991.mp4")
TITLE = HeaderPart(kind=HeaderKind.TEXT, text="Ordine {{1}}", sample="991")
IMAGE = HeaderPart(kind=HeaderKind.IMAGE, sample="https://ex.it/esempio.jpg")
TRACK = ButtonPart(kind=ButtonKind.URL, label="Segui", url="https://ex.it/{{1}}", sample="991")
SITE = ButtonPart(kind=ButtonKind.URL, label="Sito", url="https://ex.it/")
STOP = ButtonPart(kind=ButtonKind.QUICK_REPLY, label="Basta")
COUPON = ButtonPart(kind=ButtonKind.COPY_CODE, label="Copia", sample="X1")
CODE = ButtonPart(kind=ButtonKind.ONE_TIME_CODE, label="Copia")


def given(index, fill, value="991"):
    return TemplateButton(index=index, fill=fill, value=value)


def fields(asked, **parts):
    return [misfit.field for misfit in misfits(asked, template(**parts))]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"1": "Anna", "2": "991"}, []),
        ({"1": "Anna"}, ["variables.2"]),
        ({"2": "991"}, ["variables.1"]),
        ({"1": "Anna", "2": "991", "3": "x"}, ["variables.3"]),
        ({"nome": "Anna", "2": "991"}, ["variables.1", "variables.nome"]),
        ({"1": "a" * 1000, "2": "991"}, ["variables.1"]),
        ({"1": "Anna", "2": "9" * 1000}, ["variables.2"]),
    ],
)
def test_each_variable_that_does_not_fit_is_named(values, expected):
    assert fields(call(values=values)) == expected


def test_the_text_that_the_contact_reads_counts_and_not_what_cleaning_takes_away():
    body = template().body
    room = 1024 - (len(body) - len("{{1}}{{2}}"))

    assert fields(call(values={"1": "a" * (room - 3) + " \n\t ", "2": "991"})) == []
    assert fields(call(values={"1": "a" * (room - 2), "2": "991"})) == ["variables.1"]


@pytest.mark.parametrize(
    ("part", "header", "expected"),
    [
        (None, None, []),
        (None, "991", ["header"]),
        (None, PHOTO, ["header"]),
        (TITLE, "991", []),
        (TITLE, None, ["header"]),
        (TITLE, PHOTO, ["header"]),
        (TITLE, "9" * 60, ["header"]),
        (replace(TITLE, text="Il tuo ordine"), None, []),
        (replace(TITLE, text="Il tuo ordine"), "991", ["header"]),
        (IMAGE, PHOTO, []),
        (IMAGE, FILM, ["header"]),
        (IMAGE, "991", ["header"]),
        (IMAGE, None, ["header"]),
    ],
)
def test_a_header_takes_what_the_template_has(part, header, expected):
    assert fields(replace(call(), header=header), header=part) == expected


@pytest.mark.parametrize(
    ("parts", "buttons", "expected"),
    [
        ((), (), []),
        ((), (given(0, ButtonFill.PAYLOAD),), ["buttons.0"]),
        ((TRACK,), (given(0, ButtonFill.URL_SUFFIX),), []),
        ((TRACK,), (), ["buttons.0"]),
        ((TRACK,), (given(0, ButtonFill.PAYLOAD),), ["buttons.0"]),
        ((SITE,), (), []),
        ((SITE,), (given(0, ButtonFill.URL_SUFFIX),), ["buttons.0"]),
        ((STOP,), (), []),
        ((STOP,), (given(0, ButtonFill.PAYLOAD),), []),
        ((STOP, TRACK), (given(1, ButtonFill.URL_SUFFIX),), []),
        ((STOP, TRACK), (given(0, ButtonFill.URL_SUFFIX),), ["buttons.0", "buttons.1"]),
        ((COUPON,), (), ["buttons.0"]),
        ((COUPON,), (given(0, ButtonFill.CODE),), []),
        ((CODE,), (), []),
        ((CODE,), (given(0, ButtonFill.CODE),), []),
        ((STOP,), (given(3, ButtonFill.PAYLOAD),), ["buttons.3"]),
    ],
)
def test_a_button_takes_what_its_kind_takes(parts, buttons, expected):
    assert fields(replace(call(), buttons=buttons), buttons=parts) == expected


def test_an_address_with_its_end_has_at_most_2000_characters():
    room = 2000 - len("https://ex.it/")

    longest = replace(call(), buttons=(given(0, ButtonFill.URL_SUFFIX, "x" * room),))
    assert fields(longest, buttons=(TRACK,)) == []
    longer = replace(call(), buttons=(given(0, ButtonFill.URL_SUFFIX, "x" * (room + 1)),))
    assert fields(longer, buttons=(TRACK,)) == ["buttons.0"]


def test_a_one_time_code_has_at_most_15_characters():
    body = "Il tuo codice è {{1}}."

    assert fields(call(values={"1": "1" * 15}), body=body, buttons=(CODE,)) == []
    assert fields(call(values={"1": "1" * 16}), body=body, buttons=(CODE,)) == ["variables.1"]


def test_every_misfit_says_how_to_mend_it():
    asked = replace(call(values={"1": "Anna"}), header="991", buttons=(given(0, ButtonFill.CODE),))

    mends = [misfit.mend for misfit in misfits(asked, template(buttons=(TRACK,)))]

    assert mends == [
        "needs a value; the template's variables: 1, 2",
        "leave it out: the template's header takes nothing",
        "the button 'Segui' takes url_suffix",
    ]


def test_a_text_above_goes_with_the_session_text():
    asked = replace(call(), header="991")

    text = template(header=TITLE, footer="A presto").as_session_text(asked)

    assert text == "Ordine 991\n\nCiao Anna, il tuo ordine 991 è pronto.\n\nA presto"


@pytest.mark.parametrize("parts", [{"buttons": (STOP,)}, {"header": IMAGE}])
def test_what_has_more_than_text_is_no_session_text(parts):
    asked = replace(call(), header=PHOTO if "header" in parts else None)

    assert template(**parts).as_session_text(asked) is None
