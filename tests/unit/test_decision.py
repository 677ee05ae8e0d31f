"""How a decision is stored and explained: with all that was seen, without a text and without a number."""

import json
from datetime import timedelta

import pytest
from hypothesis import given

from shared.configuration import Policy
from shared.decision import describe, facts_of
from shared.domain.consent import Category, Consent, ConsentRecord, ConsentStatus
from shared.domain.halts import Halt, HaltKind, HaltSource
from shared.domain.identifiers import ContactId
from shared.domain.lint import PromotionalContent
from shared.domain.routes import RouteKind, Rule
from shared.domain.routing import Facts, decide
from shared.domain.session_content import Text
from shared.domain.window import CLOSED, Window
from shared.store.codec import Known
from tests.builders import ANNA, NOW, call, meta_sender, opt_in, request, template
from tests.unit.domain.strategies import decisions

SECOND = timedelta(seconds=1)
MARGIN = timedelta(seconds=60)
OPEN = Window(last_inbound_at=NOW - SECOND)
CANARY = "SEGRETO"
CANARY_NUMBER = "+393339876543"


def facts(**changes: object) -> Facts:
    values = {
        "now": NOW,
        "window": OPEN,
        "margin": MARGIN,
        "consent": Consent({Category.UTILITY: opt_in()}),
        "templates": (template(),),
    }
    return Facts(**{**values, **changes})


def known(**changes: object) -> Known:
    values = {
        "versions": "1.1",
        "window": OPEN,
        "consent": Consent(),
        "last_inbound_at": NOW,
        "contact": ANNA,
        "address": None,
        "templates": (template(),),
    }
    return Known(**{**values, **changes})


@pytest.mark.parametrize("window", [OPEN, CLOSED], ids=["session", "template"])
def test_a_described_route_holds_no_text_and_no_number(window):
    evidence = ConsentRecord(status=ConsentStatus.OPTED_IN, at=NOW, source=CANARY, evidence=CANARY_NUMBER)
    asked = request(
        to=ContactId(CANARY_NUMBER),
        content=Text(CANARY),
        templates=(call(values={"1": CANARY, "2": CANARY_NUMBER}),),
    )
    seen = facts(window=window, consent=Consent({Category.UTILITY: evidence}))
    stored = json.dumps(describe(decide(asked, seen), asked, seen))

    assert CANARY not in stored
    assert CANARY_NUMBER.strip("+") not in stored
    assert template().body not in stored


@given(decisions())
def test_any_route_can_be_stored_and_names_its_rule(decision):
    asked, seen = decision
    route = decide(asked, seen)
    stored = json.loads(json.dumps(describe(route, asked, seen)))

    assert stored["kind"] == route.kind
    assert stored["rule"] == route.rule
    assert stored["explanation"]
    assert stored["decided_at"] == "2086-11-22T12:00:00.000Z"


def test_a_described_route_shows_what_was_seen():
    asked, seen = request(), facts()
    inputs = describe(decide(asked, seen), asked, seen)["inputs"]

    assert inputs["window"] == {
        "open": True,
        "last_inbound_at": "2086-11-22T11:59:59.000Z",
        "expires_at": "2086-11-23T11:59:59.000Z",
        "refused_at": None,
        "margin_seconds": 60.0,
    }
    assert inputs["consent"] == {"utility": {"status": "opted_in", "at": "2086-11-21T12:00:00.000Z"}}
    assert inputs["templates"][0]["status"] == "approved"
    assert inputs["sender"] == {"halted": []}


def test_a_template_unknown_to_us_is_shown_as_such():
    asked, seen = request(), facts(window=CLOSED, templates=(None,))
    described = describe(decide(asked, seen), asked, seen)

    assert described["inputs"]["templates"] == [None]
    assert described["rule"] == Rule.TEMPLATE_NOT_APPROVED


def test_a_deferred_route_shows_until_when_and_of_what():
    asked, seen = request(), facts(pair_limit_until=NOW + MARGIN)
    described = describe(decide(asked, seen), asked, seen)

    assert (described["until"], described["of"]) == ("2086-11-22T12:01:00.000Z", Rule.WINDOW_OPEN)


def test_the_facts_of_a_claim_carry_the_senders_margin():
    sender = meta_sender(window_margin=timedelta(seconds=90))
    seen = facts_of(known(), sender, Policy(), NOW)

    assert seen.margin == timedelta(seconds=90)
    assert seen.last_inbound_at == NOW
    assert seen.halted_kinds == frozenset()


def test_a_decision_is_made_in_whole_milliseconds_as_it_is_stored():
    seen = facts_of(known(), meta_sender(), Policy(), NOW + timedelta(microseconds=1_400))

    assert seen.now == NOW + timedelta(milliseconds=1)


def test_a_halted_sender_sends_nothing_of_either_kind():
    seen = facts_of(
        known(halts=(Halt(kind=HaltKind.ALL, source=HaltSource.HAND, why="moving"),)),
        meta_sender(),
        Policy(),
        NOW,
    )

    assert seen.halted_kinds == {RouteKind.SESSION, RouteKind.TEMPLATE}


@pytest.mark.parametrize(
    ("promotional", "kind"),
    [
        (PromotionalContent.REFUSE, RouteKind.REFUSE),
        (PromotionalContent.WARN, RouteKind.TEMPLATE),
        (PromotionalContent.ALLOW, RouteKind.TEMPLATE),
    ],
)
def test_a_marketing_template_goes_only_where_policy_does_not_refuse_promotion(promotional, kind):
    marketing = template(category=Category.MARKETING, original_category=Category.MARKETING)
    seen = known(window=CLOSED, consent=Consent(dict.fromkeys(Category, opt_in())), templates=(marketing,))
    policy = Policy(promotional_content=promotional)

    route = decide(request(), facts_of(seen, meta_sender(), policy, NOW))

    assert route.kind is kind
    assert (route.rule is Rule.TEMPLATE_CATEGORY_REFUSED) is (kind is RouteKind.REFUSE)
