"""Whether a body is in the language that it says, and in one only: small words of five languages tell."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from shared.domain.lint.findings import Candidate, Finding, found
from shared.domain.lint.words import spread

#: Small words of a language from which on a text is taken to be in it. Ours.
_ENOUGH = 3


def check_languages(candidate: Candidate) -> Iterator[Finding]:
    """Only for the languages whose small words we know; a cousin of theirs would be taken for them."""
    own, others = candidate.base, languages_in(spread(candidate.content.body))
    if own not in _languages():
        return
    others = {language: count for language, count in others.items() if language != own}
    own_words = _count(spread(candidate.content.body))[own]
    for language, count in others.items():
        if own_words < _ENOUGH and own_words < count:
            mend = f"the body seems to be in {language}: write the code of its own language"
            yield found("language_mismatch", "language", mend)
        else:
            yield found("languages_mixed", "body", f"it seems to be in {own} and {language}: write it in one")


def languages_in(words: str) -> Mapping[str, int]:
    """The languages that a text that was spread seems to be in, by how many of their small words it has."""
    return {language: count for language, count in _count(words).items() if count >= _ENOUGH}


def _count(words: str) -> Counter[str]:
    languages = _languages()
    return Counter(
        language for word in set(words.split()) for language, small in languages.items() if word in small
    )


@cache
def _languages() -> Mapping[str, frozenset[str]]:
    text = resources.files("shared.domain.lint").joinpath("languages.toml").read_text(encoding="utf-8")
    return {language: frozenset(words.split()) for language, words in tomllib.loads(text).items()}
