"""What confirms an opt-out: a text for every language, that undoes by a word which is understood."""

from datetime import timedelta

import pytest

from shared.domain.confirmation import confirmation_of
from shared.domain.consent import DEFAULT_CATEGORIES, Category, ConsentStatus
from shared.domain.keywords import KEYWORD_LANGUAGES, Keyword, read_keyword
from shared.domain.message import WhenClosed
from tests.builders import ANNA, NOW

OUT = ConsentStatus.OPTED_OUT


def confirmation(language, categories=DEFAULT_CATEGORIES[OUT]):
    keyword = Keyword(OUT, categories, language)
    at = NOW + timedelta(milliseconds=400)
    return confirmation_of(keyword, sender="shop", contact=ANNA, at=at, default_language="de")


@pytest.mark.parametrize("language", KEYWORD_LANGUAGES)
def test_every_language_has_a_text_with_a_way_back_that_is_understood(language):
    text = confirmation(language).content.body

    assert "START" in text
    assert read_keyword("START", (language,)).status is ConsentStatus.OPTED_IN


@pytest.mark.parametrize("language", KEYWORD_LANGUAGES)
def test_who_stopped_marketing_only_is_not_told_that_all_ends(language):
    request = confirmation(language, (Category.MARKETING,))

    assert request.category is Category.MARKETING
    assert request.content != confirmation(language).content
    assert "START" not in request.content.body


def test_a_word_of_no_language_is_answered_in_the_first_that_is_set():
    assert confirmation(None).content == confirmation("de").content


def test_it_is_free_text_for_the_window_or_nothing_and_names_the_second_of_the_opt_out():
    request = confirmation("it")

    assert (request.templates, request.when_closed) == ((), WhenClosed.REFUSE)
    assert request.confirms_opt_out_at == NOW
    assert request.expires_at <= NOW + timedelta(hours=1, seconds=1)
