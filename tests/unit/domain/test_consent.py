"""Consent: what stands whatever the order of arrival, and which words count."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.consent import (
    DEFAULT_CATEGORIES,
    Category,
    Consent,
    ConsentRecord,
    ConsentStatus,
    _plain,
    _plain_ascii,
    consent_keyword,
)
from tests.builders import NOW, opt_in, opt_out
from tests.unit.domain.strategies import records

SECOND = timedelta(seconds=1)
LANGUAGES = ("it", "en")
OUT = ConsentStatus.OPTED_OUT
IN = ConsentStatus.OPTED_IN

changes = st.lists(st.tuples(st.sampled_from(Category), records), max_size=8)


def standing_after(all_changes) -> Consent:
    consent = Consent()
    for category, record in all_changes:
        consent = consent.with_record(category, record)
    return consent


def what_stands(consent: Consent) -> dict[Category, tuple[ConsentStatus, int]]:
    return {
        category: (record.status, int(record.at.timestamp())) for category, record in consent.records.items()
    }


@given(changes, st.data())
def test_any_order_of_the_same_records_leaves_the_same_consent(all_changes, data):
    shuffled = data.draw(st.permutations(all_changes))

    assert what_stands(standing_after(all_changes)) == what_stands(standing_after(shuffled))


@given(changes)
def test_hearing_everything_twice_changes_nothing(all_changes):
    assert what_stands(standing_after(all_changes * 2)) == what_stands(standing_after(all_changes))


@given(changes)
def test_nobody_is_opted_in_and_opted_out_at_once(all_changes):
    consent = standing_after(all_changes)

    for category in Category:
        assert not (consent.is_opted_in(category) and consent.opted_out_at(category))


def test_nothing_known_is_no_opt_in_and_no_opt_out():
    assert not Consent().is_opted_in(Category.UTILITY)
    assert Consent().opted_out_at(Category.UTILITY) is None


def test_an_opt_in_of_one_category_says_nothing_of_another():
    consent = Consent().with_record(Category.UTILITY, opt_in())

    assert consent.is_opted_in(Category.UTILITY)
    assert not consent.is_opted_in(Category.MARKETING)


def test_an_older_opt_out_changes_nothing():
    consent = Consent().with_record(Category.UTILITY, opt_in(NOW))

    assert consent.with_record(Category.UTILITY, opt_out(NOW - SECOND)).is_opted_in(Category.UTILITY)


@pytest.mark.parametrize("all_records", [(opt_in(NOW), opt_out(NOW)), (opt_out(NOW), opt_in(NOW))])
def test_on_a_tie_of_seconds_the_opt_out_wins(all_records):
    consent = standing_after((Category.UTILITY, record) for record in all_records)

    assert consent.opted_out_at(Category.UTILITY) == NOW


def test_times_are_compared_in_whole_seconds():
    late_in_the_second = ConsentRecord(status=IN, at=NOW + SECOND / 2, source="test")
    consent = Consent().with_record(Category.UTILITY, opt_out(NOW))

    assert consent.with_record(Category.UTILITY, late_in_the_second).opted_out_at(Category.UTILITY) == NOW


def test_without_named_categories_an_opt_in_spares_marketing_and_an_opt_out_covers_all():
    assert set(DEFAULT_CATEGORIES[IN]) == {Category.UTILITY, Category.AUTHENTICATION}
    assert set(DEFAULT_CATEGORIES[OUT]) == set(Category)


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
    ],
)
def test_a_keyword_is_read_whatever_its_case_accents_and_punctuation(text, status):
    assert consent_keyword(text, LANGUAGES) is status


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
    assert consent_keyword(text, LANGUAGES) is None


def test_only_the_configured_languages_have_keywords():
    assert consent_keyword("basta", ("en",)) is None
    assert consent_keyword("unsubscribe", ("it",)) is None
    assert consent_keyword("stop", ()) is None
    assert consent_keyword("stop", ("xx", "it")) is OUT


@given(
    st.sampled_from(["stop", "basta", "annulla iscrizione", "opt out"]),
    st.text(st.characters(categories=["P", "Z"]), max_size=5),
    st.text(st.characters(categories=["P", "Z"]), max_size=5),
    st.sampled_from([str.upper, str.lower, str.title]),
)
def test_punctuation_of_any_script_around_a_keyword_is_ignored(word, before, after, written):
    assert consent_keyword(before + written(word) + after, LANGUAGES) is OUT


@given(st.sampled_from(["stop", "basta", "start"]), st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_a_keyword_with_another_word_is_none(word, other):
    assert consent_keyword(f"{word} {other}", LANGUAGES) is None
    assert consent_keyword(f"{other} {word}", LANGUAGES) is None


@given(st.text(max_size=30))
def test_any_text_is_a_keyword_or_none(text):
    assert consent_keyword(text, LANGUAGES) in {OUT, IN, None}


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_leads_to_the_same_words(text):
    assert _plain_ascii(text) == _plain(text)
