"""One call of Meta's webhook: a contact who rings us speaks to us, whether anybody answers or not.

Meta, "calls" webhook reference, read 2026-09. One of its own examples leaves out the direction, and the
words for it are not confirmed: which side is our number says the same, and comes first.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.events import MessageReceived, UpdateNoted
from shared.domain.window import InboundKind
from shared.providers.meta.envelope import Envelope, contact_of, digits_of
from shared.providers.reading import UnreadableError, moment, text_at


def read_call(call: Mapping[str, Any], envelope: Envelope) -> MessageReceived | UpdateNoted:
    """Raise UnreadableError for what cannot be attributed: no id, time or contact, and nobody's call."""
    event = text_at(call, "event")
    if event == "terminate":
        return UpdateNoted(kind="call_ended")
    if event != "connect":
        raise UnreadableError("unknown_call_event")
    if _is_ours(call, envelope):
        return UpdateNoted(kind="own_call")
    return _ringing(call, envelope)


def _ringing(call: Mapping[str, Any], envelope: Envelope) -> MessageReceived:
    call_id = text_at(call, "id")
    if call_id is None:
        raise UnreadableError("no_id")
    contact, user_id, profile_name = envelope.people.named(
        text_at(call, "from"), text_at(call, "from_user_id")
    )
    return MessageReceived(
        recipient=envelope.recipient,
        contact=contact,
        user_id=user_id,
        profile_name=profile_name,
        event_id=call_id,
        kind=InboundKind.CALL,
        at=moment(call.get("timestamp")),
    )


def _is_ours(call: Mapping[str, Any], envelope: Envelope) -> bool:
    """By which side is our number; where neither is, by the word for the direction."""
    ours = contact_of(digits_of(envelope.display_number))
    if ours is not None and contact_of(call.get("from")) == ours:
        return True
    if ours is not None and contact_of(call.get("to")) == ours:
        return False
    direction = (text_at(call, "direction") or "").casefold()
    if direction.startswith(("business", "user")):
        return direction.startswith("business")
    raise UnreadableError("unknown_direction")
