"""Why a message goes the way it goes, as one decision saw it, in a sentence that a human understands.

For tired people: every rule has its sentence, with the times and statuses that made it so.
Ids, times, rules and codes only: no text of a message and no number.
"""

from collections.abc import Callable, Mapping

from shared.clock import rfc3339
from shared.domain.message import MessageRequest
from shared.domain.routes import Defer, Refuse, Route, Rule, TemplateRoute
from shared.domain.routing import Facts

_Detail = Callable[[Route, MessageRequest, Facts], str]


#: A sentence for people, by rule. A test holds that none is missing.
EXPLANATIONS: Mapping[Rule, str] = {
    Rule.EXPIRED: "Its time had passed before it could be sent.",
    Rule.OPTED_OUT: "The contact opted out of this category and has not written since.",
    Rule.OPT_OUT_CONFIRMATION: "It confirms that the contact opted out, once, inside the open window.",
    Rule.CONFIRMATION_NOT_NEEDED: "The contact agreed again before the confirmation of its opt-out had left.",
    Rule.WINDOW_OPEN: "The customer service window was open with enough time left for a session message.",
    Rule.WAITING_FOR_WINDOW: "The window was not open; the request asked to wait until the contact writes.",
    Rule.NUDGED: "The window was not open; a template asks the contact to answer, and this goes after that.",
    Rule.NUDGE_FAILED: "The template that was to ask the contact for an answer came to nothing.",
    Rule.NUDGE_NOT_NEEDED: "The contact wrote before the template that was to ask for an answer had left.",
    Rule.WINDOW_CLOSED: "The customer service window was closed.",
    Rule.WINDOW_CLOSED_NO_TEMPLATE: "The window was not open and there is no template to send instead.",
    Rule.TEMPLATE_NOT_APPROVED: "The template is not registered or lacks an approval.",
    Rule.TEMPLATE_MISMATCH: "The request's variables no longer fit the template.",
    Rule.TEMPLATE_CATEGORY_REFUSED: "The template's category has been changed or is refused by policy.",
    Rule.NO_OPT_IN: "The contact has given no opt-in for the template's category.",
    Rule.PHONE_NUMBER_REQUIRED: "Authentication templates need a phone number, and only an id is known.",
    Rule.RECIPIENT_CAPPED: "The provider takes no such message for this contact for now.",
    Rule.TEMPLATE_PENDING: "The template still waits for its approval.",
    Rule.TEMPLATE_PAUSED: "The template is paused.",
    Rule.WINDOW_CLOSING: "The window was about to close, so the template went instead of the text.",
    Rule.TEMPLATE_PREFERRED: "The window was open, but a template was asked for or nothing else may go.",
    Rule.SENDER_HALTED: "The sender is halted.",
    Rule.MESSAGING_LIMIT: "The daily limit of contacts outside their windows is used up.",
    Rule.PAIR_LIMIT: "The contact has just been sent to; WhatsApp limits the pace for one contact.",
    Rule.SENDER_LIMIT: "The sender's throughput is used up for the moment.",
}


def explain_route(route: Route, request: MessageRequest, facts: Facts) -> str:
    """Why it is so, with what was seen: the rule's sentence, its details, then the window."""
    sentences = [EXPLANATIONS[route.rule], _DETAILS.get(route.rule, _no_detail)(route, request, facts)]
    if isinstance(route, Defer) and route.until is not None:
        sentences.append(f"It is looked at again at {rfc3339(route.until)}.")
    sentences.append(_window(facts))
    return " ".join(sentence for sentence in sentences if sentence)


def _no_detail(_route: Route, _request: MessageRequest, _facts: Facts) -> str:
    return ""


def _expired(_route: Route, request: MessageRequest, _facts: Facts) -> str:
    return f"It was to be sent before {rfc3339(request.expires_at)}."


def _held(_route: Route, request: MessageRequest, _facts: Facts) -> str:
    return f"It expires at {rfc3339(request.expires_at)} if the contact does not."


def _opted_out(_route: Route, request: MessageRequest, facts: Facts) -> str:
    categories = dict.fromkeys([request.category, *(t.category for t in facts.templates if t is not None)])
    outs = [
        f"{category} at {rfc3339(at)}"
        for category in categories
        if (at := facts.consent.opted_out_at(category))
    ]
    return f"Opted out of {', '.join(outs)}." if outs else ""


def _window_closed(route: Route, _request: MessageRequest, _facts: Facts) -> str:
    if isinstance(route, Refuse):
        return "The request asked for nothing to be sent then."
    return _sent_template(route)


def _sent_template(route: Route, *_: object) -> str:
    if not isinstance(route, TemplateRoute):
        return ""
    return f"The template {route.template.id.name}/{route.template.id.language} goes."


def _asked_templates(_route: Route, request: MessageRequest, facts: Facts) -> str:
    """How each template stands that was asked for."""
    standings = []
    for call, template in zip(request.templates, facts.templates, strict=True):
        standing = "is not registered" if template is None else f"is {template.status}"
        standings.append(f"{call.name}/{call.language} {standing}")
    return f"{'; '.join(standings)}." if standings else ""


def _categories(_route: Route, _request: MessageRequest, facts: Facts) -> str:
    return " ".join(
        f"{template.id.name}/{template.id.language} was registered as {template.original_category}, "
        f"and WhatsApp has it as {template.category}."
        for template in facts.templates
        if template is not None and template.is_category_changed
    )


def _needed_opt_ins(_route: Route, _request: MessageRequest, facts: Facts) -> str:
    needed = dict.fromkeys(template.category for template in facts.templates if template is not None)
    missing = [category for category in needed if not facts.consent.is_opted_in(category)]
    return f"It needs an opt-in to {', '.join(missing)}." if missing else ""


def _capped(_route: Route, _request: MessageRequest, facts: Facts) -> str:
    """The provider's caps on what was asked for."""
    categories = dict.fromkeys(template.category for template in facts.templates if template is not None)
    ends = [
        f"{category} until {rfc3339(until)}"
        for category in categories
        if (until := facts.capped_until.get(category)) is not None
    ]
    return f"It takes no {', no '.join(ends)}." if ends else ""


def _halted(_route: Route, _request: MessageRequest, facts: Facts) -> str:
    kinds = "everything" if len(facts.halted_kinds) > 1 else f"{next(iter(facts.halted_kinds))} messages"
    return f"It is halted for {kinds} and goes on when it is resumed."


_DETAILS: Mapping[Rule, _Detail] = {
    Rule.EXPIRED: _expired,
    Rule.OPTED_OUT: _opted_out,
    Rule.WAITING_FOR_WINDOW: _held,
    Rule.NUDGED: _held,
    Rule.WINDOW_CLOSED: _window_closed,
    Rule.TEMPLATE_NOT_APPROVED: _asked_templates,
    Rule.TEMPLATE_MISMATCH: _asked_templates,
    Rule.TEMPLATE_CATEGORY_REFUSED: _categories,
    Rule.NO_OPT_IN: _needed_opt_ins,
    Rule.RECIPIENT_CAPPED: _capped,
    Rule.TEMPLATE_PENDING: _asked_templates,
    Rule.TEMPLATE_PAUSED: _asked_templates,
    Rule.WINDOW_CLOSING: _sent_template,
    Rule.TEMPLATE_PREFERRED: _sent_template,
    Rule.SENDER_HALTED: _halted,
}


def _window(facts: Facts) -> str:
    window = facts.window
    if window.expires_at is None:
        return "This sender knows of no message of the contact that would open a window."
    if window.is_open(facts.now):
        return f"The window closes at {rfc3339(window.expires_at)}."
    if window.refused_at is not None and facts.now < window.expires_at:
        return f"The provider said so of the attempt that began at {rfc3339(window.refused_at)}."
    return f"The window closed at {rfc3339(window.expires_at)}."
