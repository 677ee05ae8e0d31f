"""The decision of Finestra: session message, template, or neither, and why.

One pure function of a request, the facts and one reading of the clock; every answer names its rule. The
order of the rules is the contract's, section 7: first *what*, top to bottom, then *when*.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.domain.consent import Category, Consent
from shared.domain.message import MessageRequest, WhenClosed, WhenOpen
from shared.domain.routes import Defer, Hold, Refuse, Route, RouteKind, Rule, SessionRoute, TemplateRoute
from shared.domain.session_content import Text
from shared.domain.template_call import TemplateCall
from shared.domain.templates import Template, TemplateStatus
from shared.domain.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePolicy:
    """`refused`: categories that policy does not send; `stop_on_change`: when WhatsApp re-labels one."""

    refused: frozenset[Category] = frozenset()
    stop_on_change: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a decision looks at, as it stood at one reading of the clock."""

    now: datetime
    window: Window
    margin: timedelta
    consent: Consent = field(default_factory=Consent)
    #: The contact's newest message to any sender of the business, by event time.
    last_inbound_at: datetime | None = None
    #: Registered templates for the request's calls, in their order; None where it is unknown.
    templates: tuple[Template | None, ...] = ()
    template_policy: TemplatePolicy = field(default_factory=TemplatePolicy)
    #: Until when the contact takes no templates of a category, the provider says.
    capped_until: Mapping[Category, datetime] = field(default_factory=dict)
    halted_kinds: frozenset[RouteKind] = frozenset()
    messaging_limit_until: datetime | None = None
    pair_limit_until: datetime | None = None
    sender_limit_until: datetime | None = None
    #: A phone number of the contact is known, whatever the request names.
    is_number_known: bool = False
    #: It was the contact's before WhatsApp gave it another id, and may be somebody else's by now.
    is_number_given_up: bool = False
    #: The nudge that this content waited for came to nothing, and no other is alive.
    has_nudge_failed: bool = False


#: Verdicts on one template after which the next alternate is looked at.
_NEXT_ALTERNATE = frozenset({Rule.TEMPLATE_NOT_APPROVED, Rule.TEMPLATE_PENDING, Rule.TEMPLATE_PAUSED})


def decide(request: MessageRequest, facts: Facts) -> Route:
    """The route of the next attempt. Deterministic: the same inputs give the same route."""
    route = _decide_what(request, facts)
    if isinstance(route, SessionRoute | TemplateRoute):
        return _decide_when(route, facts)
    return route


def _decide_what(request: MessageRequest, facts: Facts) -> Route:
    if facts.now >= request.expires_at:
        return Refuse(rule=Rule.EXPIRED)
    if request.confirms_opt_out_at is not None:
        return _confirm(request, request.confirms_opt_out_at, facts)
    if _is_opted_out(request.category, facts):
        return Refuse(rule=Rule.OPTED_OUT)
    is_usable = facts.window.is_open_for(facts.margin, facts.now)
    if is_usable and request.nudge_for is not None:
        return Refuse(rule=Rule.NUDGE_NOT_NEEDED)
    if is_usable and request.when_open is WhenOpen.SESSION:
        session = _session(request, facts)
        if session is not None:
            return session
    waited = None if is_usable else _before_any_template(request, facts)
    if waited is not None:
        return waited
    if not request.templates:
        return Refuse(rule=Rule.WINDOW_CLOSED_NO_TEMPLATE)
    return _choose_template(request, facts)


def _before_any_template(request: MessageRequest, facts: Facts) -> Route | None:
    """What the request asks for while the window is not open."""
    match request.when_closed:
        case WhenClosed.WAIT:
            return Hold(rule=Rule.WAITING_FOR_WINDOW)
        case WhenClosed.NUDGE:
            return Refuse(rule=Rule.NUDGE_FAILED) if facts.has_nudge_failed else Hold(rule=Rule.NUDGED)
        case WhenClosed.REFUSE:
            return Refuse(rule=Rule.WINDOW_CLOSED)
        case WhenClosed.TEMPLATE:
            return None
        case _:
            assert_never(request.when_closed)


def _is_opted_out(category: Category, facts: Facts) -> bool:
    """An opt-out stands until the contact writes again: answering them is not writing first."""
    opted_out_at = facts.consent.opted_out_at(category)
    if opted_out_at is None:
        return False
    # Opt-outs are known to the second, and the message that asked for it has not been written since.
    written_at = facts.last_inbound_at
    return written_at is None or written_at.replace(microsecond=0) <= opted_out_at


def _confirm(request: MessageRequest, opted_out_at: datetime, facts: Facts) -> Route:
    """Inside the window only, and while an opt-out is the contact's last word."""
    standing = facts.consent.opted_out_at(request.category)
    if standing is None or standing < opted_out_at:
        return Refuse(rule=Rule.CONFIRMATION_NOT_NEEDED)
    session = _session(request, facts) if facts.window.is_open_for(facts.margin, facts.now) else None
    if session is None:
        return Refuse(rule=Rule.WINDOW_CLOSED)
    return replace(session, rule=Rule.OPT_OUT_CONFIRMATION)


def _session(request: MessageRequest, facts: Facts) -> SessionRoute | None:
    content = request.content or _template_as_text(request, facts)
    if content is None or facts.window.expires_at is None:
        return None
    end = facts.window.expires_at - facts.margin
    return SessionRoute(rule=Rule.WINDOW_OPEN, content=content, reply_to=request.reply_to, begin_before=end)


def _template_as_text(request: MessageRequest, facts: Facts) -> Text | None:
    """A request with only a template: in an open window a text-only utility template can go as text."""
    if not request.templates or facts.templates[0] is None:
        return None
    # Only the first: alternates are for when it cannot go.
    text = facts.templates[0].as_session_text(request.templates[0])
    return None if text is None else Text(text)


def _choose_template(request: MessageRequest, facts: Facts) -> Route:
    """The first template that can go; else the wait for one, else why the first cannot."""
    verdicts: list[Route] = []
    for call, template in zip(request.templates, facts.templates, strict=True):
        verdict = _judge_template(call, template, request, facts)
        if verdict.rule not in _NEXT_ALTERNATE:
            return verdict
        verdicts.append(verdict)
    waits = [verdict for verdict in verdicts if isinstance(verdict, Defer)]
    return waits[0] if waits else verdicts[0]


def _judge_template(
    call: TemplateCall, template: Template | None, request: MessageRequest, facts: Facts
) -> Route:
    refusal = _refusal_of(call, template, request, facts)
    if refusal is not None or template is None:
        return Refuse(rule=refusal or Rule.TEMPLATE_NOT_APPROVED)
    if template.status is TemplateStatus.SUBMITTED:
        return Defer(rule=Rule.TEMPLATE_PENDING, template=template)
    if template.status is TemplateStatus.PAUSED:
        return Defer(rule=Rule.TEMPLATE_PAUSED, template=template)
    return TemplateRoute(rule=_why_template(facts), call=call, template=template)


_UNUSABLE = frozenset(
    {TemplateStatus.DRAFT, TemplateStatus.REJECTED, TemplateStatus.DISABLED, TemplateStatus.ARCHIVED}
)


def _refusal_of(
    call: TemplateCall, template: Template | None, request: MessageRequest, facts: Facts
) -> Rule | None:
    if template is None or template.status in _UNUSABLE:
        return Rule.TEMPLATE_NOT_APPROVED
    if not call.fits(template):
        return Rule.TEMPLATE_MISMATCH
    policy = facts.template_policy
    if template.category in policy.refused or (policy.stop_on_change and template.is_category_changed):
        return Rule.TEMPLATE_CATEGORY_REFUSED
    if not facts.consent.is_opted_in(template.category):
        is_out = facts.consent.opted_out_at(template.category) is not None
        return Rule.OPTED_OUT if is_out else Rule.NO_OPT_IN
    if template.category is Category.AUTHENTICATION and not _has_number(request, facts):
        return Rule.PHONE_NUMBER_REQUIRED
    if _is_ahead(facts.capped_until.get(template.category), facts.now):
        return Rule.RECIPIENT_CAPPED
    return None


def _has_number(request: MessageRequest, facts: Facts) -> bool:
    if facts.is_number_given_up:
        return False
    return facts.is_number_known or request.to.phone_number is not None


def _why_template(facts: Facts) -> Rule:
    if facts.window.is_open_for(facts.margin, facts.now):
        return Rule.TEMPLATE_PREFERRED
    if facts.window.is_open(facts.now):
        return Rule.WINDOW_CLOSING
    return Rule.WINDOW_CLOSED


def _decide_when(route: SessionRoute | TemplateRoute, facts: Facts) -> Route:
    if route.kind in facts.halted_kinds:
        return Defer(rule=Rule.SENDER_HALTED, of=route.rule)
    # The daily limit counts contacts outside windows; what goes inside one, templates too, is free of it.
    is_outside = not facts.window.is_open_for(facts.margin, facts.now)
    if is_outside and _is_ahead(facts.messaging_limit_until, facts.now):
        return Defer(rule=Rule.MESSAGING_LIMIT, until=facts.messaging_limit_until, of=route.rule)
    if _is_ahead(facts.pair_limit_until, facts.now):
        return Defer(rule=Rule.PAIR_LIMIT, until=facts.pair_limit_until, of=route.rule)
    if _is_ahead(facts.sender_limit_until, facts.now):
        return Defer(rule=Rule.SENDER_LIMIT, until=facts.sender_limit_until, of=route.rule)
    return route


def _is_ahead(time: datetime | None, now: datetime) -> bool:
    return time is not None and now < time
