"""Whether a text speaks of a person by one of their names: raw, as people write it, escaped, or inside an id.

It knows numbers and ids only. Who is called by name alone is not found.
"""

import base64
import binascii
import re
from collections.abc import Iterable

from shared.domain.identifiers import ContactId
from shared.domain.identity import spellings_of

_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
# Meta's ids of messages are base64 with the contact's number inside: seen in webhooks, documented nowhere.
_WAMID = re.compile(r"wamid\.([A-Za-z0-9+/_-]+)")
_URLSAFE = str.maketrans("+/", "-_")
#: What people put between the digits.
_BETWEEN = r"[\s\-().]*"


class Traces:
    """The traces of one person."""

    def __init__(self, names: Iterable[ContactId]) -> None:
        spellings = {spelling for name in names for spelling in spellings_of(name)}
        self._digits = [name.phone_number.digits for name in spellings if name.phone_number is not None]
        self._pattern = re.compile("|".join(map(_pattern_of, sorted(spellings, key=str))), re.ASCII)

    def are_in(self, text: str) -> bool:
        plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\\" in text else text
        if self._pattern.search(plain):
            return True
        return "wamid." in plain and any(map(self._is_in_id, _WAMID.findall(plain.replace("\\/", "/"))))

    def _is_in_id(self, word: str) -> bool:
        """There are many ids, and it stands in them as it is: the pattern only keeps other numbers out."""
        decoded = _decoded(word)
        return any(digits in decoded for digits in self._digits) and bool(self._pattern.search(decoded))


def _pattern_of(name: ContactId) -> str:
    number = name.phone_number
    if number is None:
        return rf"(?<![A-Za-z0-9.]){re.escape(name.value)}(?![A-Za-z0-9])"
    return rf"(?<!\d)(?:00)?{_BETWEEN.join(number.digits)}(?!\d)"


def _decoded(word: str) -> str:
    """But for an end that is no whole piece; what cannot be decoded hides nobody."""
    whole = word[: len(word) // 4 * 4].translate(_URLSAFE)
    try:
        return base64.urlsafe_b64decode(whole).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""
