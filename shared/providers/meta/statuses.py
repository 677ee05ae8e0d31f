"""One status of Meta's webhook: what became of an attempt of ours.

Meta, "Status messages" webhook reference, read 2026-09.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.events import ReportedError, StatusReported, UpdateNoted
from shared.domain.identifiers import AttemptReference, ProviderMessageId
from shared.domain.message import MessageState
from shared.providers.meta.envelope import NOBODY, Envelope
from shared.providers.meta.errors import code_of, detail_of, row_of
from shared.providers.reading import UnreadableError, first_object, moment, object_at, scalars, text_at

_STATES: Mapping[str | None, MessageState] = {
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.READ,
    "played": MessageState.PLAYED,
    "failed": MessageState.FAILED,
}


def read_status(status: Mapping[str, Any], envelope: Envelope) -> StatusReported | UpdateNoted:
    """Raise UnreadableError for what cannot be attributed, or is not a state."""
    if status.get("recipient_type") == "group":
        return UpdateNoted(kind="group_status")
    state = _STATES.get(text_at(status, "status"))
    if state is None:
        raise UnreadableError("unknown_status")
    message_id, reference = text_at(status, "id"), reference_of(status.get("biz_opaque_callback_data"))
    if message_id is None and reference is None:
        raise UnreadableError("no_id")
    number, user = text_at(status, "recipient_id"), text_at(status, "recipient_user_id")
    contact, user_id, _ = envelope.people.find(number, user) or NOBODY
    error = _error_of(status) if state is MessageState.FAILED else None
    return StatusReported(
        recipient=envelope.recipient,
        reference=reference,
        provider_message_id=None if message_id is None else ProviderMessageId(message_id),
        state=state,
        at=moment(status.get("timestamp")),
        error=error,
        unwanted=error.row.unwanted if error is not None else None,
        pricing=scalars(status.get("pricing")),
        conversation=_conversation_of(status),
        contact=contact,
        user_id=user_id,
    )


def reference_of(written: object) -> AttemptReference | None:
    """None when it is not one of ours: another program may send from the same number."""
    if not isinstance(written, str):
        return None
    try:
        return AttemptReference.parse(written)
    except ValueError:  # also an attempt of thousands of digits, which int() refuses
        return None


def _error_of(status: Mapping[str, Any]) -> ReportedError:
    error = first_object(status.get("errors"))
    code = code_of(error) or "failed"
    return ReportedError(code=code, row=row_of(code), detail=detail_of(error))


def _conversation_of(status: Mapping[str, Any]) -> dict[str, Any]:
    """Of webhooks since version 24 only that of a free entry point."""
    conversation = object_at(status, "conversation")
    if not conversation:
        return {}
    origin = text_at(object_at(conversation, "origin"), "type")
    return scalars(conversation) if origin is None else {**scalars(conversation), "origin": origin}
