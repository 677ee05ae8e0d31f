"""A template that asks a contact for an answer, so that content which needs an open window can follow.

One nudge for a contact, however many wait; the store sees to that, and to what becomes of them when it fails.
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.identifiers import MessageId
from shared.domain.message import MessageRequest, WhenClosed, WhenOpen
from shared.domain.routes import Hold, Refuse, Route, Rule
from shared.domain.routing import Facts
from shared.store.claims import Claim, Outcome, Settle
from shared.store.messages import Acceptance, Messages, Nudged
from workers.outcomes import settle_unsent


def is_nudging(route: Route) -> bool:
    return isinstance(route, Hold) and route.rule is Rule.NUDGED


def nudge(messages: Messages, claim: Claim, new_id: MessageId, now: datetime) -> Nudged | None:
    """Send a nudge for a claimed content, or join the one that is under way. Safe to repeat.

    None: what it was decided on has changed.
    """
    acceptance = Acceptance(message_id=new_id, app="", request=request_of(claim), wants_facts=False)
    return messages.nudge(claim.sender, claim.message_id, claim.known.versions, acceptance, now=now)


def settle_nudged(claim: Claim, facts: Facts, nudged: Nudged | None) -> Settle:
    """Content that was nudged for waits for the answer, or is refused if its nudge came to nothing.

    Whatever has changed since the nudge was written, its end included, makes it be decided anew.
    """
    if nudged is None:
        return Settle(claim=claim, outcome=Outcome.RELEASED, provider=_word(claim))
    facts = replace(facts, has_nudge_failed=nudged.by is None)
    route = Refuse(rule=Rule.NUDGE_FAILED) if nudged.by is None else Hold(rule=Rule.NUDGED)
    settle = settle_unsent(claim, route, facts, nudge=nudged.by)
    return replace(settle, versions=nudged.versions, provider=_word(claim))


def request_of(claim: Claim) -> MessageRequest:
    """The template alone, as the content asked for it."""
    return replace(
        claim.request,
        content=None,
        reply_to=None,
        when_open=WhenOpen.TEMPLATE,
        when_closed=WhenClosed.TEMPLATE,
        nudge_for=claim.message_id.value,
    )


def _word(claim: Claim) -> str:
    """Nothing is asked of a provider that is away: the turn to try goes to the next."""
    return "idle" if claim.known.is_away else ""
