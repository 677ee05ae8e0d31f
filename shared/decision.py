"""From a claim to a route, and how a route looks when it is stored: with its rule and what was seen.

No Redis and no provider here: only the facts of a claim, the sender's settings and one reading of the clock.
"""

from datetime import datetime
from typing import Any

from shared.clock import from_ms, rfc3339, to_ms
from shared.configuration import AnySender, CmSender, Policy
from shared.domain.consent import Category
from shared.domain.halts import halted_kinds
from shared.domain.identifiers import ContactId
from shared.domain.identity import address_of
from shared.domain.limits import ceiling, day_free_at, free_at, pair_free_at
from shared.domain.message import MessageRequest
from shared.domain.routes import Defer, Route, TemplateRoute
from shared.domain.routing import Facts, TemplatePolicy
from shared.explanation import explain_route
from shared.inputs import inputs_of
from shared.store.codec import Known
from shared.store.limits import pair_limit_of, rate_of


def facts_of(known: Known, sender: AnySender, policy: Policy, now: datetime) -> Facts:
    now = _as_stored(now)
    at = to_ms(now)
    return Facts(
        now=now,
        window=known.window,
        margin=sender.window_margin,
        consent=known.consent,
        last_inbound_at=known.last_inbound_at,
        templates=known.templates,
        template_policy=TemplatePolicy(
            refused=policy.refused_categories, stop_on_change=policy.stop_on_category_change
        ),
        capped_until=known.caps,
        halted_kinds=halted_kinds(known.halts, now),
        is_number_known=any(
            name is not None and name.phone_number is not None for name in (known.contact, known.address)
        ),
        is_number_given_up=known.is_number_given_up,
        messaging_limit_until=_ahead(day_free_at(known.day, at), at),
        pair_limit_until=_ahead(pair_free_at(pair_limit_of(sender), known.burst, at), at),
        sender_limit_until=_ahead(ceiling(free_at(rate_of(sender), known.tat_ms, at)), at),
    )


def _as_stored(now: datetime) -> datetime:
    """Whole milliseconds: what is decided on what is not stored could not be replayed.

    Rounded as the scripts get them: else a limit is over for a claim and not yet for the decision.
    """
    return from_ms(to_ms(now))


def _ahead(free_at_ms: int, now_ms: int) -> datetime | None:
    """From when a limit lets the message go; None: now."""
    return from_ms(free_at_ms) if free_at_ms > now_ms else None


def addressee(request: MessageRequest, known: Known, sender: AnySender, route: Route) -> ContactId:
    """Whom the request to the provider names. CM.com and one-time codes know numbers only."""
    is_code = isinstance(route, TemplateRoute) and route.template.category is Category.AUTHENTICATION
    if known.is_number_given_up and known.address is not None:
        return known.address
    return address_of(
        request.to,
        contact=known.contact,
        proven=known.address,
        needs_number=is_code or isinstance(sender, CmSender),
    )


def describe(route: Route, request: MessageRequest, facts: Facts) -> dict[str, Any]:
    """The route as it is stored and shown. Ids, times and statuses only: no text, no number."""
    described: dict[str, Any] = {
        "kind": route.kind,
        "rule": route.rule,
        "decided_at": rfc3339(facts.now),
        "inputs": inputs_of(request, facts),
        "explanation": explain_route(route, request, facts),
    }
    if isinstance(route, TemplateRoute):
        described["template"] = f"{route.template.id.name}/{route.template.id.language}"
        described["template_version"] = route.template.version
    if isinstance(route, Defer):
        described["until"] = rfc3339(route.until) if route.until else None
        described["of"] = route.of
    return described
