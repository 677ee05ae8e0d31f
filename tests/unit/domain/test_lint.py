"""The lint: one row a rule, with its nearest neighbours that break none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.lint import Level, LintPolicy, PromotionalContent, in_provider_form, lint
from shared.domain.lint.rules import RULES
from shared.domain.template_parts import ButtonKind, ButtonPart, HeaderKind, HeaderPart, TemplateContent
from shared.domain.template_tags import TAGS

GOOD = TemplateContent(
    body="Ciao {1}, il tuo ordine {2} è pronto e ti aspetta.",
    samples=("Anna", "991"),
    footer="Il tuo negozio",
)
ALLOW = LintPolicy(promotional=PromotionalContent.ALLOW)
CM = LintPolicy(provider="cm")
CODE_BUTTON = ButtonPart(kind=ButtonKind.ONE_TIME_CODE, label="Copia il codice")
ONE_TIME_CODE = TemplateContent(body="{1} è il tuo codice.", samples=("123456",), buttons=(CODE_BUTTON,))
A_SITE = "https://ex.it/"


def broken(content=GOOD, *, name="ordine_pronto", language="it", tag="UTILITY", policy=ALLOW, **changes):
    """Each finding as `code field`."""
    content = replace(content, **changes)
    return [f"{each.code} {each.field}" for each in lint(name, language, tag, content, policy)]


def text(text, sample=None):
    return HeaderPart(kind=HeaderKind.TEXT, text=text, sample=sample)


def reply(label="Va bene"):
    return ButtonPart(kind=ButtonKind.QUICK_REPLY, label=label)


def link(url=A_SITE, sample=None, label="Apri"):
    return ButtonPart(kind=ButtonKind.URL, label=label, url=url, sample=sample)


def phone(number="+390212345678"):
    return ButtonPart(kind=ButtonKind.PHONE, label="Chiama", phone=number)


def code(sample="A1B2"):
    return ButtonPart(kind=ButtonKind.COPY_CODE, label="Copia", sample=sample)


def bare(body):
    return {"body": body, "samples": ()}


def filled(body, *samples):
    return {"body": body, "samples": samples or ("Anna", "991")}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [], id="good"),
        pytest.param(filled("Salve {nome}, il tuo ordine {ordine} c'è, passa pure."), [], id="named"),
        pytest.param(bare("Senza variabili."), [], id="without variables"),
        # Identity
        pytest.param({"name": "a" * 512}, [], id="longest name"),
        pytest.param({"name": "ordine_2"}, [], id="digit and underscore in the name"),
        pytest.param({"name": "a" * 513}, ["name_format name"], id="name too long"),
        pytest.param({"name": ""}, ["name_format name"], id="no name"),
        pytest.param({"name": "Ordine"}, ["name_format name"], id="capital in the name"),
        pytest.param({"name": "ordine-pronto"}, ["name_format name"], id="dash in the name"),
        pytest.param({"name": "ordine pronto"}, ["name_format name"], id="space in the name"),
        pytest.param({"name": "ordine\n"}, ["name_format name"], id="line break in the name"),
        pytest.param({"name": "è_pronto"}, ["name_format name"], id="accent in the name"),
        pytest.param({"language": "pt_BR", **bare("Bom dia.")}, [], id="code with a country"),
        pytest.param({"language": "it_IT"}, ["language_unknown language"], id="country that has no code"),
        pytest.param({"language": "IT"}, ["language_unknown language"], id="capitals in the code"),
        pytest.param({"language": "en-US"}, ["language_unknown language"], id="dash in the code"),
        pytest.param({"language": "pt"}, ["language_unknown language"], id="code without its country"),
        pytest.param({"language": ""}, ["language_unknown language"], id="no language"),
        pytest.param({"policy": LintPolicy(keyword_languages=("it", "en"))}, [], id="known keywords"),
        pytest.param(
            {"policy": LintPolicy(keyword_languages=("en",))},
            ["language_without_keywords language"],
            id="no keywords known",
        ),
        pytest.param({"tag": "PROMO"}, ["tag_unknown tag"], id="tag of our own"),
        pytest.param({"tag": "utility"}, ["tag_unknown tag"], id="tag in small letters"),
        pytest.param({"tag": "AUTO_REPLY"}, ["tag_old tag"], id="tag of 2022"),
        pytest.param({"tag": "MARKETING"}, [], id="marketing where it is allowed"),
        pytest.param(
            {"tag": "MARKETING", "policy": LintPolicy()}, ["category_refused tag"], id="marketing refused"
        ),
        # Time to live
        pytest.param({"ttl_seconds": 30}, [], id="shortest life"),
        pytest.param({"ttl_seconds": 43_200}, [], id="longest life"),
        pytest.param({"ttl_seconds": -1}, [], id="thirty days"),
        pytest.param({"ttl_seconds": 29}, ["ttl_range ttl_seconds"], id="life too short"),
        pytest.param({"ttl_seconds": 43_201}, ["ttl_range ttl_seconds"], id="life too long"),
        pytest.param({"ttl_seconds": 30, "policy": CM}, ["ttl_ignored ttl_seconds"], id="life at CM.com"),
        pytest.param(
            {"tag": "MARKETING", "ttl_seconds": 43_199}, ["ttl_range ttl_seconds"], id="marketing too short"
        ),
        pytest.param(
            {"tag": "MARKETING", "ttl_seconds": 43_200}, ["ttl_ignored ttl_seconds"], id="marketing's life"
        ),
        pytest.param({"tag": "MARKETING", "ttl_seconds": -1}, ["ttl_range ttl_seconds"], id="no -1 there"),
        # Body and footer
        pytest.param(bare(" \n"), ["body_empty body"], id="empty"),
        pytest.param(bare("è" * 1024), [], id="longest body, in code points"),
        pytest.param(bare("a" * 1025), ["body_too_long body"], id="body too long"),
        pytest.param(
            filled("Ciao {1}, ecco " + "a" * 1008, "x"),
            ["body_too_long body"],
            id="too long in the provider's form",
        ),
        pytest.param(filled("Sono {1} in tutto. " + "a" * 900, "x" * 54), [], id="just fits when filled"),
        pytest.param(
            filled("Sono {1} in tutto. " + "a" * 900, "x" * 55),
            ["worst_case_length body"],
            id="may be too long when filled",
        ),
        pytest.param(bare("Sì " + "👍🏽" * 10), [], id="ten emoji"),
        pytest.param(bare("Sì " + "👨‍👩‍👧🇮🇹☎️" * 4), ["emoji_many body"], id="twelve emoji"),
        pytest.param({"footer": "a" * 60}, [], id="longest footer"),
        pytest.param({"footer": None}, [], id="no footer"),
        pytest.param({"footer": "a" * 61}, ["footer_too_long footer"], id="footer too long"),
        pytest.param({"footer": "Ciao {1}"}, ["footer_variable footer"], id="variable in the footer"),
        pytest.param({"footer": "Ciao {"}, ["variable_braces footer"], id="brace in the footer"),
        pytest.param(bare("Scrivici su https://wa.me/39021"), ["link_to_whatsapp body"], id="wa.me"),
        pytest.param(bare("Scrivici su WA.ME."), ["link_to_whatsapp body"], id="wa.me in capitals"),
        pytest.param(bare("Vai su https://wa.mediolanum.it/ ora"), [], id="only begins like wa.me"),
        pytest.param(bare("Vai su https://ciwa.me/ ora"), [], id="only ends like wa.me"),
        pytest.param({"footer": "wa.me/39021"}, ["link_to_whatsapp footer"], id="wa.me in the footer"),
        # Header
        pytest.param({"header": text("a" * 60)}, [], id="longest header"),
        pytest.param({"header": text("a" * 61)}, ["header_too_long header.text"], id="header too long"),
        pytest.param({"header": text("Ordine {1}", "991")}, [], id="variable in the header"),
        pytest.param(
            {"header": text("Ordine {1}")}, ["header_sample_missing header.sample"], id="without its sample"
        ),
        pytest.param(
            {"header": text("{1} e {2}", "x")}, ["header_variables header.text"], id="two in the header"
        ),
        pytest.param(
            {"header": text("Ordine {2}", "x")},
            ["variables_not_sequential header.text"],
            id="header counts from 1",
        ),
        pytest.param(
            {"header": text("Ordine {numero}", "x")},
            ["variables_mixed header.text"],
            id="header in another format",
        ),
        pytest.param({"header": text("*Ordine* 991")}, ["header_markup header.text"], id="bold header"),
        pytest.param({"header": text("Da _{1}_", "x")}, ["header_markup header.text"], id="italic variable"),
        pytest.param({"header": text("Ordine 2*3 e file_di_ieri")}, [], id="signs inside words"),
        pytest.param({"header": HeaderPart(kind=HeaderKind.IMAGE, sample=A_SITE)}, [], id="image"),
        pytest.param(
            {"header": HeaderPart(kind=HeaderKind.IMAGE)},
            ["header_sample_missing header.sample"],
            id="image without an example",
        ),
        # Variables
        pytest.param(filled("A {1} e {nome} b c d e."), ["variables_mixed body"], id="numbered and named"),
        pytest.param(filled("A {1} e {3} b c d e."), ["variables_not_sequential body"], id="gap"),
        pytest.param(filled("A {0} e {1} b c d e."), ["variables_not_sequential body"], id="from 0"),
        pytest.param(filled("A {01} e {2} b c d e."), ["variables_not_sequential body"], id="leading zero"),
        pytest.param(filled("A {2} e {1} b c d e."), [], id="in another order"),
        pytest.param(filled("A {1} e {1} b c d e.", "x"), [], id="one of them twice"),
        pytest.param(filled("A {Nome} e {x} b c d e."), ["variable_name body"], id="capital in a variable"),
        pytest.param(filled("A {1a} e {x} b c d e."), ["variable_name body"], id="digit first"),
        pytest.param(filled("A {a1} e {x} b c d e."), ["variable_name_digits body"], id="digit inside"),
        pytest.param(filled("A {1} e {2} b c d {."), ["variable_braces body"], id="brace left open"),
        pytest.param(filled("A {{1} e {2} b c d."), ["variable_braces body"], id="braces that do not match"),
        pytest.param(filled("A {1} e {2} b c {due nomi}."), ["variable_braces body"], id="two words"),
        pytest.param(filled("A {1} e {2} b c {{#3}}."), ["variable_sign body"], id="sign in a variable"),
        pytest.param(filled("A {1} e {2} b c d #3, $ e %."), [], id="signs outside the braces"),
        pytest.param(filled("{1} e {2} a b c d."), ["variable_at_edge body"], id="first thing in the body"),
        pytest.param(filled("A b c d {1} e {2}"), ["variable_at_edge body"], id="last thing in the body"),
        pytest.param(filled("Ordini: {1} e {2} di ieri o oggi!"), [], id="a sign after the last"),
        pytest.param(filled("A {1} {2} b c d e f."), ["variables_touch body"], id="nothing between two"),
        pytest.param(filled("A {1}, {2} b c d e f."), [], id="a comma between two"),
        pytest.param(filled("A {1} e {2} b c."), ["variables_many body"], id="four words for two"),
        pytest.param(filled("A {1} e {2} b c d."), [], id="five words for two"),
        pytest.param(
            filled("- {1} - {2} -"),
            ["body_only_variables body", "variables_many body"],
            id="nothing but variables",
        ),
        pytest.param({"samples": ("Anna",)}, ["samples_missing samples"], id="a sample too few"),
        pytest.param({"samples": ("Anna", "991", "x")}, ["samples_missing samples"], id="one too many"),
        pytest.param(
            {"samples": ("Anna", " \n")}, ["sample_empty samples", "sample_spaces samples"], id="no"
        ),
        pytest.param({"samples": ("Anna", "a\nb")}, ["sample_spaces samples"], id="line break in a sample"),
        pytest.param({"samples": ("Anna", "a     b")}, ["sample_spaces samples"], id="five spaces"),
        pytest.param({"samples": ("Anna", "a    b")}, [], id="four spaces"),
        # Buttons
        pytest.param({"buttons": (reply(),) * 3}, [], id="three replies"),
        pytest.param({"buttons": (reply(),) * 4}, ["buttons_desktop buttons"], id="four replies"),
        pytest.param({"buttons": (reply(),) * 10}, ["buttons_desktop buttons"], id="ten buttons"),
        pytest.param(
            {"buttons": (reply(),) * 11},
            ["buttons_too_many buttons", "buttons_too_many_of_kind buttons", "buttons_desktop buttons"],
            id="eleven buttons",
        ),
        pytest.param({"buttons": (link(), link(), phone())}, [], id="two links and a phone"),
        pytest.param({"buttons": (link(),) * 3}, ["buttons_too_many_of_kind buttons"], id="three links"),
        pytest.param({"buttons": (phone(),) * 2}, ["buttons_too_many_of_kind buttons"], id="two phones"),
        pytest.param({"buttons": (code(),) * 2}, ["buttons_too_many_of_kind buttons"], id="two codes"),
        pytest.param(
            {"buttons": (reply(), reply(), link())}, ["buttons_desktop buttons"], id="replies then a link"
        ),
        pytest.param(
            {"buttons": (reply(), link(), reply())},
            ["buttons_mixed_order buttons", "buttons_desktop buttons"],
            id="a link between replies",
        ),
        pytest.param({"buttons": (reply("a" * 25),)}, [], id="longest label"),
        pytest.param(
            {"buttons": (reply(), reply("a" * 26))},
            ["button_label_too_long buttons.1.label"],
            id="label too long",
        ),
        pytest.param({"buttons": (reply(" "),)}, ["button_label_empty buttons.0.label"], id="blank label"),
        pytest.param({"buttons": (reply("a {1}"),)}, ["variable_braces buttons.0.label"], id="filled label"),
        pytest.param({"buttons": (link(A_SITE + "a" * (2000 - len(A_SITE))),)}, [], id="longest link"),
        pytest.param(
            {"buttons": (link(A_SITE + "a" * (2001 - len(A_SITE))),)},
            ["button_url_too_long buttons.0.url"],
            id="link too long",
        ),
        pytest.param({"buttons": (link(A_SITE + "{1}", "991"),)}, [], id="link with an end to fill"),
        pytest.param(
            {"buttons": (link(A_SITE + "{1}"),)},
            ["button_sample_missing buttons.0.sample"],
            id="without its sample",
        ),
        pytest.param(
            {"buttons": (link(A_SITE + "{1}/a", "991"),)},
            ["button_url_variable buttons.0.url"],
            id="variable inside a link",
        ),
        pytest.param(
            {"buttons": (link(A_SITE + "{1}{2}", "991"),)},
            ["button_url_variable buttons.0.url"],
            id="two variables in a link",
        ),
        pytest.param({"buttons": (link("ex.it"),)}, ["button_url_form buttons.0.url"], id="no address"),
        pytest.param(
            {"buttons": (link("https://wa.me/39"),)}, ["link_to_whatsapp buttons.0.url"], id="wa.me"
        ),
        pytest.param(
            {"buttons": (phone("+3902" + "1" * 17),)},
            ["button_phone_too_long buttons.0.phone", "button_phone_form buttons.0.phone"],
            id="phone too long",
        ),
        pytest.param(
            {"buttons": (phone("116 000"),)}, ["button_phone_form buttons.0.phone"], id="phone without +"
        ),
        pytest.param({"buttons": (code("a" * 15),)}, [], id="longest code"),
        pytest.param(
            {"buttons": (code("a" * 16),)}, ["button_code_too_long buttons.0.sample"], id="code too long"
        ),
        pytest.param(
            {"buttons": (code(None),)}, ["button_sample_missing buttons.0.sample"], id="code without example"
        ),
        pytest.param({"buttons": (CODE_BUTTON,)}, ["wrong_tag buttons.0.kind"], id="one-time code elsewhere"),
    ],
)
def test_the_lint_names_each_rule_that_is_broken(changes, expected):
    assert broken(**changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"body": "{1}"}, []),
        ({"ttl_seconds": 900}, []),
        ({"ttl_seconds": 901}, ["ttl_range ttl_seconds"]),
        ({"header": text("Codice")}, ["authentication_preset header"]),
        (bare("Il tuo codice."), ["authentication_preset body"]),
        (filled("{1} è il codice di {2}, usalo subito se puoi."), ["authentication_preset body"]),
        (filled("{1} è il codice per https://ex.it", "1"), ["authentication_preset body"]),
        (filled("{1} è il codice 🔑", "1"), ["authentication_preset body"]),
        ({"buttons": ()}, ["authentication_preset buttons"]),
        ({"buttons": (CODE_BUTTON, reply())}, ["buttons_desktop buttons", "authentication_preset buttons"]),
        ({"policy": CM}, ["unsupported_by_provider tag"]),
    ],
)
def test_a_one_time_code_is_whatsapps_own_form_and_meta_only(changes, expected):
    assert broken(ONE_TIME_CODE, tag="AUTHENTICATION", **changes) == expected


@pytest.mark.parametrize(
    ("other", "tag", "is_one"),
    [
        ({}, "UTILITY", True),
        ({"samples": ("Ugo", "992")}, "UTILITY", True),
        ({"footer": "Un altro negozio"}, "UTILITY", False),
        ({"body": "Ciao {{1}}, ordine {{2}} pronto."}, "UTILITY", False),
        ({}, "AUTHENTICATION", False),
    ],
)
def test_the_same_body_and_footer_as_anothers_may_be_a_duplicate(other, tag, is_one):
    others = {"pronto/it": replace(in_provider_form(GOOD), **other)}

    found = [each.code for each in lint("x", "it", tag, GOOD, ALLOW, others)]

    assert ("duplicate_text" in found) is is_one


def test_a_missing_example_of_a_file_is_an_error_at_meta_and_a_warning_at_cm():
    content = replace(GOOD, header=HeaderPart(kind=HeaderKind.DOCUMENT))

    (at_meta,) = lint("x", "it", "UTILITY", content)
    (at_cm,) = lint("x", "it", "UTILITY", content, CM)

    assert (at_meta.level, at_cm.level) == (Level.ERROR, Level.WARNING)


@pytest.mark.parametrize("code", RULES)
def test_every_rule_says_where_it_comes_from(code):
    assert RULES[code].source.strip()


pieces = st.sampled_from(
    [
        "{",
        "}",
        "{{",
        "}}",
        "1",
        "2",
        "name",
        " ",
        "Ciao",
        "{1}",
        "{{1}}",
        "{ name }",
        "è",
        "#",
        "\n",
        "😀",
        "sconto",
    ]
)
texts = st.lists(pieces, max_size=12).map("".join) | st.text(max_size=20)
headers = st.builds(
    HeaderPart, kind=st.sampled_from(HeaderKind), text=st.none() | texts, sample=st.none() | texts
)
buttons = st.builds(
    ButtonPart,
    kind=st.sampled_from(ButtonKind),
    label=texts,
    url=st.none() | texts,
    phone=st.none() | texts,
    sample=st.none() | texts,
)
contents = st.builds(
    TemplateContent,
    header=st.none() | headers,
    body=texts,
    footer=st.none() | texts,
    buttons=st.lists(buttons, max_size=3).map(tuple),
    samples=st.lists(texts, max_size=3).map(tuple),
    ttl_seconds=st.none() | st.integers(),
)
policies = st.builds(
    LintPolicy, promotional=st.sampled_from(PromotionalContent), provider=st.sampled_from(["meta", "cm"])
)
languages = st.sampled_from(["it", "en_GB", "es", "fr", "de", "ja"]) | texts


@given(texts, languages, st.sampled_from([*TAGS, "PROMO"]), contents, policies)
def test_the_lint_reads_anything_and_says_how_to_mend_it(name, language, tag, content, policy):
    for finding in lint(name, language, tag, content, policy):
        assert finding.code in RULES
        assert finding.mend
        assert finding.field.split(".")[0] in {
            "name",
            "language",
            "tag",
            "ttl_seconds",
            "header",
            "body",
            "footer",
            "buttons",
            "samples",
        }


@given(languages, contents, policies)
def test_how_variables_are_written_does_not_change_what_is_found(language, content, policy):
    written = in_provider_form(content)

    assert lint("x", language, "UTILITY", content, policy) == lint("x", language, "UTILITY", written, policy)


@pytest.mark.parametrize("piece", ["{", "{%", "{ ", "*a", "{{1}}", "wa.", "😀", "sconto ", "{1} "])
def test_a_text_of_a_megabyte_is_read_in_time(piece):
    """A quadratic pattern would take minutes, and the test's own limit ends it."""
    content = replace(GOOD, body=piece * (300_000 // len(piece)), header=text(piece * 100_000))

    assert lint("x", "it", "UTILITY", content)
