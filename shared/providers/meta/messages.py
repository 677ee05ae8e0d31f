"""One inbound message of Meta's webhook: who wrote what kind of thing to which number, and when.

Meta, "messages" webhook reference, read 2025-10 to 2026-09; "Business-scoped user IDs", read 2026-02.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.events import MessageReceived
from shared.domain.identifiers import ContactId, InvalidIdentifierError, PhoneNumber
from shared.domain.window import InboundKind
from shared.providers.reading import (
    UnreadableError,
    button_reply,
    interactive_reply,
    moment,
    object_at,
    text_at,
)

_KINDS: Mapping[str | None, InboundKind] = {kind.value: kind for kind in InboundKind}
#: Outside of numbers shared with the Business app, edits and revokes come as `unsupported`.
_HIDDEN_KINDS: Mapping[str | None, InboundKind] = {"edit": InboundKind.EDIT, "revoke": InboundKind.REVOKE}


def read_message(message: Mapping[str, Any], recipient: str) -> MessageReceived:
    """Raise UnreadableError for what cannot be attributed: no id, no time, no contact, or a group's."""
    if message.get("group_id") is not None:
        raise UnreadableError("group_message")
    event_id = text_at(message, "id")
    if event_id is None:
        raise UnreadableError("no_id")
    kind = _kind_of(message)
    text, payload = _content_of(kind, message)
    return MessageReceived(
        recipient=recipient,
        contact=_contact_of(message),
        event_id=event_id,
        kind=kind,
        at=moment(message.get("timestamp")),
        text=text,
        payload=payload,
    )


def _kind_of(message: Mapping[str, Any]) -> InboundKind:
    kind = _KINDS.get(text_at(message, "type"), InboundKind.UNKNOWN)
    if kind is InboundKind.UNSUPPORTED:
        return _HIDDEN_KINDS.get(text_at(object_at(message, "unsupported"), "type"), kind)
    return kind


def _content_of(kind: InboundKind, message: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Text and payload: what a contact wrote or pressed, never a caption or a name."""
    if kind is InboundKind.TEXT:
        return text_at(object_at(message, "text"), "body"), None
    if kind is InboundKind.BUTTON:
        return button_reply(object_at(message, "button"))
    if kind is InboundKind.INTERACTIVE:
        return interactive_reply(object_at(message, "interactive"))
    return None, None


def _contact_of(message: Mapping[str, Any]) -> ContactId:
    """The number when there is one, else the BSUID, which fixtures of others also show inside `from`."""
    for name in ("from", "from_user_id"):
        written = text_at(message, name)
        if written is not None and (contact := _parse_contact(written)) is not None:
            return contact
    raise UnreadableError("no_contact")


def _parse_contact(written: str) -> ContactId | None:
    try:
        if written[0].isalpha():
            return ContactId.parse(written)
        return ContactId(PhoneNumber.from_digits(written).value)
    except InvalidIdentifierError:
        return None
