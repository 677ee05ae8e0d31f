"""Which whole messages, and which buttons, of a contact withdraw or give consent.

Meta has no list of words (reference, "Get opt-in", read 2026-09), so the list is ours: the contract's, what
carriers and other gateways take for SMS, and how people say it. A word inside a sentence is none, and a word
that may answer another question is none either: `cancel`, `end`, `quit` and `remove`, which SMS gateways
take, may be about an order; `yes`, `alta`, `anmelden` agree to anything.
"""

import re
import string
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from shared.domain.consent import DEFAULT_CATEGORIES, Category, ConsentStatus


@dataclass(frozen=True, slots=True)
class Keyword:
    """What a contact meant by a whole message or a button."""

    status: ConsentStatus
    categories: tuple[Category, ...]
    #: Of the word, the first one set where several have it; None: of none.
    language: str | None = None


#: Understood whatever languages are set: the word that every phone user knows.
_STOP_EVERYWHERE = "stop"
#: In small letters without accents; a hyphen is a space.
_STOP_WORDS: Mapping[str, tuple[str, ...]] = {
    # The first five: contract, section 8.
    "it": (
        "stop",
        "basta",
        "disiscrivimi",
        "cancellami",
        "annulla iscrizione",
        "cancella iscrizione",
        "disiscrizione",
        "non scrivetemi piu",
    ),
    # The first four: contract. `stop all`, `optout`: Twilio, "Support for opt-out keywords"; AWS End User
    # Messaging, "Required opt-out keywords" (read 2026-11).
    "en": ("stop", "unsubscribe", "cancel me", "opt out", "optout", "stop all", "stopall"),
    # `baja` is the word that premium SMS in Spain taught.
    "es": (
        "stop",
        "baja",
        "darme de baja",
        "dame de baja",
        "dar de baja",
        "cancelar suscripcion",
        "no mas mensajes",
    ),
    # `arret`: AWS, as above.
    "fr": (
        "stop",
        "arret",
        "desabonner",
        "me desabonner",
        "desabonnement",
        "desinscrire",
        "me desinscrire",
        "desinscription",
    ),
    # `stopp` is the German spelling; the others stand under German newsletters.
    "de": ("stop", "stopp", "abmelden", "abmeldung", "abbestellen", "austragen", "keine nachrichten mehr"),
}
#: Fewer than there are to stop: whoever is taken for a friend by mistake gets what they did not ask for.
_START_WORDS: Mapping[str, tuple[str, ...]] = {
    "it": ("start", "iscrivimi", "riprendi"),
    "en": ("start", "subscribe", "opt in", "optin", "unstop"),
    "es": ("start", "suscribirme", "suscribeme", "darme de alta", "dame de alta"),
    "fr": ("start", "m'abonner", "abonnez moi", "me reabonner"),
    "de": ("start", "abonnieren", "wieder anmelden"),
}
#: Languages whose keywords we know.
KEYWORD_LANGUAGES = tuple(_STOP_WORDS)

_FEW_WORDS, _SHORT_TEXT = 4, 60

#: How a button is named for consent, beside the keywords: by programmers, whatever the contact speaks.
_NAMES: Mapping[str, ConsentStatus] = {
    **dict.fromkeys(("stop", "opt out", "optout", "unsubscribe"), ConsentStatus.OPTED_OUT),
    **dict.fromkeys(("start", "opt in", "optin", "subscribe"), ConsentStatus.OPTED_IN),
}
#: Behind a button's name: what it is about.
_ALL_OF_IT = frozenset({"all", "tutto", "todo", "tout", "alles"})
_MARKETING_OF_IT = frozenset(
    {
        *("promo", "promos", "promotion", "promotions", "promotional", "marketing", "ads", "offers"),
        *("newsletter", "promozioni", "offerte", "pubblicita", "promociones", "ofertas", "publicidad"),
        *("offres", "publicite", "angebote", "werbung"),
    }
)


def read_keyword(text: str, languages: Iterable[str]) -> Keyword | None:
    """A whole message as a consent keyword; None when it is anything else.

    Case, accents, surrounding spaces and punctuation do not matter; a keyword inside a sentence is none.
    """
    plain = _plain_ascii(text) if text.isascii() else _plain(text)
    return _keywords_of(tuple(languages)).get(plain)


def read_payload(payload: str, languages: Iterable[str]) -> Keyword | None:
    """What a button is named for: a keyword or `STOP`, `OPT_OUT`, `START`, `OPT_IN` and the like.

    Behind the name may stand what it is about (`STOP_PROMO`: marketing only; `STOP_ALL`) and numbers
    (`STOP-1`, as CM.com's pages have it). With any other word, as in `STOP_ORDER_991`, it is none.
    """
    languages = tuple(languages)
    words = re.findall(r"[^\W_]+", _plain(payload))
    while words and words[-1].isdigit():
        words.pop()
    for length in range(len(words), 0, -1):
        name, rest = " ".join(words[:length]), frozenset(words[length:])
        keyword = _keywords_of(languages).get(name) or _named(name)
        if keyword is None:
            continue
        if rest <= _ALL_OF_IT:
            return keyword
        if rest <= _MARKETING_OF_IT:
            return Keyword(keyword.status, (Category.MARKETING,), keyword.language)
    return None


def is_near_miss(text: str, languages: Iterable[str]) -> bool:
    """A few words that begin or end with one to stop, as in `STOP please`: not applied, but worth a look."""
    words = text.split(maxsplit=_FEW_WORDS) if len(text) <= _SHORT_TEXT else []
    if not 1 < len(words) <= _FEW_WORDS:
        return False
    languages = tuple(languages)
    keywords = (read_keyword(words[0], languages), read_keyword(words[-1], languages))
    is_out = any(keyword and keyword.status is ConsentStatus.OPTED_OUT for keyword in keywords)
    return is_out and read_keyword(text, languages) is None


def _named(name: str) -> Keyword | None:
    status = _NAMES.get(name)
    return Keyword(status, DEFAULT_CATEGORIES[status]) if status else None


@lru_cache(maxsize=16)
def _keywords_of(languages: tuple[str, ...]) -> Mapping[str, Keyword]:
    """By the whole message in its plain spelling. Of one word in two languages the first stands."""
    found: dict[str, Keyword] = {}
    tables = ((ConsentStatus.OPTED_OUT, _STOP_WORDS), (ConsentStatus.OPTED_IN, _START_WORDS))
    for language in languages:
        for status, table in tables:
            for word in table.get(language, ()):
                found.setdefault(word, Keyword(status, DEFAULT_CATEGORIES[status], language))
    out = ConsentStatus.OPTED_OUT
    found.setdefault(_STOP_EVERYWHERE, Keyword(out, DEFAULT_CATEGORIES[out]))
    return found


#: What `_is_punctuation` says of ASCII, all of it.
_ASCII_EDGES = string.punctuation + string.whitespace + "".join(map(chr, [*range(32), 127]))


def _plain_ascii(text: str) -> str:
    """The same as `_plain`, for most messages and in a tenth of the time: every webhook passes here."""
    return " ".join(text.lower().strip(_ASCII_EDGES).replace("-", " ").split())


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    unaccented = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    edges = "".join(letter for letter in set(unaccented) if _is_punctuation(letter))
    stripped = unaccented.strip(edges).replace("\u2019", "'")
    return " ".join("".join(" " if _is_dash(letter) else letter for letter in stripped).split())


def _is_punctuation(letter: str) -> bool:
    """Punctuation of any script, spaces, and the unseen marks of direction that phones add."""
    return letter in string.punctuation or unicodedata.category(letter)[0] in "PZC"


def _is_dash(letter: str) -> bool:
    return unicodedata.category(letter) == "Pd"
