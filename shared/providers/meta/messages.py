"""One inbound message of Meta's webhook: who wrote what kind of thing to which number, and when.

Meta, "messages" webhook reference, read 2025-10 to 2026-09.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.content import Unread
from shared.domain.events import MessageReceived, UpdateNoted
from shared.domain.window import InboundKind
from shared.providers.meta.content import read_content
from shared.providers.meta.envelope import Envelope
from shared.providers.reading import UnreadableError, moment, object_at, raw_of, scalars, text_at

#: A call is no type of message: it comes in a field of its own.
_KINDS: Mapping[str | None, InboundKind] = {
    kind.value: kind for kind in InboundKind if kind is not InboundKind.CALL
}
#: Outside of numbers shared with the Business app, edits and revokes come as `unsupported`.
_HIDDEN_KINDS: Mapping[str | None, InboundKind] = {"edit": InboundKind.EDIT, "revoke": InboundKind.REVOKE}


def read_message(message: Mapping[str, Any], envelope: Envelope) -> MessageReceived | UpdateNoted:
    """Raise UnreadableError for what cannot be attributed: no id, no time, no contact."""
    if message.get("group_id") is not None:
        return UpdateNoted(kind="group_message")
    event_id = text_at(message, "id")
    if event_id is None:
        raise UnreadableError("no_id")
    contact, user_id, profile_name = envelope.people.named(
        text_at(message, "from"), text_at(message, "from_user_id")
    )
    name = text_at(message, "type")
    kind = _kind_of(name, message)
    text, payload, content = read_content(name, message)
    if kind is InboundKind.UNKNOWN:
        content = Unread(raw=raw_of(message))
    context = object_at(message, "context")
    return MessageReceived(
        recipient=envelope.recipient,
        contact=contact,
        user_id=user_id,
        profile_name=profile_name,
        event_id=event_id,
        kind=kind,
        at=moment(message.get("timestamp")),
        text=text,
        payload=payload,
        content=content,
        reply_to=text_at(context, "id"),
        is_forwarded=context.get("forwarded") is True or context.get("frequently_forwarded") is True,
        referral=_referral_of(message),
    )


def _kind_of(name: str | None, message: Mapping[str, Any]) -> InboundKind:
    kind = _KINDS.get(name, InboundKind.UNKNOWN)
    if name == "unsupported":
        return _HIDDEN_KINDS.get(text_at(object_at(message, "unsupported"), "type"), kind)
    return kind


def _referral_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """What of the advertisement can be kept, and the words that greeted the contact."""
    referral = object_at(message, "referral")
    if not referral:
        return {}
    welcome = text_at(object_at(referral, "welcome_message"), "text")
    return scalars(referral) if welcome is None else {**scalars(referral), "welcome_message": welcome}
