"""Phrases of whole words, written as data, and where they stand in a text.

Case, accents, signs and unseen characters do not matter. `wording.toml` says how a phrase is written.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.lint.rules import Level
from shared.domain.template_text import VARIABLE

#: A variable, 3x2, a number, a word, a sign that counts, the end of a sentence.
_TOKEN = re.compile(r"\{\}|\d+x\d+|\d+(?:[.,]\d+)*|[^\W\d_]+|[%€$£]|[.!?;\n]")
_LONGEST = 4096
_ENDS = frozenset(".!?;\n")
_GAP = r"(?:(?!\. )\S+ ){0,3}"
_PLACEHOLDERS = {"*": r"[^ .]*", "#": r"\d[\d.,]*", "{}": r"\{\}"}


def spread(text: str) -> str:
    """A text as its plain words, a space before and after each; a full stop for each end of a sentence.

    Only as far as a text of WhatsApp's may reach: what is longer is refused anyway.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text[:_LONGEST]).casefold())
    seen = "".join(letter for letter in plain if unicodedata.category(letter) not in {"Mn", "Cf"})
    tokens = _TOKEN.findall(VARIABLE.sub(" {} ", seen))
    return "".join(f" {'.' if token in _ENDS else token}" for token in tokens) + " "


@dataclass(frozen=True, slots=True)
class WordRule:
    """Phrases that give away the same thing."""

    level: Level
    reason: str
    phrases: re.Pattern[str]
    unless: re.Pattern[str] | None

    def first_in(self, words: str) -> str | None:
        """The first of its phrases in a text that was spread."""
        excused = [found.span() for found in self.unless.finditer(words)] if self.unless else []
        for found in self.phrases.finditer(words):
            if not any(start < found.end() and found.start() < end for start, end in excused):
                return found[0].strip()
        return None


def read_rules(document: Mapping[str, Any]) -> Mapping[str, tuple[WordRule, ...]]:
    """The rules of each language as they stand in a file. Raises for a key that no rule has."""
    return {language: tuple(map(_read_rule, tables)) for language, tables in document.items()}


def _read_rule(table: Mapping[str, Any]) -> WordRule:
    unknown = table.keys() - {"level", "reason", "phrases", "unless"}
    if unknown:
        raise ValueError(f"no rule has {', '.join(sorted(unknown))}")
    unless = _compile(table["unless"]) if "unless" in table else None
    return WordRule(Level(table["level"]), table["reason"], _compile(table["phrases"]), unless)


def _compile(phrases: list[str]) -> re.Pattern[str]:
    return re.compile("(?<= )(?:" + "|".join("".join(_elements(phrase)) for phrase in phrases) + ")")


def _elements(phrase: str) -> Iterator[str]:
    for element in phrase.split():
        if element == "...":
            yield _GAP
        else:
            yield "(?:" + "|".join(map(_word, element.split("|"))) + ") "


def _word(word: str) -> str:
    return "".join(
        _PLACEHOLDERS.get(part) or re.escape(part) for part in re.split(r"(\*|#|\{\})", word) if part
    )
