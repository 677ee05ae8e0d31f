"""Who and what is meant: parsed once at the rim, never a bare string again.

Knows the written forms of numbers and ids, nothing of who stands behind them.
"""

import re
from dataclasses import dataclass
from typing import NewType, Self

#: The id that the provider gave to one of our messages, for Meta `wamid.…`.
ProviderMessageId = NewType("ProviderMessageId", str)

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
# Two letters of country, then up to 128 alphanumerics; parent ids show a second dotted part.
# Meta, "Business-scoped user IDs", read 2026-02.
_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
_PUNCTUATION = re.compile(r"[\s\-().]")
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)
_MESSAGE_PREFIX = "msg_"
# At most 32 characters, and one way to write each number.
_REFERENCE = re.compile(rf"({_ULID.pattern})([1-9]\d{{0,5}})", re.ASCII)


class InvalidIdentifierError(ValueError):
    """A text that is not the identifier it should be; says what is expected, never repeats the text."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number in E.164: `+`, country code, subscriber; 7 to 15 digits."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Accept `+39 333 123-4567` and `0039…`; raise InvalidIdentifierError for anything else."""
        if "(0)" in text:  # `+44 (0)20 …`: the nought is not dialled from abroad, nor part of the number
            raise InvalidIdentifierError("not a phone number: leave out the (0)")
        compact = _PUNCTUATION.sub("", text)
        if compact.startswith("00"):
            compact = "+" + compact[2:]
        if not _E164.fullmatch(compact):
            raise InvalidIdentifierError(
                "not a phone number: write it in international form, like +393331234567"
            )
        return cls(compact)

    @classmethod
    def from_digits(cls, digits: str) -> Self:
        """Read a `wa_id`, which is the number without its `+`."""
        return cls.parse("+" + digits.removeprefix("+"))

    @property
    def digits(self) -> str:
        return self.value[1:]

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class ContactId:
    """A WhatsApp user: the phone number when known, else the business-scoped user id (BSUID)."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Accept a number or a BSUID like `NL.90011223344`; raise InvalidIdentifierError."""
        if _BSUID.fullmatch(text):
            return cls(text)
        try:
            return cls(PhoneNumber.parse(text).value)
        except InvalidIdentifierError:
            raise InvalidIdentifierError(
                "not a contact: write a number like +393331234567 or a business-scoped id like NL.90011223344"
            ) from None

    @property
    def phone_number(self) -> PhoneNumber | None:
        return PhoneNumber(self.value) if self.value.startswith("+") else None

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class MessageId:
    """An outbound message: `msg_` and a ULID, so that ids sort by the time of acceptance."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        ulid = text.removeprefix(_MESSAGE_PREFIX)
        if ulid == text or not _ULID.fullmatch(ulid):
            raise InvalidIdentifierError("not a message id: msg_ and 26 characters")
        return cls(text)

    @classmethod
    def from_ulid(cls, ulid: str) -> Self:
        return cls.parse(_MESSAGE_PREFIX + ulid)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class AttemptReference:
    """Message and attempt in one word that both providers echo in their statuses.

    CM.com allows 1 to 32 alphanumerics ("Shared features", read 2026-11), Meta 512 characters. A word
    per attempt keeps a late report about one attempt from hitting the next.
    """

    message_id: MessageId
    attempt: int

    @classmethod
    def parse(cls, text: str) -> Self:
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise InvalidIdentifierError("not a reference of ours")
        return cls(MessageId(_MESSAGE_PREFIX + found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.message_id.value.removeprefix(_MESSAGE_PREFIX)}{self.attempt}"
