"""How a message is shown: the stored facts in the contract's words, times as RFC 3339, no text of it."""

from collections.abc import Mapping
from typing import Any

from shared.acceptance import Receipt
from shared.clock import from_ms, rfc3339
from shared.configuration import Policy
from shared.decision import describe, facts_of
from shared.domain.identifiers import MessageId
from shared.domain.message import DEAD, MessageState
from shared.domain.routing import decide
from shared.retelling import advice_of
from shared.store.message_record import MessageRecord

_OF_A_DOUBT = "Find out whether it arrived, then resolve it; or retry it with accept_duplicate."


def view_accepted(receipt: Receipt, policy: Policy) -> dict[str, Any]:
    """From the facts at acceptance only, so that a repeat gets the same answer."""
    accepted, request = receipt.accepted, receipt.request
    shown = {
        "id": accepted.message_id.value,
        "state": MessageState.QUEUED,
        "to": request.to.value,
        "sender": request.sender,
        "reference": request.reference,
        "accepted_at": rfc3339(accepted.accepted_at),
        "expires_at": rfc3339(request.expires_at),
        "links": _links(accepted.message_id),
    }
    if accepted.known is None:
        return shown
    facts = facts_of(accepted.known, receipt.sender, policy, accepted.accepted_at)
    return {**shown, "forecast": describe(decide(request, facts), request, facts)}


def view_listed(record: MessageRecord) -> dict[str, Any]:
    """A line of a list: how it stands and what to do, without its course."""
    error = record.last_error
    return {
        "id": record.id.value,
        "state": record.state,
        "state_at": rfc3339(record.state_at),
        "to": record.request.to.value,
        "sender": record.request.sender,
        "app": record.app,
        "reference": record.request.reference,
        "accepted_at": rfc3339(record.accepted_at),
        "expires_at": rfc3339(record.request.expires_at),
        "reason": record.reason,
        "attempts": len(record.attempts),
        "error": error,
        "advice": _advice(record),
        "links": _links(record.id),
    }


def _advice(record: MessageRecord) -> str | None:
    """What the provider's error advises comes before what our reason does."""
    if record.state not in DEAD or record.reason is None:
        return None
    of_error = (record.last_error or {}).get("advice")
    if of_error:
        return str(of_error)
    return _OF_A_DOUBT if record.state is MessageState.UNKNOWN else advice_of(record.reason)


def view_message(record: MessageRecord, *, waiting: str | None) -> dict[str, Any]:
    request = record.request
    return {
        "id": record.id.value,
        "state": record.state,
        "to": request.to.value,
        "sender": request.sender,
        "app": record.app,
        "reference": request.reference,
        "accepted_at": rfc3339(record.accepted_at),
        "expires_at": rfc3339(request.expires_at),
        "reason": record.reason,
        "waiting": waiting,
        "route": record.route,
        "attempts": [_attempt(attempt) for attempt in record.attempts],
        "timeline": [{**entry, "at": _time(entry["at"])} for entry in record.timeline],
        "pricing": record.pricing,
        "provider_message_id": record.provider_message_id,
        "provider_hold": _hold_of(record),
        "nudge_for": request.nudge_for,
        "nudged_by": record.nudged_by,
        "links": _links(record.id),
    }


def _hold_of(record: MessageRecord) -> str | None:
    """Why the provider has not sent what it took."""
    is_held = record.state is MessageState.SUBMITTED and bool(record.attempts)
    return record.attempts[-1].get("provider_hold") if is_held else None


def _attempt(attempt: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": attempt["number"],
        "route": attempt.get("route"),
        "started_at": _time(attempt.get("started_at")),
        "ended_at": _time(attempt.get("ended_at")),
        "outcome": attempt.get("outcome"),
        "error": attempt.get("error"),
        "provider_message_id": attempt.get("provider_message_id"),
    }


def _links(message_id: MessageId) -> dict[str, str]:
    return {"self": f"/v1/messages/{message_id}"}


def _time(milliseconds: float | None) -> str | None:
    return None if milliseconds is None else rfc3339(from_ms(milliseconds))
