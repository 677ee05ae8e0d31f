"""Opt-in and opt-out: what stands, which of two records wins, and which words of a contact mean either.

A business may send templates only to people who opted in, and must stop when told (Meta, "Get opt-in",
read 2025-11). Nothing but an explicit record counts as opt-in.
"""

import string
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Category(StrEnum):
    """What a message is for; WhatsApp's three template categories since 2023."""

    UTILITY = "utility"
    MARKETING = "marketing"
    AUTHENTICATION = "authentication"


class ConsentStatus(StrEnum):
    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """One decision of a contact about one category, with its evidence."""

    status: ConsentStatus
    #: Whole seconds: the order of decisions is that of event times in seconds.
    at: datetime
    source: str
    evidence: str | None = None

    def outranks(self, standing: "ConsentRecord | None") -> bool:
        """Newer wins; on a tie of seconds an opt-out wins."""
        if standing is None:
            return True
        mine, theirs = int(self.at.timestamp()), int(standing.at.timestamp())
        if mine != theirs:
            return mine > theirs
        return self.status is ConsentStatus.OPTED_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWord:
    """One word about a contact's consent as it was heard, whether it changed anything or not."""

    #: A ConsentStatus, or `resumed`: WhatsApp's own stop was lifted.
    status: str
    at: datetime
    recorded_at: datetime
    categories: tuple[Category, ...]
    #: Those that it changed; the others had something newer.
    changed: tuple[Category, ...]
    source: str
    evidence: str | None
    #: Who said so: `api`, `import`, `keyword`, `user_preferences`, `provider_error`.
    by: str
    #: Whose key it was.
    app: str | None
    #: The sender that it came by; it counts for the whole business.
    sender: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What stands for one (business, contact)."""

    records: Mapping[Category, ConsentRecord] = field(default_factory=dict)

    def is_opted_in(self, category: Category) -> bool:
        record = self.records.get(category)
        return record is not None and record.status is ConsentStatus.OPTED_IN

    def opted_out_at(self, category: Category) -> datetime | None:
        record = self.records.get(category)
        if record is None or record.status is not ConsentStatus.OPTED_OUT:
            return None
        return record.at

    def with_record(self, category: Category, record: ConsentRecord) -> "Consent":
        if not record.outranks(self.records.get(category)):
            return self
        return Consent({**self.records, category: record})


#: Without named categories an opt-in covers what a customer expects; an opt-out covers all.
DEFAULT_CATEGORIES: Mapping[ConsentStatus, tuple[Category, ...]] = {
    ConsentStatus.OPTED_IN: (Category.UTILITY, Category.AUTHENTICATION),
    ConsentStatus.OPTED_OUT: tuple(Category),
}

#: Whole messages that withdraw or give consent, by language.
_STOP_WORDS: Mapping[str, tuple[str, ...]] = {
    "it": ("stop", "basta", "disiscrivimi", "cancellami", "annulla iscrizione"),
    "en": ("stop", "unsubscribe", "cancel me", "opt out"),
}
_START_WORDS: Mapping[str, tuple[str, ...]] = {
    "it": ("start", "iscrivimi", "riprendi"),
    "en": ("start", "subscribe", "opt in"),
}


#: Languages whose keywords we know.
KEYWORD_LANGUAGES = tuple(_STOP_WORDS)


def consent_keyword(text: str, languages: Iterable[str]) -> ConsentStatus | None:
    """Read a whole message as a consent keyword; None when it is anything else.

    Case, accents, surrounding spaces and punctuation do not matter; a keyword inside a sentence is none.
    """
    plain = _plain_ascii(text) if text.isascii() else _plain(text)
    if not plain:
        return None
    for language in languages:
        if plain in _STOP_WORDS.get(language, ()):
            return ConsentStatus.OPTED_OUT
        if plain in _START_WORDS.get(language, ()):
            return ConsentStatus.OPTED_IN
    return None


#: What `_is_punctuation` says of ASCII, all of it.
_ASCII_EDGES = string.punctuation + string.whitespace + "".join(map(chr, [*range(32), 127]))


def _plain_ascii(text: str) -> str:
    """The same as `_plain`, for most messages and in a tenth of the time: every webhook passes here."""
    return " ".join(text.lower().strip(_ASCII_EDGES).split())


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    unaccented = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    edges = "".join(letter for letter in set(unaccented) if _is_punctuation(letter))
    return " ".join(unaccented.strip(edges).split())


def _is_punctuation(letter: str) -> bool:
    """Punctuation of any script, spaces, and the unseen marks of direction that phones add."""
    return letter in string.punctuation or unicodedata.category(letter)[0] in "PZC"
