"""What would happen to a message now, and what would change it: decided again on facts changed one by one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.clock import rfc3339
from shared.configuration import AnySender, Policy
from shared.decision import addressee, describe, facts_of
from shared.deps import Deps
from shared.domain.consent import Category, ConsentRecord, ConsentStatus
from shared.domain.identifiers import AttemptReference, ContactId, MessageId
from shared.domain.lint import PromotionalContent
from shared.domain.lint.wording import promotion_in
from shared.domain.message import MessageRequest
from shared.domain.routes import Route, SessionRoute, TemplateRoute
from shared.domain.routing import Facts, decide
from shared.domain.session_content import Text
from shared.domain.templates import Approval, Gate, Template, TemplateStatus
from shared.domain.window import Window
from shared.providers.base import Outgoing
from shared.store.codec import Known

#: No message has it: what is shown was never accepted.
_PLACEHOLDER = AttemptReference(MessageId.from_ulid("0" * 26), 1)


def dry_run(
    deps: Deps, sender: AnySender, request: MessageRequest, known: Known, now: datetime
) -> dict[str, Any]:
    facts = facts_of(known, sender, deps.settings.configuration.policy, now)
    route = decide(request, facts)
    return {
        "route": describe(route, request, facts),
        "request": _rendered(deps, sender, request, addressee(request, known, sender, route), route),
        "would_change": list(would_change(request, facts, route)),
        "warnings": list(warnings_of(request, deps.settings.configuration.policy)),
    }


def warnings_of(request: MessageRequest, policy: Policy) -> Iterator[str]:
    """A session text is at most warned about, and only here: reading costs a tenth of accepting."""
    if policy.promotional_content is PromotionalContent.ALLOW or not isinstance(request.content, Text):
        return
    for each in promotion_in(request.content.body, policy.languages):
        yield f"The text promotes, {each.words!r}: {each.reason}."


def would_change(request: MessageRequest, facts: Facts, route: Route) -> Iterator[str]:
    """A sentence for each single change after which the route would be another."""
    for condition, changed in _hypotheses(request, facts):
        other = decide(request, changed)
        if (other.kind, other.rule) != (route.kind, route.rule):
            yield f"{condition}: {other.kind} ({other.rule})."


def _rendered(
    deps: Deps, sender: AnySender, request: MessageRequest, to: ContactId, route: Route
) -> dict[str, Any] | None:
    """The provider's request without its headers: they carry the token."""
    if not isinstance(route, SessionRoute | TemplateRoute):
        return None
    outgoing = Outgoing(reference=_PLACEHOLDER, to=to, route=route, expires_at=request.expires_at)
    call = deps.providers[sender.alias].build_call([outgoing])
    return {"url": call.url, "json": dict(call.json)}


def _hypotheses(request: MessageRequest, facts: Facts) -> Iterator[tuple[str, Facts]]:
    now, window = facts.now, facts.window
    if window.expires_at is not None and window.is_open(now):
        closing = window.expires_at - facts.margin
        closed = replace(facts, window=Window(length=window.length))
        yield f"When the window is about to close, at {rfc3339(max(closing, now))}", closed
    opened = Window(last_inbound_at=now, length=window.length)
    yield "If the contact writes", replace(facts, window=opened, last_inbound_at=now)
    for category in _categories(request, facts):
        yield from _with_other_consent(category, facts)
    if facts.halted_kinds:
        yield "If the sender is resumed", replace(facts, halted_kinds=frozenset())
    yield from _without_each_limit(facts)
    for index, template in enumerate(facts.templates):
        if template is not None and template.status is not TemplateStatus.APPROVED:
            yield _approval_of(template), _with_template(facts, index, _approved(template))


def _without_each_limit(facts: Facts) -> Iterator[tuple[str, Facts]]:
    day, pair, sender = facts.messaging_limit_until, facts.pair_limit_until, facts.sender_limit_until
    if day is not None:
        condition = f"When the day has room for one more contact, at {rfc3339(day)}"
        yield condition, replace(facts, messaging_limit_until=None)
    if pair is not None:
        condition = f"When the contact may be sent to again, at {rfc3339(pair)}"
        yield condition, replace(facts, pair_limit_until=None)
    if sender is not None:
        condition = f"When the sender's throughput allows, at {rfc3339(sender)}"
        yield condition, replace(facts, sender_limit_until=None)


def _categories(request: MessageRequest, facts: Facts) -> list[Category]:
    templates = [template.category for template in facts.templates if template is not None]
    return list(dict.fromkeys([request.category, *templates]))


def _with_other_consent(category: Category, facts: Facts) -> Iterator[tuple[str, Facts]]:
    if not facts.consent.is_opted_in(category):
        yield f"If the contact opts in to {category}", _with_consent(category, ConsentStatus.OPTED_IN, facts)
    if facts.consent.opted_out_at(category) is None:
        yield (
            f"If the contact opts out of {category}",
            _with_consent(category, ConsentStatus.OPTED_OUT, facts),
        )


def _with_consent(category: Category, status: ConsentStatus, facts: Facts) -> Facts:
    record = ConsentRecord(status=status, at=facts.now, source="dry run")
    records = {**facts.consent.records, category: record}
    return replace(facts, consent=replace(facts.consent, records=records))


def _approval_of(template: Template) -> str:
    return f"If the template {template.id.name}/{template.id.language} is approved"


def _approved(template: Template) -> Template:
    return replace(template, gates=dict.fromkeys(Gate, Approval.APPROVED), stopped=None)


def _with_template(facts: Facts, index: int, template: Template) -> Facts:
    templates = (*facts.templates[:index], template, *facts.templates[index + 1 :])
    return replace(facts, templates=templates)
