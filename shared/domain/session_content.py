"""What a session message can hold besides being allowed: text, a file, a choice, a place, cards, a reaction.

Values only, each within the limits that the schema has checked; how a provider spells them is its own file's
business, and whether the window is open is `decide`'s.
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.content import Location


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class Text:
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLink:
    """A file that the provider fetches from a public https address."""

    kind: MediaKind
    link: str
    caption: str | None = None
    #: What the contact sees of a document; elsewhere it tells the file's type when the address does not.
    filename: str | None = None


#: Above a choice or a template's body: a text, or a file without caption.
Header = str | MediaLink


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyButton:
    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """A question with up to three answers to press."""

    body: str
    header: Header | None = None
    footer: str | None = None
    buttons: tuple[ReplyButton, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    id: str
    title: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str | None = None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A list to open and choose one row of."""

    body: str
    header: Header | None = None
    footer: str | None = None
    #: On the button that opens the list.
    label: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkButton:
    """A text with one button that opens an address."""

    body: str
    header: Header | None = None
    footer: str | None = None
    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    phone: str
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    email: str
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Website:
    url: str
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    street: str | None = None
    zip: str | None = None
    city: str | None = None
    country: str | None = None
    country_code: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Somebody's details for the contact to keep."""

    formatted_name: str
    first_name: str | None = None
    last_name: str | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    addresses: tuple[PostalAddress, ...] = ()
    urls: tuple[Website, ...] = ()
    company: str | None = None
    #: `1990-01-31`
    birthday: str | None = None


@dataclass(frozen=True, slots=True)
class Cards:
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmojiReaction:
    """To a message of the contact."""

    #: WhatsApp's id of that message, `wamid.…`.
    message_id: str
    emoji: str


#: All that is free-form: only a route that `decide` made in an open window carries it to a provider.
SessionContent = Text | MediaLink | Buttons | Choice | LinkButton | Location | Cards | EmojiReaction
