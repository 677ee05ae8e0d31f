"""Keywords: which whole messages and which buttons mean consent, and which do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.consent import DEFAULT_CATEGORIES, Category, ConsentStatus
from shared.domain.keywords import (
    _START_WORDS,
    _STOP_WORDS,
    KEYWORD_LANGUAGES,
    _plain,
    _plain_ascii,
    is_near_miss,
    read_keyword,
    read_payload,
)

LANGUAGES = ("it", "en")
OUT = ConsentStatus.OPTED_OUT
IN = ConsentStatus.OPTED_IN


def meant(text, languages=LANGUAGES) -> ConsentStatus | None:
    keyword = read_keyword(text, languages)
    return keyword.status if keyword else None


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("stop", OUT),
        ("STOP", OUT),
        ("  Stop. ", OUT),
        ("stop!!!", OUT),
        ("«Stop»", OUT),
        ("\u2018stop\u2019", OUT),
        ("\u2014 stop \u2014", OUT),
        ("\u201eSTOP\u201c", OUT),
        ("¡stop!", OUT),
        ("\u200estop\u200f", OUT),
        ("stop\u00a0", OUT),
        ("stop\n", OUT),
        ("stop。", OUT),
        ("*STOP*", OUT),
        ("stóp", OUT),
        ("ＳＴＯＰ", OUT),  # noqa: RUF001 - full-width letters
        ("basta", OUT),
        ("Disiscrivimi", OUT),
        ("CANCELLAMI", OUT),
        ("annulla iscrizione", OUT),
        ("Annulla   iscrizione", OUT),
        ("unsubscribe", OUT),
        ("Cancel me", OUT),
        ("opt out", OUT),
        ("start", IN),
        ("Iscrivimi", IN),
        ("riprendi", IN),
        ("subscribe", IN),
        ("Opt in", IN),
        ("OPT-OUT", OUT),
        ("opt\u2011out", OUT),
    ],
)
def test_a_keyword_is_read_whatever_its_case_accents_and_punctuation(text, status):
    assert meant(text, LANGUAGES) is status


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "...",
        "STOP 12345",
        "stop, o Zé não vem",
        "non-stop",
        "don't stop",
        "basta così",
        "stopstop",
        "st op",
        "cancellami l'ordine",
        "ok start",
        "stop 👍",
    ],
)
def test_a_keyword_inside_a_sentence_is_none(text):
    assert meant(text, LANGUAGES) is None


def test_only_the_configured_languages_have_keywords():
    assert meant("basta", ("en",)) is None
    assert meant("unsubscribe", ("it",)) is None
    assert meant("stop", ("xx", "it")) is OUT


@given(
    st.sampled_from(["stop", "basta", "annulla iscrizione", "opt out"]),
    st.text(st.characters(categories=["P", "Z"]), max_size=5),
    st.text(st.characters(categories=["P", "Z"]), max_size=5),
    st.sampled_from([str.upper, str.lower, str.title]),
)
def test_punctuation_of_any_script_around_a_keyword_is_ignored(word, before, after, written):
    assert meant(before + written(word) + after, LANGUAGES) is OUT


@given(st.sampled_from(["stop", "basta", "start"]), st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_a_keyword_with_another_word_is_none(word, other):
    assert meant(f"{word} {other}", LANGUAGES) is None
    assert meant(f"{other} {word}", LANGUAGES) is None


@given(st.text(max_size=30))
def test_any_text_is_a_keyword_or_none(text):
    assert meant(text, LANGUAGES) in {OUT, IN, None}


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_leads_to_the_same_words(text):
    assert _plain_ascii(text) == _plain(text)


def test_stop_itself_is_understood_whatever_languages_are_set():
    assert meant(" Stop. ", ()) is OUT
    assert meant("STOP", ("xx",)) is OUT


@pytest.mark.parametrize("language", KEYWORD_LANGUAGES)
def test_every_word_is_in_its_plain_spelling_and_found_however_it_is_written(language):
    for table, status in ((_STOP_WORDS, OUT), (_START_WORDS, IN)):
        for word in table[language]:
            assert _plain(word) == word
            assert meant(f" {word.title()}! ", (language,)) is status


def test_no_word_stops_in_one_language_and_starts_in_another():
    stops, starts = (
        {word for words in table.values() for word in words} for table in (_STOP_WORDS, _START_WORDS)
    )

    assert stops & starts == set()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Arrêt", OUT),
        ("me désabonner", OUT),
        ("M\u2019abonner", IN),
        ("BAJA", OUT),
        ("Cancelar suscripción", OUT),
        ("Suscríbeme", IN),
        ("Stopp!", OUT),
        ("keine Nachrichten mehr", OUT),
        ("non scrivetemi più", OUT),
    ],
)
def test_accents_of_five_languages_do_not_matter(text, status):
    assert meant(text, KEYWORD_LANGUAGES) is status


@pytest.mark.parametrize("text", ["cancel", "end", "quit", "remove", "yes", "alta", "Anmelden", "no"])
def test_what_may_answer_another_question_is_no_keyword(text):
    assert meant(text, KEYWORD_LANGUAGES) is None


@pytest.mark.parametrize(("languages", "language"), [(("it", "en"), "it"), (("de", "it"), "de"), ((), None)])
def test_a_word_of_several_languages_counts_for_the_first_that_is_set(languages, language):
    assert read_keyword("stop", languages).language == language


def test_a_keyword_names_its_language():
    assert read_keyword("abbestellen", ("it", "de")).language == "de"


@pytest.mark.parametrize(
    "text", ["STOP 12345", "stop per favore", "please STOP!", "basta così, grazie", "Ora basta."]
)
def test_a_few_words_around_one_to_stop_are_a_near_miss(text):
    assert is_near_miss(text, LANGUAGES)


@pytest.mark.parametrize(
    "text",
    [
        "stop",
        "Opt out",
        "stop all",
        "ciao",
        "",
        "start now",
        "non-stop",
        "Il bus fa una fermata allo stop, e poi basta",
    ],
)
def test_a_keyword_or_a_sentence_is_no_near_miss(text):
    assert not is_near_miss(text, LANGUAGES)


EVERYTHING, MARKETING = DEFAULT_CATEGORIES[OUT], (Category.MARKETING,)


@pytest.mark.parametrize(
    ("payload", "status", "categories"),
    [
        ("STOP", OUT, EVERYTHING),
        ("stop", OUT, EVERYTHING),
        ("OPT_OUT", OUT, EVERYTHING),
        ("opt-out", OUT, EVERYTHING),
        ("optout", OUT, EVERYTHING),
        ("UNSUBSCRIBE", OUT, EVERYTHING),
        ("STOP-1", OUT, EVERYTHING),
        ("STOP_2_1", OUT, EVERYTHING),
        ("STOP_ALL", OUT, EVERYTHING),
        ("Annulla iscrizione", OUT, EVERYTHING),
        ("STOP_PROMO", OUT, MARKETING),
        ("Stop promo", OUT, MARKETING),
        ("OPT_OUT_MARKETING", OUT, MARKETING),
        ("UNSUBSCRIBE:newsletter", OUT, MARKETING),
        ("STOP-PROMOZIONI-3", OUT, MARKETING),
        ("START", IN, DEFAULT_CATEGORIES[IN]),
        ("OPT_IN_PROMO", IN, MARKETING),
    ],
)
def test_a_button_is_named_for_what_it_does(payload, status, categories):
    keyword = read_payload(payload, LANGUAGES)

    assert (keyword.status, keyword.categories) == (status, categories)


@pytest.mark.parametrize(
    "payload",
    [
        *("", "1", "___", "STOP_ORDER_991", "STOP_DELIVERY", "NONSTOP", "non-stop", "BUS_STOP"),
        *("PROMO", "start-button", "STOP_PROMO_ORDER", "STOPPROMO", "cancel"),
    ],
)
def test_a_button_with_any_other_word_in_its_name_is_none(payload):
    assert read_payload(payload, LANGUAGES) is None


@given(st.text(max_size=30))
def test_any_payload_is_read_or_none(payload):
    read_payload(payload, KEYWORD_LANGUAGES)
