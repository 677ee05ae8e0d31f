"""What goes to a sender's lanes and what comes back: claims, begins, settles and their answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.configuration import AnySender
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.message import MessageRequest
from shared.store.codec import Known


class Outcome(StrEnum):
    """How a claim ended."""

    SUBMITTED = "submitted"
    FAILED = "failed"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DEFERRED = "deferred"
    HELD = "held"
    UNKNOWN = "unknown"
    #: The provider says that the window is closed: to be decided anew, once.
    WINDOW_REFUSED = "window_refused"
    #: Given back unbegun.
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One message in hand."""

    sender: AnySender
    message_id: MessageId
    fence: str
    contact: ContactId
    request: MessageRequest
    attempts: int
    #: Attempts that ended with an error that may pass.
    tries: int
    window_refusals: int
    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    claims: tuple[Claim, ...]
    #: How many were ended because three claims in a row led to nothing.
    internal_errors: int
    #: Ids of messages that this version cannot read.
    unreadable: tuple[str, ...]
    #: More is due than the sender's rate lets go.
    is_limited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    claim: Claim
    #: Makes the begin safe to repeat: the same nonce gets the same answer.
    nonce: str
    versions: str
    decided_at: datetime
    #: The last instant at which it may leave.
    begin_before: datetime
    #: It goes outside the contact's window, which the daily limit counts.
    is_outside_window: bool = False
    #: What the message will show of this attempt.
    attempt: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    claim: Claim
    outcome: Outcome
    until: datetime | None = None
    reason: str = ""
    result: dict[str, Any] | None = field(default=None, repr=False)
    route: dict[str, Any] | None = field(default=None, repr=False)
    provider_message_id: str = ""
    #: The groups that wake it (store/keys.py), for what is held or waits for a template.
    groups: tuple[str, ...] = ()
    is_try: bool = False
    #: What a route that sends nothing was decided on: settled only if it still stands.
    versions: str = ""
    #: What an error does to others (store/effects.py).
    effects: Mapping[str, Any] | None = field(default=None, repr=False)
    #: What the answer says of the provider, as `note_answer` of lua/parts/gates.lua takes it.
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Go:
    attempt: int


@dataclass(frozen=True, slots=True)
class Changed:
    """What was decided on has changed, a limit is used up, or time has run out: decide again on this."""

    known: Known


@dataclass(frozen=True, slots=True)
class Lost:
    """The claim is no longer ours; somebody else has it, or it is settled."""


@dataclass(frozen=True, slots=True)
class Limited:
    """The sender has been paused, or its provider has gone away; the message waits in its lane."""


BeginAnswer = Go | Changed | Lost | Limited


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one round trip of settles and begins brought."""

    #: A settled contact has more to do now.
    has_more: bool
    answers: tuple[BeginAnswer, ...]
    #: `opened` or `closed`: the circuit is so since one of these settles.
    circuit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticked:
    must_ring: bool
    requeued: int
    doubts: int
    #: What is due waits for the sender's rate.
    is_limited: bool
