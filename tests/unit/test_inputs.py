"""A stored route can be replayed: its inputs hold all that `decide` looks at, and give it again."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given

from shared.decision import describe
from shared.domain.consent import Category, Consent
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageRequest, WhenClosed, WhenOpen
from shared.domain.routes import Defer, Route, RouteKind, TemplateRoute
from shared.domain.routing import Facts, TemplatePolicy, decide
from shared.domain.session_content import Text
from shared.domain.templates import Approval, Gate, TemplateStatus
from shared.domain.window import CLOSED, Window
from shared.inputs import inputs_of, replay
from tests.builders import BOTH_APPROVED, DAY, NOW, call, opt_in, opt_out, request, template
from tests.unit.domain.strategies import BODY, MINUTE, NAMELESS, SEEN, decisions

SEEN_FIRST = Facts(now=NOW, window=CLOSED, margin=MINUTE, templates=(template(),))

#: Each fact with another value, after which the stored inputs must differ.
OTHER_FACTS: Mapping[str, Any] = {
    "window": Window(last_inbound_at=NOW),
    "margin": 5 * MINUTE,
    "consent": Consent({Category.UTILITY: opt_out()}),
    "last_inbound_at": NOW,
    "templates": (None,),
    "template_policy": TemplatePolicy(refused=frozenset({Category.MARKETING})),
    "capped_until": {Category.UTILITY: NOW + DAY},
    "halted_kinds": frozenset({RouteKind.SESSION}),
    "messaging_limit_until": NOW,
    "pair_limit_until": NOW,
    "sender_limit_until": NOW,
    "is_number_known": True,
    "is_number_given_up": True,
    "has_nudge_failed": True,
}
#: The clock stands beside the inputs, as `decided_at`.
BESIDE = {"now"}

OTHER_REQUESTS: Mapping[str, Any] = {
    "to": NAMELESS,
    "content": None,
    "templates": (call(values={"1": "Anna"}),),
    "category": Category.MARKETING,
    "when_open": WhenOpen.TEMPLATE,
    "when_closed": WhenClosed.WAIT,
    "nudge_for": "msg_0",
    "confirms_opt_out_at": NOW,
    "expires_at": NOW + MINUTE,
}
#: What a decision has no use for.
UNREAD = {"sender", "priority", "in_doubt", "reference"}
#: Goes along with the content and decides nothing.
CARRIED = {"reply_to"}

OTHER_TEMPLATES = (
    template(gates={**BOTH_APPROVED, Gate.WHATSAPP: Approval.PENDING}),
    template(stopped=TemplateStatus.PAUSED),
    template(category=Category.MARKETING, original_category=Category.MARKETING),
    template(original_category=Category.MARKETING),
    template(body="Senza variabili."),
)


class Watched:
    """A request that notes what is read of it."""

    def __init__(self, asked: MessageRequest) -> None:
        self._asked = asked
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._asked, name)


def essence(route: Route) -> tuple[object, ...]:
    template_id = (
        (route.template.id.name, route.template.id.language) if isinstance(route, TemplateRoute) else ()
    )
    wait = (route.until, route.of) if isinstance(route, Defer) else ()
    return route.kind, route.rule, template_id, wait


def as_stored(value: object) -> Any:
    return json.loads(json.dumps(value))


@given(decisions())
def test_stored_inputs_give_the_same_route_again(decision):
    asked, seen = decision
    route = decide(asked, seen)

    assert essence(replay(as_stored(describe(route, asked, seen)))) == essence(route)


def test_every_fact_is_tried_here_and_drawn_by_chance():
    """Whoever adds a fact: store it in `inputs.py`, then add a value above and to the strategies."""
    names = {field.name for field in fields(Facts)}

    assert {*OTHER_FACTS, *BESIDE} == names
    assert {*SEEN, "now", "window", "margin"} == names


@pytest.mark.parametrize("name", OTHER_FACTS)
def test_every_fact_stands_in_the_inputs(name):
    changed = replace(SEEN_FIRST, **{name: OTHER_FACTS[name]})

    assert as_stored(inputs_of(request(), SEEN_FIRST)) != as_stored(inputs_of(request(), changed))


def test_every_field_of_a_request_is_tried_here_or_of_no_use_to_a_decision():
    assert {*OTHER_REQUESTS, *UNREAD, *CARRIED} == {field.name for field in fields(MessageRequest)}


@pytest.mark.parametrize("name", OTHER_REQUESTS)
def test_every_field_of_a_request_stands_in_the_inputs(name):
    changed = request(**{name: OTHER_REQUESTS[name]})

    assert as_stored(inputs_of(request(), SEEN_FIRST)) != as_stored(inputs_of(changed, SEEN_FIRST))


@given(decisions())
def test_a_decision_reads_nothing_else_of_a_request(decision):
    asked, seen = decision
    watched = Watched(asked)

    decide(watched, seen)

    assert watched.read & UNREAD == set()


@pytest.mark.parametrize("other", OTHER_TEMPLATES, ids=range(len(OTHER_TEMPLATES)))
def test_everything_about_a_template_that_matters_stands_in_the_inputs(other):
    changed = replace(SEEN_FIRST, templates=(other,))

    assert as_stored(inputs_of(request(), SEEN_FIRST)) != as_stored(inputs_of(request(), changed))


def test_the_inputs_hold_no_text_no_value_and_no_number():
    canary, number = "SEGRETO", "+393339876543"
    asked = request(
        to=ContactId(number), content=Text(canary), templates=(call(values={"1": canary, "2": number}),)
    )
    seen = replace(
        SEEN_FIRST, window=Window(last_inbound_at=NOW), consent=Consent({Category.UTILITY: opt_in(NOW - DAY)})
    )
    stored = json.dumps(inputs_of(asked, seen))

    assert canary not in stored
    assert number.strip("+") not in stored
    assert BODY not in stored
