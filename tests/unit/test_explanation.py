"""Every rule has its sentence, with what was seen: the time, the template, the consent that made it so."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from shared.domain.consent import Category, Consent
from shared.domain.identifiers import ContactId
from shared.domain.message import WhenClosed, WhenOpen
from shared.domain.routes import RouteKind, Rule
from shared.domain.routing import Facts, TemplatePolicy, decide
from shared.domain.templates import Approval, Gate, TemplateStatus
from shared.domain.window import CLOSED, Window
from shared.explanation import EXPLANATIONS, explain_route
from tests.builders import BOTH_APPROVED, DAY, NOW, call, opt_in, opt_out, request, template
from tests.unit.domain.strategies import MINUTE, NAMELESS, decisions

SECOND = timedelta(seconds=1)
OPEN = Window(last_inbound_at=NOW - SECOND)
CLOSING = Window(last_inbound_at=NOW - DAY + SECOND)
CODE = template(category=Category.AUTHENTICATION, original_category=Category.AUTHENTICATION)
IN_ALL = Consent(dict.fromkeys(Category, opt_in()))

#: By rule: the request, what was seen, and what the sentence must say of it.
CASES = {
    Rule.EXPIRED: ({"expires_at": NOW}, {}, "before 2086-11-22T12:00:00.000Z"),
    Rule.OPTED_OUT: (
        {},
        {"consent": Consent({Category.UTILITY: opt_out()})},
        "Opted out of utility at 2086-11-22T12:00:00.000Z.",
    ),
    Rule.OPT_OUT_CONFIRMATION: (
        {"confirms_opt_out_at": NOW},
        {"window": OPEN, "consent": Consent({Category.UTILITY: opt_out()})},
        "The window closes at",
    ),
    Rule.CONFIRMATION_NOT_NEEDED: ({"confirms_opt_out_at": NOW}, {}, "agreed again"),
    Rule.WINDOW_OPEN: ({}, {"window": OPEN}, "The window closes at 2086-11-23T11:59:59.000Z."),
    Rule.WAITING_FOR_WINDOW: (
        {"when_closed": WhenClosed.WAIT},
        {},
        "It expires at 2086-11-23T12:00:00.000Z if the contact does not.",
    ),
    Rule.NUDGED: (
        {"when_closed": WhenClosed.NUDGE},
        {},
        "It expires at 2086-11-23T12:00:00.000Z if the contact does not.",
    ),
    Rule.NUDGE_FAILED: ({"when_closed": WhenClosed.NUDGE}, {"has_nudge_failed": True}, "came to nothing"),
    Rule.NUDGE_NOT_NEEDED: ({"nudge_for": "msg_0"}, {"window": OPEN}, "The window closes at"),
    Rule.WINDOW_CLOSED: ({}, {}, "The template ordine_pronto/it goes."),
    Rule.WINDOW_CLOSED_NO_TEMPLATE: ({"templates": ()}, {"templates": ()}, "there is no template"),
    Rule.TEMPLATE_NOT_APPROVED: ({}, {"templates": (None,)}, "ordine_pronto/it is not registered."),
    Rule.TEMPLATE_MISMATCH: (
        {"templates": (call(values={"1": "Anna"}),)},
        {},
        "ordine_pronto/it is approved.",
    ),
    Rule.TEMPLATE_CATEGORY_REFUSED: (
        {},
        {"templates": (template(category=Category.MARKETING),)},
        "ordine_pronto/it was registered as utility, and WhatsApp has it as marketing.",
    ),
    Rule.NO_OPT_IN: ({}, {"consent": Consent()}, "It needs an opt-in to utility."),
    Rule.PHONE_NUMBER_REQUIRED: ({"to": NAMELESS}, {"templates": (CODE,)}, "only an id is known"),
    Rule.RECIPIENT_CAPPED: (
        {},
        {"capped_until": {Category.UTILITY: NOW + MINUTE}},
        "It takes no utility until 2086-11-22T12:01:00.000Z.",
    ),
    Rule.TEMPLATE_PENDING: (
        {},
        {"templates": (template(gates={**BOTH_APPROVED, Gate.WHATSAPP: Approval.PENDING}),)},
        "ordine_pronto/it is submitted.",
    ),
    Rule.TEMPLATE_PAUSED: (
        {},
        {"templates": (template(stopped=TemplateStatus.PAUSED),)},
        "ordine_pronto/it is paused.",
    ),
    Rule.WINDOW_CLOSING: ({}, {"window": CLOSING}, "The template ordine_pronto/it goes."),
    Rule.TEMPLATE_PREFERRED: (
        {"when_open": WhenOpen.TEMPLATE},
        {"window": OPEN},
        "The template ordine_pronto/it goes.",
    ),
    Rule.SENDER_HALTED: (
        {},
        {"halted_kinds": frozenset({RouteKind.TEMPLATE})},
        "halted for template messages and goes on when it is resumed.",
    ),
    Rule.MESSAGING_LIMIT: (
        {},
        {"messaging_limit_until": NOW + MINUTE},
        "looked at again at 2086-11-22T12:01:00.000Z.",
    ),
    Rule.PAIR_LIMIT: ({}, {"pair_limit_until": NOW + MINUTE}, "looked at again at 2086-11-22T12:01:00.000Z."),
    Rule.SENDER_LIMIT: (
        {},
        {"sender_limit_until": NOW + MINUTE},
        "looked at again at 2086-11-22T12:01:00.000Z.",
    ),
}


def facts(**changes: object) -> Facts:
    values = {"now": NOW, "window": CLOSED, "margin": MINUTE, "consent": IN_ALL, "templates": (template(),)}
    return Facts(**{**values, **changes})


def test_every_rule_has_a_sentence_for_people():
    assert set(EXPLANATIONS) == set(Rule)
    assert all(sentence.endswith(".") for sentence in EXPLANATIONS.values())


def test_every_rule_has_its_case():
    assert set(CASES) == set(Rule)


@pytest.mark.parametrize("rule", CASES)
def test_a_route_is_explained_by_what_was_seen(rule):
    asked, seen, said = CASES[rule]
    asked, seen = request(**asked), facts(**seen)
    route = decide(asked, seen)

    assert route.rule is rule
    explanation = explain_route(route, asked, seen)
    assert explanation.startswith(EXPLANATIONS[rule])
    assert said in explanation


def test_a_refusal_for_a_closed_window_promises_no_template():
    asked, seen = request(when_closed=WhenClosed.REFUSE), facts()

    assert "asked for nothing to be sent then" in explain_route(decide(asked, seen), asked, seen)


def test_a_category_that_policy_refuses_has_not_changed():
    asked = request()
    seen = facts(template_policy=TemplatePolicy(refused=frozenset({Category.UTILITY})))
    route = decide(asked, seen)

    assert route.rule is Rule.TEMPLATE_CATEGORY_REFUSED
    assert "WhatsApp has it" not in explain_route(route, asked, seen)


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        (OPEN, "The window closes at 2086-11-23T11:59:59.000Z."),
        (Window(last_inbound_at=NOW - DAY), "The window closed at 2086-11-22T12:00:00.000Z."),
        (CLOSED, "This sender knows of no message of the contact that would open a window."),
        (
            replace(OPEN, refused_at=NOW),
            "The provider said so of the attempt that began at 2086-11-22T12:00:00.000Z.",
        ),
        (
            Window(last_inbound_at=NOW - 2 * DAY, refused_at=NOW - 2 * DAY),
            "The window closed at 2086-11-21T12:00:00.000Z.",
        ),
    ],
    ids=["open", "closed", "never wrote", "refused by the provider", "refused and long over"],
)
def test_an_explanation_ends_with_when_the_window_closes_or_why_it_is_closed(window, sentence):
    asked, seen = request(), facts(window=window)

    assert explain_route(decide(asked, seen), asked, seen).endswith(sentence)


@given(decisions())
def test_no_explanation_holds_a_text_or_a_number(decision):
    asked, seen = decision
    asked = replace(asked, to=ContactId("+393339876543") if asked.to.phone_number else asked.to)
    explanation = explain_route(decide(asked, seen), asked, seen)

    assert "393339876543" not in explanation
    assert "Ciao" not in explanation
