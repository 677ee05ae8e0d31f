"""One inbound message of CM.com's webhook: who wrote to which number, when, and which message it is.

CM.com, "Incoming messages" and "WhatsApp inbound", read 2026-11. There is no id of the message itself, so
its content is its id: what CM.com sends again is known again.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.domain.events import MessageReceived
from shared.domain.identifiers import AttemptReference, ContactId, InvalidIdentifierError
from shared.providers.cm.contents import content_of, file_of, kind_of, words_of
from shared.providers.cm.wire import contact_of, digits_of, in_lower_case, member, member_object, member_text
from shared.providers.reading import UnreadableError, storable

_SHORTEST_TIME = len("2026-01-31T10:15:30")
_LONGEST_HANDLE = 512
_ENCODER = json.JSONEncoder(sort_keys=True)


def read_message(document: Mapping[str, Any]) -> MessageReceived:
    """Raise UnreadableError for other channels, and for what cannot be attributed."""
    _check_channel(member(document, "channel"))
    writer = member_object(document, "from")
    message = member_object(document, "message")
    custom = in_lower_case(member_object(message, "custom"))
    contact = _contact_of(member(writer, "number"))
    recipient = digits_of(member(member_object(document, "to"), "number"))
    if not recipient:
        raise UnreadableError("no_recipient")
    at = _moment(member(document, "timeUtc"))
    context = member(document, "messageContext")
    kind = kind_of(message, custom)
    text, payload = words_of(kind, message, custom)
    return MessageReceived(
        recipient=recipient,
        contact=contact,
        event_id=_fingerprint([contact.value, recipient, at.isoformat(), *_what(message, custom)], context),
        kind=kind,
        at=at,
        text=text,
        payload=payload,
        content=content_of(kind, message, custom),
        reply_to=_answered(member(document, "reference")),
        profile_name=member_text(writer, "name"),
        read_handle=_handle(context),
    )


def _check_channel(channel: object) -> None:
    if channel != "WhatsApp" and (not isinstance(channel, str) or channel.casefold() != "whatsapp"):
        raise UnreadableError("other_channel")


def _contact_of(number: object) -> ContactId:
    """Samples show `+31…`; a user id instead is not documented, and read if it comes."""
    try:
        is_user_id = isinstance(number, str) and number[:1].isalpha()
        contact = ContactId.parse(str(number)) if is_user_id else contact_of(number)
    except InvalidIdentifierError:
        contact = None
    if contact is None:
        raise UnreadableError("no_contact")
    return contact


def _what(message: Mapping[str, Any], custom: Mapping[str, Any]) -> list[object]:
    """Absent, null and empty are the same nothing."""
    return [member_text(message, "text"), file_of(message), custom or None]


def _fingerprint(what: list[object], context: object) -> str:
    """Two equal texts within one second are one where no WhatsApp id tells them apart.

    `messageContext` counts only as such an id: nobody says what else it may hold.
    """
    if isinstance(context, str) and context.startswith("wamid."):
        what = [*what, context]
    return "cm:" + hashlib.sha256(_ENCODER.encode(what).encode()).hexdigest()


def _answered(reference: object) -> str | None:
    """A reply repeats the reference of the message that it answers: one of ours, or another program's."""
    try:
        return AttemptReference.parse(reference).message_id.value if isinstance(reference, str) else None
    except InvalidIdentifierError:
        return None


def _handle(context: object) -> str | None:
    """Whether it is the id of this message or of the one it answers is the configuration's to say."""
    if not isinstance(context, str) or not context or len(context) > _LONGEST_HANDLE:
        return None
    return storable(context)


def _moment(written: object) -> datetime:
    """`2026-01-31T10:15:30`, in UTC without saying so."""
    if not isinstance(written, str) or len(written) < _SHORTEST_TIME:
        raise UnreadableError("bad_timestamp")
    try:
        at = datetime.fromisoformat(written)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableError("bad_timestamp") from None
