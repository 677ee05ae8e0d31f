"""What a provider's answer, or a route that sends nothing, means for the message: from values to a Settle."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, assert_never

from shared.clock import duration_ms, to_ms
from shared.decision import describe
from shared.domain.halts import is_wholly_halted
from shared.domain.identifiers import MessageId
from shared.domain.provider_errors import Effects, effects_of
from shared.domain.retry import ErrorClass, GiveUp, RetryAt, next_step
from shared.domain.routes import Defer, Hold, Refuse, RouteKind, Rule
from shared.domain.routing import Facts
from shared.providers.base import Rejected, SendResult, Submitted
from shared.store.claims import Claim, Outcome, Settle
from shared.store.keys import day_group, nudge_group, sender_group, template_group, window_group

_REFUSALS: Mapping[Rule, Outcome] = {
    Rule.EXPIRED: Outcome.EXPIRED,
    Rule.NUDGE_NOT_NEEDED: Outcome.CANCELLED,
    Rule.CONFIRMATION_NOT_NEEDED: Outcome.CANCELLED,
}


def settle_unsent(
    claim: Claim, route: Hold | Defer | Refuse, facts: Facts, *, nudge: MessageId | None = None
) -> Settle:
    """A route that sends nothing. `nudge`: what asks for the answer that it waits for."""
    described = describe(route, claim.request, facts)
    match route:
        case Hold():
            of_nudge = (nudge_group(nudge),) if nudge else ()
            groups = (window_group(claim.sender.alias, claim.known.contact), *of_nudge)
            return Settle(
                claim=claim, outcome=Outcome.HELD, reason=route.rule, route=described, groups=groups
            )
        case Defer(rule=Rule.SENDER_HALTED):
            return _behind_halt(claim, facts, described)
        case Defer():
            return Settle(
                claim=claim,
                outcome=Outcome.DEFERRED,
                until=route.until or facts.now,
                reason=route.rule,
                route=described,
                groups=_groups(claim, route, facts),
            )
        case Refuse():
            outcome = _REFUSALS.get(route.rule, Outcome.REFUSED)
            return Settle(claim=claim, outcome=outcome, reason=route.rule, route=described)
        case _:
            assert_never(route)


def _behind_halt(claim: Claim, facts: Facts, described: dict[str, Any]) -> Settle:
    """Behind a halt of everything it keeps state and place: nothing is claimed until the sender is resumed.

    Halted for one kind it steps aside, so that what may leave does; the resumption or the contact wakes it.
    """
    if is_wholly_halted(claim.known.halts, facts.now):
        return Settle(claim=claim, outcome=Outcome.RELEASED, route=described)
    return Settle(
        claim=claim,
        outcome=Outcome.DEFERRED,
        until=facts.now,
        reason=Rule.SENDER_HALTED,
        route=described,
        groups=(sender_group(claim.sender.alias), window_group(claim.sender.alias, claim.known.contact)),
    )


def _groups(claim: Claim, route: Defer, facts: Facts) -> tuple[str, ...]:
    """What steps aside is woken by what changes first: a template, the day, or the contact by writing."""
    if route.rule is Rule.MESSAGING_LIMIT:
        changes = [day_group(claim.sender.alias)]
    elif route.template is not None:
        changes = [template_group(template.id) for template in facts.templates if template is not None]
    else:
        return ()
    return (*changes, window_group(claim.sender.alias, claim.known.contact))


def settle_sent(
    claim: Claim,
    result: SendResult,
    *,
    kind: RouteKind,
    now: datetime,
    grace: timedelta,
    jitter: float,
) -> Settle:
    """An attempt that was begun; `kind`: of its route."""
    match result:
        case Submitted():
            return _submitted(claim, result, now)
        case Rejected(row=row) if row.error_class is ErrorClass.TEMPLATE and kind is RouteKind.TEMPLATE:
            # The template is at fault, not the message: it is decided anew, and the template stands stopped.
            return _ended(claim, result, Outcome.DEFERRED, now, until=now)
        case _:
            return _rejected(claim, result, kind=kind, now=now, grace=grace, jitter=jitter)


def effects_on_others(settle: Settle, result: SendResult, now: datetime) -> Effects | None:
    """What an answer does beside its message; `settle` says when the message itself is tried again."""
    if not isinstance(result, Rejected):
        return None
    retry_at = settle.until if settle.outcome is Outcome.DEFERRED else None
    return effects_of(result.row, result.code, now=now, retry_after=result.retry_after, retry_at=retry_at)


#: After a failure that left nothing in doubt the next message may try soon; each doubt costs one message.
_NEXT_TRY, _NEXT_DOUBT = timedelta(seconds=5), timedelta(seconds=30)


def word_of_provider(result: SendResult, *, is_watched: bool) -> str:
    """Whether the provider answers. While nothing is wrong (not `is_watched`) it is not worth a word."""
    if isinstance(result, Rejected) and result.row.is_outage:
        is_doubt = result.row.error_class is ErrorClass.IN_DOUBT
        return f"down:{duration_ms(_NEXT_DOUBT if is_doubt else _NEXT_TRY)}:{result.code}"
    return "up" if is_watched else ""


def _submitted(claim: Claim, result: Submitted, now: datetime) -> Settle:
    ended: dict[str, Any] = {"ended_at": to_ms(now), "outcome": "submitted"}
    if result.provider_message_id:
        ended["provider_message_id"] = result.provider_message_id
    if result.provider_hold:
        ended["provider_hold"] = result.provider_hold
    return Settle(
        claim=claim,
        outcome=Outcome.SUBMITTED,
        result=ended,
        provider_message_id=result.provider_message_id or "",
    )


def _rejected(
    claim: Claim, rejected: Rejected, *, kind: RouteKind, now: datetime, grace: timedelta, jitter: float
) -> Settle:
    match rejected.row.error_class:
        case ErrorClass.WINDOW:
            return _ended(claim, rejected, Outcome.WINDOW_REFUSED, now)
        case ErrorClass.IN_DOUBT:
            return _ended(claim, rejected, Outcome.UNKNOWN, now, until=now + grace)
        case ErrorClass.HALT if not rejected.row.stops(kind):
            # It halts what the message is not: asked again at once it would say the same.
            return _retry(claim, rejected, now, jitter, at_least=_AFTER_HALT_OF_OTHERS)
        case ErrorClass.HALT:
            # The sender is at fault, not the message: it goes out once the sender is resumed.
            return _ended(claim, rejected, Outcome.DEFERRED, now, until=now)
        case ErrorClass.RETRY | ErrorClass.THROTTLE:
            return _retry(claim, rejected, now, jitter)
        case ErrorClass.TEMPLATE | ErrorClass.RECIPIENT | ErrorClass.PERMANENT:
            return _ended(claim, rejected, Outcome.FAILED, now)
        case _:
            assert_never(rejected.row.error_class)


#: For a message that met a halt of another kind than its own.
_AFTER_HALT_OF_OTHERS = timedelta(minutes=1)


def _retry(
    claim: Claim,
    rejected: Rejected,
    now: datetime,
    jitter: float,
    *,
    at_least: timedelta = timedelta(0),
) -> Settle:
    row = rejected.row
    # While the provider is down a message that tries for all of them does not use up its own tries.
    is_try = not (claim.known.is_away and row.is_outage)
    step = next_step(
        ErrorClass.THROTTLE if row.error_class is ErrorClass.HALT else row.error_class,
        tries=claim.tries + 1 if is_try else 1,
        allowed=row.tries if is_try else None,
        minimum_wait=max(row.minimum_wait, rejected.retry_after or timedelta(0), at_least),
        jitter=jitter,
        now=now,
        expires_at=claim.request.expires_at,
    )
    match step:
        case RetryAt(at):
            return _ended(claim, rejected, Outcome.DEFERRED, now, until=at, is_try=is_try)
        case GiveUp(reason):
            return _ended(claim, rejected, Outcome.FAILED, now, reason=reason)


def _ended(
    claim: Claim,
    rejected: Rejected,
    outcome: Outcome,
    now: datetime,
    *,
    until: datetime | None = None,
    reason: str = "provider_error",
    is_try: bool = False,
) -> Settle:
    error = {
        "code": rejected.code,
        "class": rejected.row.error_class,
        "detail": rejected.detail,
        "advice": rejected.row.advice,
    }
    result = {"ended_at": to_ms(now), "outcome": outcome, "error": error}
    return Settle(claim=claim, outcome=outcome, until=until, reason=reason, result=result, is_try=is_try)
