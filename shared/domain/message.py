"""The life of an outbound message: what was asked, its states, and the one table of moves between them.

Providers' statuses only move forward; `unknown` stands for an attempt whose outcome nobody knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.session_content import SessionContent
from shared.domain.template_call import TemplateCall


class MessageState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SUBMITTED = "submitted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    #: Waits for the contact to write.
    HELD = "held"
    #: Waits for a time, or for somebody: a retry, a limit, a template's approval.
    DEFERRED = "deferred"
    #: The outcome of an attempt is in doubt.
    UNKNOWN = "unknown"
    FAILED = "failed"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_STATUSES = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.READ, MessageState.PLAYED})
#: Proof that the contact has it, whatever we were told before.
_ARRIVED = frozenset({MessageState.DELIVERED, MessageState.READ, MessageState.PLAYED})
_WAITING = frozenset({MessageState.QUEUED, MessageState.HELD, MessageState.DEFERRED})
_STOPS = frozenset({MessageState.REFUSED, MessageState.EXPIRED, MessageState.CANCELLED, MessageState.FAILED})

#: From each state, where a message may go. `queued` after `submitted` is a window refused late, `deferred` an
#: error that came late and may pass.
TRANSITIONS: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.QUEUED: _WAITING | _STOPS | _ARRIVED | {MessageState.SENDING},
    MessageState.HELD: _WAITING | _STOPS | _ARRIVED | {MessageState.SENDING},
    MessageState.DEFERRED: _WAITING | _STOPS | _ARRIVED | {MessageState.SENDING},
    MessageState.SENDING: _STATUSES
    | {
        MessageState.SUBMITTED,
        MessageState.UNKNOWN,
        MessageState.QUEUED,
        MessageState.DEFERRED,
        MessageState.FAILED,
    },
    MessageState.UNKNOWN: _STATUSES
    | {MessageState.SUBMITTED, MessageState.SENDING, MessageState.QUEUED, MessageState.DEFERRED}
    | _STOPS,
    MessageState.SUBMITTED: _STATUSES | {MessageState.FAILED, MessageState.QUEUED, MessageState.DEFERRED},
    MessageState.SENT: frozenset(
        {
            MessageState.DELIVERED,
            MessageState.READ,
            MessageState.PLAYED,
            MessageState.FAILED,
            MessageState.QUEUED,
            MessageState.DEFERRED,
        }
    ),
    MessageState.DELIVERED: frozenset({MessageState.READ, MessageState.PLAYED}),
    MessageState.READ: frozenset({MessageState.PLAYED}),
    MessageState.PLAYED: frozenset(),
    # Several devices may report both: `delivered` wins (Meta, "Support", read 2025-11).
    MessageState.FAILED: frozenset({MessageState.DELIVERED, MessageState.READ, MessageState.PLAYED}),
    MessageState.REFUSED: frozenset(),
    MessageState.EXPIRED: frozenset(),
    MessageState.CANCELLED: frozenset(),
}

#: What a person may do besides: stop what has not left, send again what ended badly, say how a doubt ended.
BY_HAND: Mapping[MessageState, frozenset[MessageState]] = {
    **dict.fromkeys(_WAITING, frozenset({MessageState.CANCELLED})),
    MessageState.FAILED: frozenset({MessageState.QUEUED}),
    MessageState.REFUSED: frozenset({MessageState.QUEUED}),
    MessageState.EXPIRED: frozenset({MessageState.QUEUED}),
    MessageState.UNKNOWN: frozenset(
        {MessageState.QUEUED, MessageState.SUBMITTED, MessageState.DELIVERED, MessageState.FAILED}
    ),
}

#: What on-call looks at: it did not go, or nobody knows.
DEAD = frozenset({MessageState.FAILED, MessageState.REFUSED, MessageState.UNKNOWN, MessageState.EXPIRED})

#: States in which an attempt stands whose fate a provider's status may still tell.
AWAITING_STATUS = frozenset(
    {MessageState.SENDING, MessageState.UNKNOWN, MessageState.SUBMITTED, MessageState.FAILED}
) | (_STATUSES - {MessageState.PLAYED})


def after_status(state: MessageState, reported: MessageState) -> MessageState | None:
    """The state after the provider reported `reported` about the current attempt; None: nothing moves."""
    if state in _WAITING:  # between two tries
        return reported if reported in _ARRIVED else None
    if state not in AWAITING_STATUS or reported not in TRANSITIONS[state]:
        return None
    return reported


class Priority(IntEnum):
    """Lower goes first; the numbers are part of the order stored in Redis."""

    HIGH = 0
    NORMAL = 1
    BULK = 2


class WhenOpen(StrEnum):
    SESSION = "session"
    TEMPLATE = "template"


class WhenClosed(StrEnum):
    TEMPLATE = "template"
    WAIT = "wait"
    #: Send the template so that the contact answers, and the content after that.
    NUDGE = "nudge"
    REFUSE = "refuse"


class InDoubt(StrEnum):
    """What to do with an attempt whose outcome nobody knows once its grace is over."""

    HOLD = "hold"
    RESEND = "resend"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRequest:
    """What an app asked for, validated. At least one of `content` and `templates` is there."""

    to: ContactId
    sender: str
    #: Free-form, for an open window.
    content: SessionContent | None = None
    #: WhatsApp's id, `wamid.…`, of the message that `content` quotes.
    reply_to: str | None = None
    #: The template and its alternates, in order; empty when there is none.
    templates: tuple[TemplateCall, ...] = ()
    category: Category = Category.UTILITY
    when_open: WhenOpen = WhenOpen.SESSION
    when_closed: WhenClosed = WhenClosed.TEMPLATE
    priority: Priority = Priority.NORMAL
    in_doubt: InDoubt = InDoubt.HOLD
    reference: str | None = None
    #: A nudge: the id of the content that waits for its answer.
    nudge_for: str | None = None
    #: The one confirmation of the opt-out of that time, in whole seconds.
    confirms_opt_out_at: datetime | None = None
    expires_at: datetime
