"""One inbound message of CM.com's webhook: who wrote what kind of thing to which number, and when.

CM.com, "Incoming messages" and "WhatsApp inbound", read 2026-11. There is no id of the message itself, so
its content is its id: what CM.com sends again is known again.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.domain.events import MessageReceived
from shared.domain.identifiers import ContactId, InvalidIdentifierError, PhoneNumber
from shared.domain.window import InboundKind
from shared.providers.cm.wire import digits_of, member, member_object
from shared.providers.reading import UnreadableError, button_reply, interactive_reply, storable

_KINDS: Mapping[str, InboundKind] = {kind.value: kind for kind in InboundKind}
#: What in `custom` says by its presence what it is.
_CUSTOM_KINDS = ("interactive", "button", "location", "contacts", "order", "reaction")
_MEDIA_KINDS: Mapping[str, InboundKind] = {
    "image": InboundKind.IMAGE,
    "video": InboundKind.VIDEO,
    "audio": InboundKind.AUDIO,
}
_SHORTEST_TIME = len("2026-01-31T10:15:30")


def read_message(document: Mapping[str, Any]) -> MessageReceived:
    """Raise UnreadableError for other channels, and for what cannot be attributed."""
    _check_channel(member(document, "channel"))
    message = member_object(document, "message")
    custom = member_object(message, "custom")
    contact = _contact_of(member(member_object(document, "from"), "number"))
    recipient = digits_of(member(member_object(document, "to"), "number"))
    if not recipient:
        raise UnreadableError("no_recipient")
    text, payload = _content_of(message, custom)
    return MessageReceived(
        recipient=recipient,
        contact=contact,
        event_id=_fingerprint(contact, recipient, document, message),
        kind=_kind_of(message, custom),
        at=_moment(member(document, "timeutc")),
        text=text,
        payload=payload,
    )


def _check_channel(channel: object) -> None:
    if not isinstance(channel, str) or channel.casefold() != "whatsapp":
        raise UnreadableError("other_channel")


def _contact_of(number: object) -> ContactId:
    """Samples show `+31…`; a user id instead is not documented, and read if it comes."""
    if not isinstance(number, str):
        raise UnreadableError("no_contact")
    try:
        if number[:1].isalpha():
            return ContactId.parse(number)
        return ContactId(PhoneNumber.from_digits(digits_of(number)).value)
    except InvalidIdentifierError:
        raise UnreadableError("no_contact") from None


def _kind_of(message: Mapping[str, Any], custom: Mapping[str, Any]) -> InboundKind:
    for name in _CUSTOM_KINDS:
        if member(custom, name):
            return _KINDS[name]
    named = member(custom, "message_type")
    if isinstance(named, str) and named in _KINDS:
        return _KINDS[named]
    media = member_object(message, "media")
    if member(media, "mediauri"):
        return _media_kind(member(media, "contenttype"))
    return InboundKind.TEXT if _string(message, "text") else InboundKind.UNKNOWN


def _media_kind(content_type: object) -> InboundKind:
    if not isinstance(content_type, str):
        return InboundKind.DOCUMENT
    if content_type.casefold() == "image/webp":
        return InboundKind.STICKER
    return _MEDIA_KINDS.get(content_type.casefold().partition("/")[0], InboundKind.DOCUMENT)


def _content_of(message: Mapping[str, Any], custom: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Text and payload. Replies are read in Meta's shape: the one live client that shows them has it."""
    text, payload = button_reply(member_object(custom, "button"))
    if text is None and payload is None:
        text, payload = interactive_reply(member_object(custom, "interactive"))
    return _string(message, "text") or text, payload


def _string(parent: Mapping[str, Any], name: str) -> str | None:
    value = member(parent, name)
    return storable(value) if value and isinstance(value, str) else None


def _fingerprint(
    contact: ContactId, recipient: str, document: Mapping[str, Any], message: Mapping[str, Any]
) -> str:
    """Two equal texts within one second are one: there is nothing to tell them apart by."""
    what = [
        contact.value,
        recipient,
        member(document, "timeutc"),
        member(message, "text"),
        member(member_object(message, "media"), "mediauri"),
        member(message, "custom"),
    ]
    try:
        written = json.dumps(what, sort_keys=True)
    except RecursionError:
        raise UnreadableError("nested_too_deeply") from None
    return "cm:" + hashlib.sha256(written.encode()).hexdigest()


def _moment(written: object) -> datetime:
    """`2026-01-31T10:15:30`, in UTC without saying so."""
    if not isinstance(written, str) or len(written) < _SHORTEST_TIME:
        raise UnreadableError("bad_timestamp")
    try:
        at = datetime.fromisoformat(written)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableError("bad_timestamp") from None
