"""From a claim to a route, and how a route looks when it is stored: with its rule and what was seen.

No Redis and no provider here: only the facts of a claim, the sender's settings and one reading of the clock.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.clock import rfc3339
from shared.configuration import AnySender, CmSender, Policy
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.identity import address_of
from shared.domain.message import MessageRequest
from shared.domain.routing import (
    EXPLANATIONS,
    Defer,
    Facts,
    Route,
    RouteKind,
    TemplatePolicy,
    TemplateRoute,
)
from shared.store.codec import Known

_ALL_KINDS = frozenset({RouteKind.SESSION, RouteKind.TEMPLATE})


def facts_of(known: Known, sender: AnySender, policy: Policy, now: datetime) -> Facts:
    return Facts(
        now=now,
        window=known.window,
        margin=sender.window_margin,
        consent=known.consent,
        last_inbound_at=known.last_inbound_at,
        templates=known.templates,
        template_policy=TemplatePolicy(stop_on_change=policy.stop_on_category_change),
        halted_kinds=_ALL_KINDS if known.halted else frozenset(),
        is_number_known=any(
            name is not None and name.phone_number is not None for name in (known.contact, known.address)
        ),
        is_number_given_up=known.is_number_given_up,
    )


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
        "inputs": _inputs(request, facts),
        "explanation": explain(route, facts),
    }
    if isinstance(route, TemplateRoute):
        described["template"] = f"{route.template.id.name}/{route.template.id.language}"
    if isinstance(route, Defer):
        described["until"] = rfc3339(route.until) if route.until else None
        described["of"] = route.of
    return described


def explain(route: Route, facts: Facts) -> str:
    """Why, in a sentence that a tired human understands."""
    sentence = EXPLANATIONS[route.rule]
    window = facts.window
    if window.expires_at is None:
        return f"{sentence} The contact has not written to this sender in that time."
    if window.is_open(facts.now):
        return f"{sentence} The window closes at {rfc3339(window.expires_at)}."
    if window.refused_at is not None and facts.now < window.expires_at:
        return f"{sentence} The provider said so of the attempt that began at {rfc3339(window.refused_at)}."
    return f"{sentence} The window closed at {rfc3339(window.expires_at)}."


def _inputs(request: MessageRequest, facts: Facts) -> dict[str, Any]:
    window, consent = facts.window, facts.consent
    return {
        "window": {
            "open": window.is_open(facts.now),
            "last_inbound_at": _time(window.last_inbound_at),
            "expires_at": _time(window.expires_at),
            "refused_at": _time(window.refused_at),
            "margin_seconds": facts.margin.total_seconds(),
        },
        "consent": {
            category: {"status": record.status, "at": rfc3339(record.at)}
            for category, record in consent.records.items()
        },
        "last_inbound_at": _time(facts.last_inbound_at),
        "templates": [_template(facts, index) for index in range(len(request.templates))],
        "sender": {"halted": sorted(facts.halted_kinds)},
        "category": request.category,
        "when_open": request.when_open,
        "when_closed": request.when_closed,
    }


def _template(facts: Facts, index: int) -> Mapping[str, Any] | None:
    template = facts.templates[index]
    if template is None:
        return None
    return {
        "name": template.id.name,
        "language": template.id.language,
        "status": template.status,
        "category": template.category,
        "gates": dict(template.gates),
    }


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
