"""What stands around an update in Meta's webhook: the account, our number, and the people it names.

Meta, "messages" webhook reference, read 2025-10 to 2026-09; "Business-scoped user IDs", read 2026-02. A
number may be withheld: then only the user id (BSUID) is there, and fixtures of others show it inside `from`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self

from shared.domain.identifiers import ContactId, InvalidIdentifierError
from shared.providers.reading import UnreadableError, moment_if_any, object_at, text_at

#: The usual `wa_id`: E.164 without its `+`. Tried first, because each of thousands a second has one.
_is_wa_id = re.compile(r"[1-9]\d{6,14}", re.ASCII).fullmatch

_NO_DIGITS = re.compile(r"[^0-9]+")
#: More than any number or user id has.
_LONGEST_ID = 200

#: The number when there is one, else the user id; the user id beside a number; the contact's own name.
Person = tuple[ContactId, ContactId | None, str | None]

NOBODY = (None, None, None)


class People:
    """The `contacts` of a value, found by number or user id, never by their place in the list."""

    def __init__(self, contacts: object) -> None:
        listed = contacts if isinstance(contacts, list) else [contacts]
        self._contacts = [contact for contact in listed if isinstance(contact, dict)]
        self._by_id: dict[str, Mapping[str, Any]] = {}
        for contact in self._contacts:
            for name in ("wa_id", "user_id"):
                if (written := text_at(contact, name)) is not None:
                    self._by_id.setdefault(written, contact)

    def named(self, number: str | None, user_id: str | None) -> Person:
        """Who an update is about; raise UnreadableError when it does not say."""
        person = self.find(number, user_id)
        if person is None:
            raise UnreadableError("no_contact")
        return person

    def find(self, number: str | None, user_id: str | None) -> Person | None:
        """Who an update names by these two, either of which may be absent, or hold the other.

        Where it names nobody, it is about the only one of the contacts.
        """
        card = self._card(number, user_id)
        phone = user = None
        for written in (number, user_id, card.get("wa_id"), card.get("user_id")):
            contact = contact_of(written)
            if contact is None:
                continue
            if contact.value[0] == "+":
                phone = phone or contact
            else:
                user = user or contact
            if phone is not None and user is not None:
                break
        name = text_at(object_at(card, "profile"), "name")
        if phone is not None:
            return phone, user, name
        return None if user is None else (user, None, name)

    def _card(self, number: str | None, user_id: str | None) -> Mapping[str, Any]:
        if number is None and user_id is None:
            return self._contacts[0] if len(self._contacts) == 1 else {}
        return self._by_id.get(number or "") or self._by_id.get(user_id or "") or {}

    def beside(self, update: object) -> list[Mapping[str, Any]]:
        """Of many contacts those that it takes to read `update` alone, to the same."""
        words = update.values() if isinstance(update, dict) else ()
        named = [self._by_id[word] for word in words if isinstance(word, str) and word in self._by_id]
        # Two, so that none of many becomes the only one.
        return list({id(contact): contact for contact in (*named, *self._contacts[:2])}.values())


class Envelope(NamedTuple):
    account: str | None
    #: Of account and template fields; messages have times of their own.
    time: object
    #: Meta's id of our number.
    number_id: str | None
    #: Our number, as it is shown to people.
    display_number: str | None
    people: People

    @classmethod
    def around(cls, entry: Mapping[str, Any], value: Mapping[str, Any]) -> Self:
        metadata = object_at(value, "metadata")
        return cls(
            account=text_at(entry, "id"),
            time=entry.get("time"),
            number_id=text_at(metadata, "phone_number_id"),
            display_number=text_at(metadata, "display_phone_number"),
            people=People(value.get("contacts")),
        )

    @property
    def at(self) -> datetime | None:
        """None when it is not said, or not as a time."""
        return moment_if_any(self.time)

    @property
    def recipient(self) -> str:
        """Raise UnreadableError when it is not said which of our numbers is meant."""
        if self.number_id is None:
            raise UnreadableError("no_recipient")
        return self.number_id


def contact_of(written: object) -> ContactId | None:
    """A number as WhatsApp writes it, or a user id; None when it is neither."""
    if not isinstance(written, str) or not 0 < len(written) <= _LONGEST_ID:
        return None
    return _parse(written)


# A message and the three statuses of our answer name the same contact within seconds.
@lru_cache(maxsize=4096)
def _parse(written: str) -> ContactId | None:
    if _is_wa_id(written):
        return ContactId(f"+{written}")
    try:
        return ContactId.parse(written if written[0].isalpha() else f"+{written.removeprefix('+')}")
    except InvalidIdentifierError:
        return None


def digits_of(written: str | None) -> str | None:
    """`+31 20 123-4567` as `31201234567`; None when there are no digits in it."""
    return _NO_DIGITS.sub("", written or "") or None
