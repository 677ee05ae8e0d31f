"""What a contact sent besides text, in types of ours: media, places, orders, replies, notices.

All of it is optional: a provider leaves out what it likes, and a reader takes what is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from shared.domain.identifiers import ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file at the provider: by id (Meta) or by address (CM.com; Meta's lives for minutes)."""

    media_id: str | None = None
    url: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    caption: str | None = None
    filename: str | None = None
    is_voice: bool = False
    is_animated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedContact:
    """A card that the contact passed on."""

    name: str | None = None
    #: As they were written.
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedContacts:
    contacts: tuple[SharedContact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A pressed button, a chosen row or a filled form; its title and id are the event's text and payload."""

    #: button_reply, list_reply, nfm_reply (a flow), or quick_reply for a template's button.
    type: str
    description: str | None = None
    #: The fields of a flow's form, JSON as the provider wrote it.
    response: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedItem:
    product_id: str
    #: Numbers as text: providers write them both ways, and money is no float.
    quantity: str | None = None
    price: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    catalog_id: str | None = None
    items: tuple[OrderedItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """To one of our messages; without an emoji it was taken back."""

    message_id: str
    emoji: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An earlier message of the contact now reads as the event's text."""

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """An earlier message of the contact was deleted for everyone."""

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemNotice:
    """WhatsApp, not the contact, says something about the contact."""

    #: user_changed_number, user_changed_user_id, customer_identity_changed, or a word we do not know.
    type: str
    #: The contact's number or user id from now on, when the notice is about one.
    new_number: ContactId | None = None
    new_user_id: ContactId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """Something the provider does not pass on."""

    #: What it was: poll, edit, button, …
    stands_for: str | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A kind of message that we do not know: kept as it came, for whoever does."""

    #: JSON in ASCII; cut when it is very long.
    raw: str


Content = (
    Media
    | Location
    | SharedContacts
    | Reply
    | Order
    | Reaction
    | Edit
    | Revoke
    | SystemNotice
    | Unsupported
    | Unread
)


def plain(value: Any) -> Any:  # noqa: ANN401 - any of the above, and what is in it
    """As JSON takes it; what is absent is left out."""
    if is_dataclass(value):
        items = ((field.name, getattr(value, field.name)) for field in fields(value))
        # Nought is a place on the equator: `0.0 == False`.
        return {
            name: plain(item) for name, item in items if item is not None and item is not False and item != ()
        }
    match value:
        case ContactId():
            return value.value
        case tuple() | list():
            return [plain(item) for item in value]
        case Mapping():
            return {name: plain(item) for name, item in value.items()}
        case _:
            return value
