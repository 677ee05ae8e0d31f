"""What the words of a template give away: that it promotes, or that its tag is another's.

Which words those are stands in `wording.toml` and `one_time_codes.toml`.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from shared.domain.consent import Category
from shared.domain.lint.findings import Candidate, Finding, PromotionalContent, found
from shared.domain.lint.languages import languages_in
from shared.domain.lint.rules import Level
from shared.domain.lint.texts import texts_of
from shared.domain.lint.words import WordRule, read_rules, spread

_FILES = resources.files("shared.domain.lint")


@dataclass(frozen=True, slots=True)
class Giveaway:
    """Words that a rule looks for, as they were found."""

    level: Level
    words: str
    reason: str


def check_wording(candidate: Candidate) -> Iterator[Finding]:
    if candidate.is_authentication:
        return
    yield from _check_promotion(candidate)
    yield from _check_one_time_code(candidate)


def promotion_in(text: str, languages: Iterable[str]) -> list[Giveaway]:
    """What promotes in a text; where something certainly does, only that.

    Read by the rules of `languages` and of those that it seems to be written in.
    """
    words = spread(text)
    asked = dict.fromkeys(["any", *languages, *languages_in(words)])
    found = list(_giveaways(words, asked, _promotional()))
    return [each for each in found if each.level is Level.ERROR] or found


def _giveaways(
    words: str, languages: Iterable[str], rules: Mapping[str, tuple[WordRule, ...]]
) -> Iterator[Giveaway]:
    for language in languages:
        for rule in rules.get(language, ()):
            phrase = rule.first_in(words)
            if phrase is not None:
                yield Giveaway(rule.level, phrase, rule.reason)


def _check_promotion(candidate: Candidate) -> Iterator[Finding]:
    policy = candidate.policy.promotional
    texts = [(field, text) for field, text in texts_of(candidate.content) if not field.endswith(".url")]
    given_away = [(field, each) for field, text in texts for each in promotion_in(text, [candidate.base])]
    if policy is PromotionalContent.ALLOW:
        if (
            any(each.level is Level.ERROR for _, each in given_away)
            and candidate.category is Category.UTILITY
        ):
            mend = "WhatsApp will approve it as MARKETING: say so, or leave out what promotes"
            yield found("wrong_tag", "tag", mend, Level.WARNING)
        return
    for field, each in given_away:
        level = each.level if policy is PromotionalContent.REFUSE else Level.WARNING
        yield _promotes(field, each, level)
    for each in promotion_in("\n".join(candidate.content.samples), [candidate.base]):
        # A price in a sample is the contact's own.
        if each.level is Level.ERROR:
            yield _promotes("samples", each, Level.WARNING)


def _promotes(field: str, each: Giveaway, level: Level) -> Finding:
    return found("promotional_wording", field, f"leave out {each.words!r}: {each.reason}", level)


def _check_one_time_code(candidate: Candidate) -> Iterator[Finding]:
    """One-time codes go as AUTHENTICATION only; a text without a variable can only speak of one."""
    if not candidate.content.variables:
        return
    words = spread(candidate.content.body)
    for each in list(_giveaways(words, ["any", candidate.base], _one_time_codes()))[:1]:
        mend = f"with {each.words!r} {each.reason}: use the tag AUTHENTICATION and WhatsApp's own text"
        yield found("wrong_tag", "body", mend, each.level)


@cache
def _promotional() -> Mapping[str, tuple[WordRule, ...]]:
    return _read("wording.toml")


@cache
def _one_time_codes() -> Mapping[str, tuple[WordRule, ...]]:
    return _read("one_time_codes.toml")


def _read(name: str) -> Mapping[str, tuple[WordRule, ...]]:
    return read_rules(tomllib.loads(_FILES.joinpath(name).read_text(encoding="utf-8")))
