"""Who is meant by a number or an id, and what to write on the envelope.

One person has a number as people dial it, a number as WhatsApp knows the account, and a business-scoped id.
The key of a contact is one spelling of the number, or the id where no number is known; what is sent to is the
name that last proved to work.
"""

import re
from collections.abc import Mapping

from shared.domain.identifiers import ContactId

#: Countries whose numbers are written in two ways, with the spelling that we use as key. WhatsApp keeps the
#: one that an account registered with, so no rule tells what to send to; the key has to be the same for both.
_SPELLINGS: Mapping[str, tuple[re.Pattern[str], str]] = {
    # Mobile numbers were given a ninth digit, a 9 in front; landlines begin with 2 to 5 and have eight.
    "+55": (re.compile(r"(\+55[1-9][1-9])([6-9]\d{7})", re.ASCII), r"\g<1>9\g<2>"),
    # The 1 of mobile numbers called from abroad went in 2019.
    "+52": (re.compile(r"(\+52)1(\d{10})", re.ASCII), r"\g<1>\g<2>"),
    # The 9 of mobile numbers called from abroad.
    "+54": (re.compile(r"(\+54)9(\d{10})", re.ASCII), r"\g<1>\g<2>"),
}
#: From the spelling that we use to the other one.
_OTHER_SPELLINGS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "+55": (re.compile(r"(\+55[1-9][1-9])9([6-9]\d{7})", re.ASCII), r"\g<1>\g<2>"),
    "+52": (re.compile(r"(\+52)(\d{10})", re.ASCII), r"\g<1>1\g<2>"),
    "+54": (re.compile(r"(\+54)(\d{10})", re.ASCII), r"\g<1>9\g<2>"),
}


def key_of(name: ContactId) -> ContactId:
    """The one name that all spellings of a number have in common; an id is its own."""
    spelling = _SPELLINGS.get(name.value[:3])
    if spelling is None:
        return name
    pattern, common = spelling
    found = pattern.fullmatch(name.value)
    return ContactId(found.expand(common)) if found else name


def spellings_of(name: ContactId) -> tuple[ContactId, ...]:
    """Every way in which a number is written; an id has one."""
    key = key_of(name)
    pattern, other = _OTHER_SPELLINGS.get(key.value[:3], (None, ""))
    found = pattern.fullmatch(key.value) if pattern else None
    return (key, ContactId(found.expand(other))) if found else (key,)


def address_of(
    asked: ContactId, *, contact: ContactId, proven: ContactId | None, needs_number: bool
) -> ContactId:
    """What to send to: the name that last proved to work, else the one that was asked for.

    `contact`: who is meant, a number when one is known. With `needs_number` an id is answered only if there
    is nothing else.
    """
    names = [name for name in (proven, asked, contact) if name is not None]
    if needs_number or (proven is None and contact.phone_number is not None):
        names.sort(key=lambda name: name.phone_number is None)  # stable: a proven number stays first
    return names[0]
