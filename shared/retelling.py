"""A message's whole life in a few sentences: what was decided and tried, where it stands, what to do now.

Told from the stored record, for whoever is on call. Ids, times, rules, codes and advice only: no text of the
message, no number, and of the provider's words none but its code.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.clock import from_ms, rfc3339
from shared.domain.message import InDoubt, MessageState
from shared.domain.routes import Rule
from shared.store.message_record import MessageRecord

_Standing = Callable[[MessageRecord], str]
_NOTHING = "There is nothing to do."
_RETRY = "Mend what it says, then retry the message if it is still wanted."

#: What a person can do about each rule that refuses or makes wait.
ADVICE: Mapping[Rule, str] = {
    Rule.EXPIRED: "Retry it with a new expires_in if it is still wanted.",
    Rule.OPTED_OUT: "Respect it; only the contact can opt in again.",
    Rule.OPT_OUT_CONFIRMATION: _NOTHING,
    Rule.CONFIRMATION_NOT_NEEDED: _NOTHING,
    Rule.WINDOW_OPEN: _NOTHING,
    Rule.WAITING_FOR_WINDOW: "It goes by itself when the contact writes; cancel it if it is not wanted.",
    Rule.NUDGED: "It goes by itself when the contact answers the template.",
    Rule.NUDGE_FAILED: "See what became of its template (nudged_by), mend that, then retry.",
    Rule.NUDGE_NOT_NEEDED: _NOTHING,
    Rule.WINDOW_CLOSED: "Give a template and when_closed template, or wait until the contact writes.",
    Rule.WINDOW_CLOSED_NO_TEMPLATE: "Give a template too, or let it wait with when_closed wait.",
    Rule.TEMPLATE_NOT_APPROVED: "Register the template or have it approved, then retry.",
    Rule.TEMPLATE_MISMATCH: "Send it anew with the variables that the template has now.",
    Rule.TEMPLATE_CATEGORY_REFUSED: "Resume or replace the template, or change the policy, then retry.",
    Rule.NO_OPT_IN: "Ask the contact for an opt-in and record it, then retry.",
    Rule.PHONE_NUMBER_REQUIRED: "Send it anew to the contact's phone number.",
    Rule.RECIPIENT_CAPPED: "Retry it after the provider's cap, or reach the contact another way.",
    Rule.TEMPLATE_PENDING: "It goes by itself when the template is approved; see to that.",
    Rule.TEMPLATE_PAUSED: "It goes by itself when the template is resumed.",
    Rule.WINDOW_CLOSING: _NOTHING,
    Rule.TEMPLATE_PREFERRED: _NOTHING,
    Rule.SENDER_HALTED: "Mend why the sender is halted, then resume it; the message goes by itself.",
    Rule.MESSAGING_LIMIT: "It goes by itself when the limit allows; ask the provider for a higher tier.",
    Rule.PAIR_LIMIT: "It goes by itself in its turn.",
    Rule.SENDER_LIMIT: "It goes by itself in its turn.",
}

#: Reasons that are no rule: why, and what to do.
REASONS: Mapping[str, str] = {
    "provider_error": "The last attempt says why, and what to do.",
    "provider_window_closed": "The provider said twice that the window is closed, whatever we knew of it. "
    "Give a template too, or wait until the contact writes, then retry.",
    "internal_error": "Three tries to work on it broke inside Finestra: a bug of ours. "
    "Look for the event bug in the workers' log, and retry it after the mend.",
    "tries_exhausted": f"The provider failed as often as it is worth trying. {_RETRY}",
    "expires_before_retry": "The next try would have come after its expiry. "
    "Retry it with a new expires_in if it is still wanted.",
    "begun_too_late": "Redis had delayed it for so long that it was not sent; nothing left. "
    "It is decided anew by itself.",
    "worker_lost": "The worker ended between request and record.",
    "cancelled": "Somebody cancelled it; the timeline says when.",
    "resolved_by_hand": "Somebody said how it ended; the timeline says who.",
    "not_sent": "The provider could not be reached; nothing left.",
}

_BY_REASON: Mapping[str, str] = {**{rule.value: advice for rule, advice in ADVICE.items()}, **REASONS}

_OUTCOMES: Mapping[str | None, str] = {
    None: "How it ended is not recorded yet",
    "submitted": "The provider took it",
    # Its worker died in between, or its answer was lost.
    "reported": "The provider took it, as its report shows; its answer was not recorded",
    "reported_failed": "The provider reported that it failed; its answer was not recorded",
    "failed": "The provider refused it",
    "deferred": "It did not go through, but may at a later try",
    "unknown": "Nobody knows whether the provider took it",
    "window_refused": "The provider said that the window is closed, so the message was decided anew",
}


def retell(record: MessageRecord, *, halted_why: str | None = None, away_why: str | None = None) -> list[str]:
    """The sentences in order of time, the last ones of today.

    Its sender is halted (`halted_why`), or its provider down (`away_why`): by what, and since when.
    """
    return [
        _accepted(record),
        *(sentence for attempt in record.attempts for sentence in _attempt(record, attempt)),
        *_decided_since(record),
        *_standing(record, halted_why, away_why),
    ]


def _accepted(record: MessageRecord) -> str:
    request = record.request
    return (
        f"Accepted at {rfc3339(record.accepted_at)} from the app {record.app} for the sender "
        f"{request.sender}, with {request.priority.name.lower()} priority, "
        f"to be sent before {rfc3339(request.expires_at)}."
    )


def _attempt(record: MessageRecord, attempt: Mapping[str, Any]) -> Iterator[str]:
    route = attempt.get("route") or {}
    begun = f"Attempt {attempt['number']} began{_at(attempt.get('started_at'))}"
    yield f"{begun} as {route['kind']}: {route['explanation']}" if route else f"{begun}."
    yield _ended(record, attempt)


def _ended(record: MessageRecord, attempt: Mapping[str, Any]) -> str:
    error, outcome = attempt.get("error"), _outcome(record, attempt)
    ended = _OUTCOMES.get(outcome, f"It ended as {outcome}")
    if attempt.get("provider_hold"):
        ended += ", and keeps it back for now to assess its quality"
    ended += _at(attempt.get("ended_at"), before=": ")
    if error:
        ended += f" ({error['class']}, code {error['code']}). {error.get('advice') or ''}".rstrip(". ")
    return f"{ended}."


def _outcome(record: MessageRecord, attempt: Mapping[str, Any]) -> str | None:
    """None: it is under way. What the worker did not live to record, the provider may have said since."""
    # A late word of the provider's holds an error and no outcome: it had taken it first.
    outcome: str | None = attempt.get("outcome") or ("failed" if attempt.get("error") else None)
    return outcome or _REPORTED.get(record.state)


def _decided_since(record: MessageRecord) -> Iterator[str]:
    """The last decision, when no attempt came of it."""
    route = record.route
    if route and not any(attempt.get("route") == route for attempt in record.attempts):
        yield f"Decided at {route['decided_at']}: {route['kind']} ({route['rule']}). {route['explanation']}"


def _standing(record: MessageRecord, halted_why: str | None, away_why: str | None) -> Iterator[str]:
    if halted_why is not None and record.state in _BEHIND_ITS_SENDER:
        yield f"It waits behind its sender, which is halted: {halted_why}"
        yield ADVICE[Rule.SENDER_HALTED]
        return
    if away_why is not None and record.state in _BEHIND_ITS_SENDER:
        yield f"The provider of its sender does not answer ({away_why}): one message tries now and then."
        yield f"It goes by itself when the provider is back. {_NOTHING}"
        return
    yield _STANDINGS[record.state](record)
    if record.state in _EXPLAINED_BY_REASON and record.reason:
        yield advice_of(record.reason)


def advice_of(reason: str) -> str:
    """Why it stands so, where the reason does not say it, and what to do."""
    return _BY_REASON.get(reason, f"The reason is {reason}. {_RETRY}")


def _queued(record: MessageRecord) -> str:
    after = f", not before {rfc3339(record.not_before)}" if record.not_before else ""
    return f"It waits for its turn{after}: one message of a contact is in hand at a time. {_NOTHING}"


def _deferred(record: MessageRecord) -> str:
    # Deferred to its own time: it waits for no time but for what its reason names.
    is_timed = record.not_before is not None and record.not_before > record.state_at
    until = f"until {rfc3339(record.not_before)}" if is_timed else "until what it waits for has changed"
    return f"It is deferred {until}, then it is decided anew."


def _held(record: MessageRecord) -> str:
    request = record.request
    return (
        f"It is held until the contact writes to {request.sender}, "
        f"or else expires at {rfc3339(request.expires_at)}."
    )


def _unknown(record: MessageRecord) -> str:
    ends = f" after {rfc3339(record.not_before)}" if record.not_before else ""
    if record.request.in_doubt is InDoubt.RESEND:
        return (
            f"Its last attempt is in doubt; without the provider's word it is sent again{ends}, as asked for."
        )
    return (
        "Its last attempt is in doubt, and it is never repeated by itself. A status of the provider resolves "
        "it; else find out whether it arrived and resolve it by hand, or retry it with accept_duplicate."
    )


_STANDINGS: Mapping[MessageState, _Standing] = {
    MessageState.QUEUED: _queued,
    MessageState.SENDING: lambda r: (
        f"It has been under way to the provider since {rfc3339(r.state_at)}. {_NOTHING}"
    ),
    MessageState.SUBMITTED: lambda r: (
        f"The provider has had it since {rfc3339(r.state_at)} and has not said more: no proof of its sending."
    ),
    MessageState.SENT: lambda r: (
        f"WhatsApp has sent it, the provider reported at {rfc3339(r.state_at)}; the contact's phone has not "
        "confirmed it yet, and may be off."
    ),
    MessageState.DELIVERED: lambda r: (
        f"It reached the contact, we heard at {rfc3339(r.state_at)}. {_NOTHING}"
    ),
    MessageState.READ: lambda r: f"The contact has read it, we heard at {rfc3339(r.state_at)}. {_NOTHING}",
    MessageState.PLAYED: lambda r: (
        f"The contact has played it, we heard at {rfc3339(r.state_at)}. {_NOTHING}"
    ),
    MessageState.HELD: _held,
    MessageState.DEFERRED: _deferred,
    MessageState.UNKNOWN: _unknown,
    MessageState.FAILED: lambda r: f"It failed at {rfc3339(r.state_at)} and is not tried again by itself.",
    MessageState.REFUSED: lambda r: f"It was refused at {rfc3339(r.state_at)}: no attempt follows.",
    MessageState.EXPIRED: lambda r: (
        f"It expired at {rfc3339(r.state_at)}: it was to be sent before {rfc3339(r.request.expires_at)}."
    ),
    MessageState.CANCELLED: lambda r: f"It was cancelled at {rfc3339(r.state_at)}; nothing goes any more.",
}
#: What the provider's report says of an attempt whose answer was not recorded; no other follows such a one.
_REPORTED: Mapping[MessageState, str] = {
    MessageState.SENT: "reported",
    MessageState.DELIVERED: "reported",
    MessageState.READ: "reported",
    MessageState.PLAYED: "reported",
    MessageState.FAILED: "reported_failed",
}
_BEHIND_ITS_SENDER = frozenset({MessageState.QUEUED, MessageState.DEFERRED})
_EXPLAINED_BY_REASON = frozenset(
    {
        MessageState.HELD,
        MessageState.DEFERRED,
        MessageState.UNKNOWN,
        MessageState.FAILED,
        MessageState.REFUSED,
        MessageState.EXPIRED,
        MessageState.CANCELLED,
    }
)


def _at(milliseconds: float | None, *, before: str = " at ") -> str:
    return "" if milliseconds is None else f"{before}{rfc3339(from_ms(milliseconds))}"
