"""Promotional wording: on our own examples, and how its rules are written."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.wording import LANGUAGES, examples, score
from shared.domain.lint import Level, LintPolicy, PromotionalContent, lint
from shared.domain.lint.wording import promotion_in
from shared.domain.lint.words import read_rules, spread
from shared.domain.template_parts import ButtonKind, ButtonPart, HeaderKind, HeaderPart, TemplateContent


def test_there_are_enough_examples_of_both_kinds_in_each_language():
    for language in LANGUAGES:
        kinds = [
            promotes for held_out in (False, True) for _, promotes in examples(language, held_out=held_out)
        ]
        assert sum(kinds) >= 40
        assert len(kinds) - sum(kinds) >= 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_called_certain_is_right(language):
    assert score(language, errors_only=True).precision >= 0.95
    assert score(language, errors_only=True, held_out=True).precision >= 0.95


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_and_warnings_together_find_nearly_all_that_they_were_tuned_on(language):
    assert score(language, errors_only=False).recall >= 0.9
    assert score(language, errors_only=False).precision >= 0.8
    assert score(language, errors_only=True).recall >= 0.7


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_and_warnings_together_find_half_of_what_they_never_saw(language):
    assert score(language, errors_only=False, held_out=True).recall >= 0.5


@pytest.mark.parametrize(
    ("language", "text", "is_found"),
    [
        ("it", "SCONTI per te", True),
        ("it", "Uno *sconto* per te", True),
        ("it", "Uno scon\u200bto per te", True),
        ("it", "Uno \U0001d42c\U0001d41c\U0001d428\U0001d427\U0001d42d\U0001d428 per te", True),
        ("it", "Lo scontrino dell'ordine {1} è pronto.", False),
        ("it", "Il tasso di interesse è del {1}%.", False),
        ("en", "Discounted items are ready.", True),
        ("en", "The discounting rate is {1}.", False),
        ("es", "¡REBAJÁS!", True),
        ("fr", "Les remises de clés ont lieu le {1}.", False),
        ("de", "Exklusive Angebote für Sie", True),
        ("de", "Ihr Stellenangebot {1} ist da.", False),
    ],
)
def test_words_are_whole_and_case_accents_and_signs_do_not_matter(language, text, is_found):
    assert any(each.level is Level.ERROR for each in promotion_in(text, [language])) is is_found


def test_a_phrase_does_not_reach_into_the_next_sentence():
    (rule,) = read_rules({"xx": [{"level": "error", "reason": "r", "phrases": ["a ... b"]}]})["xx"]

    assert rule.first_in(spread("a x y z b")) == "a x y z b"
    assert rule.first_in(spread("a. b")) is None
    assert rule.first_in(spread("a w x y z b")) is None


def test_an_exception_excuses_only_what_it_touches():
    table = {"level": "error", "reason": "r", "phrases": ["offer|offers"], "unless": ["job offer"]}
    (rule,) = read_rules({"en": [table]})["en"]

    assert rule.first_in(spread("Your job offer")) is None
    assert rule.first_in(spread("Your job offer and other offers")) == "offers"


def test_a_rule_with_a_misspelt_key_is_a_bug():
    with pytest.raises(ValueError, match="frases"):
        read_rules({"it": [{"level": "error", "reason": "r", "phrases": ["x"], "frases": []}]})


def test_rules_of_another_language_count_where_the_text_is_written_in_it():
    assert promotion_in("For you and all of your friends we have a discount", ["it"])
    assert promotion_in("Il saldo è sul conto", ["en"]) == []


SERVICE = "Il tuo ordine è pronto."
PROMOTION = "Sconti su tutto."


def content(body=SERVICE, **more):
    return TemplateContent(body=body, **more)


def found(content, *, tag="UTILITY", language="it", **policy):
    policy = {"promotional": PromotionalContent.REFUSE} | policy
    return [
        (each.code, each.level.value, each.field)
        for each in lint("x", language, tag, content, LintPolicy(**policy))
        if each.code != "category_refused"
    ]


@pytest.mark.parametrize("tag", ["UTILITY", "MARKETING"])
@pytest.mark.parametrize(("policy", "level"), [("refuse", "error"), ("warn", "warning")])
def test_the_policy_says_how_much_promotional_wording_weighs_whatever_the_tag(tag, policy, level):
    policy = PromotionalContent(policy)

    assert found(content(PROMOTION), tag=tag, promotional=policy) == [("promotional_wording", level, "body")]


def test_what_is_allowed_is_still_marketing():
    allowed = {"promotional": PromotionalContent.ALLOW}

    assert found(content(PROMOTION), tag="MARKETING", **allowed) == []
    assert found(content(PROMOTION), tag="UTILITY", **allowed) == [("wrong_tag", "warning", "tag")]
    assert found(content(SERVICE), tag="UTILITY", **allowed) == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"footer": PROMOTION}, "footer"),
        ({"header": HeaderPart(kind=HeaderKind.TEXT, text=PROMOTION)}, "header.text"),
        ({"buttons": (ButtonPart(kind=ButtonKind.QUICK_REPLY, label="Gli sconti"),)}, "buttons.0.label"),
    ],
)
def test_every_text_is_read(more, field):
    assert found(content(**more)) == [("promotional_wording", "error", field)]


def test_a_sample_only_shows_what_may_come():
    promoting = content("Per te c'è {1} in negozio.", samples=("uno sconto",))
    priced = content("Da pagare sono {1} in tutto.", samples=("49,90 €",))

    assert found(promoting) == [("promotional_wording", "warning", "samples")]
    assert found(priced) == []


@pytest.mark.parametrize(
    ("language", "body", "level"),
    [
        ("it", "Il tuo codice di verifica è {1}, scade presto.", "error"),
        ("en", "Here it is: {1} is your verification code.", "error"),
        ("en", "Your one-time password is {1}.", "error"),
        ("es", "Su código de verificación es {1} y caduca pronto.", "error"),
        ("fr", "Votre code de vérification est {1}, à bientôt.", "error"),
        ("de", "Ihr Einmalcode lautet {1} und gilt kurz.", "error"),
        ("en", "Order {1} is ready. Never tell anybody a verification code.", "warning"),
        ("en", "Never tell anybody your verification code.", None),
        ("it", "Il codice {1} serve per ritirare il pacco.", None),
    ],
)
def test_a_one_time_code_under_another_tag_is_told_by_its_words(language, body, level):
    given = content(body, samples=("123456",) if "{1}" in body else ())

    assert found(given, language=language) == ([("wrong_tag", level, "body")] if level else [])


@pytest.mark.parametrize(
    ("language", "body", "expected"),
    [
        ("it", "Il tuo ordine è pronto e ti aspetta nella sede.", []),
        (
            "en",
            "Il tuo ordine è pronto e ti aspetta nella sede.",
            [("language_mismatch", "warning", "language")],
        ),
        (
            "it",
            "Il tuo ordine è pronto nella sede. Your order is ready at the shop.",
            [("languages_mixed", "warning", "body")],
        ),
        ("it", "Il tuo ordine della linea For You è pronto.", []),
        ("pt_BR", "Il tuo ordine è pronto e ti aspetta nella sede.", []),
        ("en_GB", "Your order is ready at the shop.", []),
    ],
)
def test_a_body_is_in_the_language_it_says_and_in_one(language, body, expected):
    assert found(content(body), language=language) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_examples_are_in_their_own_language(language):
    for text, _ in examples(language):
        codes = {code for code, *_ in found(content(text), language=language)}
        assert not codes & {"language_mismatch", "languages_mixed"}, text


def test_no_small_word_tells_two_languages():
    path = Path(__file__).resolve().parents[3] / "shared" / "domain" / "lint" / "languages.toml"
    words = [word for small in tomllib.loads(path.read_text("utf-8")).values() for word in small.split()]

    assert len(words) == len(set(words))


@given(st.text())
def test_spreading_a_text_again_changes_nothing(text):
    assert spread(spread(text)) == spread(text)
