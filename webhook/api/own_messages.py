"""Whose messages a caller may see and change: its own, an admin everybody's; and who did it is kept."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from shared.clock import rfc3339
from shared.domain.confirmation import CONFIRMING_APP
from shared.domain.identifiers import ContactId, InvalidIdentifierError, MessageId
from shared.domain.message import MessageState
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.store.changes import Hand
from shared.store.listing import Found, MessageFilter, Place
from shared.store.message_record import MessageRecord
from webhook.api.auth import sender_of_address
from webhook.api.context import caller, deps
from webhook.api.deeds import note_deed
from webhook.api.message_view import view_message
from webhook.errors import ProblemError


def businesses() -> tuple[str, ...]:
    """Where the caller's messages lie."""
    return deps().settings.configuration.businesses_of(caller())


def hand() -> Hand:
    """Who changes messages, and whose."""
    return Hand(name=caller().name, app=None if caller().may("admin") else caller().name)


def own_message(text: str) -> Found:
    """A message with its business. An id does not say whose it is; there are few, mostly one."""
    try:
        message_id = MessageId.parse(text)
    except InvalidIdentifierError:
        raise _missing() from None
    for business in sorted(deps().settings.configuration.aliases_of):
        record = deps().messages.get(business, message_id)
        if record is not None and hand().app in (None, record.app):
            return Found(business, record)
    raise _missing()


def view_own(record: MessageRecord) -> dict[str, Any]:
    return view_message(record, waiting=_waiting(record))


def own_filter(
    *,
    app: str | None,
    sender: str | None,
    states: frozenset[MessageState],
    reference: str | None,
    reason: str | None,
    code: str | None,
    any_code: str | None = None,
    to: ContactId | None = None,
) -> MessageFilter:
    """What to look for among the caller's messages."""
    is_admin = caller().may("admin")
    if app is not None and not is_admin and app != caller().name:
        raise ProblemError(Code.SCOPE_MISSING, "Other apps' messages need the scope admin.")
    everybody = (*deps().settings.configuration.apps, CONFIRMING_APP) if is_admin else (caller().name,)
    return MessageFilter(
        apps=(app,) if app is not None else everybody,
        is_of_anybody=is_admin and app is None,
        states=states,
        senders=frozenset({sender_of_address(sender).alias}) if sender is not None else frozenset(),
        to=to,
        reference=reference,
        reason=reason,
        code=code,
        any_code=any_code,
    )


def parse_place(text: str | None) -> Place | None:
    if text is None:
        return None
    try:
        at, message_id = json.loads(base64.urlsafe_b64decode(text.encode()))
        return Place(int(at), MessageId.parse(message_id).value)
    except (ValueError, TypeError, RecursionError):
        errors = {"after": ["not a cursor of ours: take `next` of the page before"]}
        raise ProblemError(Code.INVALID_REQUEST, "See errors.", errors=errors) from None


def place_text(place: Place | None) -> str | None:
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([place.at, place.message_id]).encode()).decode()


def keep_deed(
    business: str,
    action: str,
    *,
    done: int,
    message_id: MessageId | None = None,
    named: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Who did what with messages, in the audit and in the log."""
    deed = note_deed(business, action, done=done, message_id=message_id, named=named, details=details)
    get_logger().warning(
        LogEvent.MESSAGES_CHANGED,
        action=action,
        done=done,
        message_id=deed.message_id,
        filter=named,
        details=deed.details,
    )


def _missing() -> ProblemError:
    return ProblemError(Code.NOT_FOUND, "There is no such message of yours.")


def why_halted(record: MessageRecord) -> str | None:
    """Why and since when; None: its sender is not halted, or configured no more."""
    sender = deps().sender(record.request.sender)
    halt = None if sender is None else deps().senders.get(sender).whole_halt(deps().clock.now())
    if halt is None:
        return None
    return f"{halt.why} (since {rfc3339(halt.since)})" if halt.since else halt.why


def why_away(record: MessageRecord) -> str | None:
    """None: its sender's provider answers, or the sender is configured no more."""
    sender = deps().sender(record.request.sender)
    circuit = None if sender is None else deps().senders.get(sender).circuit
    if circuit is None or not circuit.is_open:
        return None
    return f"{circuit.why} since {rfc3339(circuit.since)}" if circuit.since else circuit.why


def _waiting(record: MessageRecord) -> str | None:
    """What all of its sender waits for."""
    sender, now = deps().sender(record.request.sender), deps().clock.now()
    if record.state is not MessageState.QUEUED or sender is None:
        return None
    state = deps().senders.get(sender)
    if state.is_halted(now):
        return "sender_halted"
    if state.circuit.is_open:
        return "provider_away"
    return "sender_paused" if state.is_paused(now) else None
