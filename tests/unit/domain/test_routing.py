"""How a route is decided: every row of the contract's table (section 7), their order, and the laws."""

from dataclasses import replace

import pytest
from hypothesis import find, given

from shared.domain.consent import Category, Consent
from shared.domain.routes import Defer, Hold, Refuse, RouteKind, Rule, SessionRoute, TemplateRoute
from shared.domain.routing import decide
from shared.domain.templates import Approval, TemplateStatus
from tests.builders import DAY, NOW, TEXT, call, request, template
from tests.unit.domain.routing_table import (
    APPROVED,
    BOTH_KINDS,
    CAPPED,
    LATER,
    MARGIN,
    NO_TEMPLATE,
    OPEN,
    OPTED_OUT,
    OTHER,
    PAUSED,
    REFUSE_WHEN_CLOSED,
    REJECTED,
    SECOND,
    TABLE,
    TWO,
    WAIT,
    facts,
)
from tests.unit.domain.strategies import NAMELESS, decisions


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_route_follows_the_contracts_table(row):
    route = decide(request(**row.asked), facts(**row.seen))

    assert (route.kind, route.rule) == (row.kind, row.rule)


def test_every_rule_is_reached_by_the_table():
    assert {row.rule for row in TABLE} == set(Rule)


def test_the_table_covers_every_status_of_a_template():
    drafts_are_not_stored = {TemplateStatus.DRAFT}
    seen = {one.status for row in TABLE for one in row.seen.get("templates", (APPROVED,)) if one is not None}

    assert seen | drafts_are_not_stored == set(TemplateStatus)


#: What makes each rule true, in the order of the table: of two neighbours that are both true the upper wins.
PRECEDENCE = [
    (Rule.EXPIRED, {"expires_at": NOW}, {}),
    (Rule.OPTED_OUT, {}, {"consent": OPTED_OUT}),
    (Rule.WAITING_FOR_WINDOW, WAIT, {}),
    (Rule.WINDOW_CLOSED_NO_TEMPLATE, *NO_TEMPLATE),
]
OF_TEMPLATES = [
    (Rule.TEMPLATE_NOT_APPROVED, {"gates": REJECTED}, {}),
    (Rule.TEMPLATE_MISMATCH, {"body": "Ciao {{1}}, eccoci."}, {}),
    (Rule.TEMPLATE_CATEGORY_REFUSED, {"original_category": Category.UTILITY}, {}),
    (Rule.NO_OPT_IN, {}, {"consent": Consent()}),
    (Rule.PHONE_NUMBER_REQUIRED, {}, {}),
    (Rule.RECIPIENT_CAPPED, {}, {"capped_until": CAPPED}),
    (Rule.TEMPLATE_PAUSED, {"stopped": TemplateStatus.PAUSED}, {}),
    (Rule.SENDER_HALTED, {}, {"halted_kinds": BOTH_KINDS}),
    (Rule.MESSAGING_LIMIT, {}, {"messaging_limit_until": LATER}),
    (Rule.PAIR_LIMIT, {}, {"pair_limit_until": LATER}),
    (Rule.SENDER_LIMIT, {}, {"sender_limit_until": LATER}),
    (Rule.WINDOW_CLOSED, {}, {}),
]


@pytest.mark.parametrize("first", range(len(PRECEDENCE)), ids=lambda index: PRECEDENCE[index][0])
def test_of_the_rules_of_a_request_the_upper_one_wins(first):
    asked, seen = {}, {}
    for _, request_changes, fact_changes in PRECEDENCE[first:]:
        asked, seen = {**request_changes, **asked}, {**fact_changes, **seen}

    assert decide(request(**asked), facts(**seen)).rule is PRECEDENCE[first][0]


@pytest.mark.parametrize("first", range(len(OF_TEMPLATES)), ids=lambda index: OF_TEMPLATES[index][0])
def test_of_the_rules_of_a_template_and_its_time_the_upper_one_wins(first):
    below = OF_TEMPLATES[first:]
    rules = {rule for rule, _, _ in below}
    broken, seen = {}, {}
    for _, template_changes, fact_changes in below:
        broken, seen = {**template_changes, **broken}, {**fact_changes, **seen}
    original = broken.pop("original_category", Category.AUTHENTICATION)
    code = template(category=Category.AUTHENTICATION, original_category=original, **broken)
    to = {"to": NAMELESS} if Rule.PHONE_NUMBER_REQUIRED in rules else {}
    asked = request(category=Category.AUTHENTICATION, **to)

    assert decide(asked, facts(templates=(code,), **seen)).rule is OF_TEMPLATES[first][0]


@pytest.mark.parametrize(
    ("asked", "seen", "upper"),
    [
        ({"expires_at": NOW}, {"window": OPEN, "consent": OPTED_OUT}, Rule.EXPIRED),
        ({}, {"window": OPEN, "consent": OPTED_OUT}, Rule.OPTED_OUT),
        (WAIT, {"window": OPEN}, Rule.WINDOW_OPEN),
        (REFUSE_WHEN_CLOSED, {"window": OPEN}, Rule.WINDOW_OPEN),
        ({**REFUSE_WHEN_CLOSED, **NO_TEMPLATE[0]}, NO_TEMPLATE[1], Rule.WINDOW_CLOSED),
        (
            {},
            {"window": OPEN, "capped_until": CAPPED, "templates": (None,)},
            Rule.WINDOW_OPEN,
        ),
    ],
    ids=[
        "expired before opted out",
        "opted out before window open",
        "window open before wait",
        "window open before refuse",
        "refuse before no template",
        "window open before anything of templates",
    ],
)
def test_between_neighbours_the_upper_rule_wins(asked, seen, upper):
    assert decide(request(**asked), facts(**seen)).rule is upper


def test_a_session_message_must_begin_before_the_windows_end_less_the_margin():
    route = decide(request(), facts(window=OPEN))

    assert route == SessionRoute(
        rule=Rule.WINDOW_OPEN,
        content=TEXT,
        begin_before=NOW - SECOND + DAY - MARGIN,
    )


def test_only_a_template_in_an_open_window_goes_as_its_rendered_text():
    route = decide(request(content=None), facts(window=OPEN))

    assert isinstance(route, SessionRoute)
    assert route.content == TEXT


def test_an_alternate_is_never_rendered_as_text():
    route = decide(request(content=None, **TWO), facts(window=OPEN, templates=(PAUSED, OTHER)))

    assert isinstance(route, TemplateRoute)
    assert route.template == OTHER


def test_the_template_that_goes_is_the_one_that_was_judged():
    first, second = call(), call("alternativo", {"1": "A", "2": "B"})
    route = decide(request(templates=(first, second)), facts(templates=(None, OTHER)))

    assert route == TemplateRoute(rule=Rule.WINDOW_CLOSED, call=second, template=OTHER)


def test_an_alternate_does_not_get_round_a_missing_opt_in():
    route = decide(request(**TWO), facts(templates=(APPROVED, OTHER), consent=Consent()))

    assert route == Refuse(rule=Rule.NO_OPT_IN)


def test_waiting_for_a_template_names_the_template_that_wakes_it():
    route = decide(request(), facts(templates=(PAUSED,)))

    assert route == Defer(rule=Rule.TEMPLATE_PAUSED, template=PAUSED)


def test_a_deferred_route_keeps_both_rules_and_its_time():
    route = decide(request(), facts(pair_limit_until=LATER, window=OPEN))

    assert route == Defer(rule=Rule.PAIR_LIMIT, until=LATER, of=Rule.WINDOW_OPEN)


def test_waiting_for_the_contact_has_no_time():
    assert decide(request(**WAIT), facts()) == Hold(rule=Rule.WAITING_FOR_WINDOW)


@pytest.mark.parametrize("kind", RouteKind)
def test_the_drawn_decisions_lead_to_every_kind_of_route(kind):
    asked, seen = find(decisions(), lambda decision: decide(*decision).kind is kind)

    assert decide(asked, seen).kind is kind


@given(decisions())
def test_a_session_message_goes_only_in_an_open_window_with_the_margin_left(decision):
    asked, seen = decision
    route = decide(asked, seen)

    if isinstance(route, SessionRoute):
        assert seen.window.is_open_for(seen.margin, seen.now)
        assert route.begin_before == seen.window.expires_at - seen.margin
        assert seen.now <= route.begin_before
        assert route.content


@given(decisions())
def test_a_template_goes_only_with_a_live_opt_in_and_both_approvals(decision):
    asked, seen = decision
    route = decide(asked, seen)

    if isinstance(route, TemplateRoute):
        assert seen.consent.is_opted_in(route.template.category)
        assert set(route.template.gates.values()) == {Approval.APPROVED}
        assert route.template.stopped is None
        assert route.call.fits(route.template)


@given(decisions())
def test_nothing_goes_after_its_expiry_or_to_a_halted_sender(decision):
    asked, seen = decision
    route = decide(asked, seen)

    if isinstance(route, SessionRoute | TemplateRoute):
        assert seen.now < asked.expires_at
        assert route.kind not in seen.halted_kinds


@given(decisions())
def test_the_same_inputs_give_the_same_route(decision):
    asked, seen = decision

    assert decide(asked, seen) == decide(replace(asked), replace(seen))


@given(decisions())
def test_a_wait_for_a_time_lies_ahead(decision):
    route = decide(*decision)

    if isinstance(route, Defer) and route.until is not None:
        assert route.until > NOW
