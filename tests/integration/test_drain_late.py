"""The drain when words come late or between two of its steps: nothing is overlooked, nothing counts twice."""

from dataclasses import replace

import pytest

from shared.clock import duration_ms, to_ms
from shared.domain.identifiers import ContactId
from shared.domain.message import InDoubt, MessageState, Priority, WhenClosed
from shared.domain.retry import ErrorClass
from shared.domain.templates import Approval, Gate
from shared.providers.base import IN_DOUBT, NOT_TAKEN, Rejected
from shared.settings import LEASE
from shared.store.claims import Begin, Claim, Go, Outcome, Settle
from shared.store.data_version import CURRENT
from shared.store.keys import Keys
from shared.store.scripts import Call, Scripts
from tests.around_drains import (
    FIRST,
    OTHER,
    SECOND,
    Interrupted,
    approve,
    claim_one,
    contact,
    opt_in_to_all,
    record,
    references,
    register,
    reported,
    states,
)
from tests.builders import (
    ANNA,
    DAY,
    GRACE,
    NOW,
    World,
    call,
    wrote,
)
from tests.play import accept, beat, drain, writes


def begun(world: World) -> Claim:
    claim = claim_one(world)
    begin = Begin(
        claim=claim,
        nonce="n",
        versions=claim.known.versions,
        decided_at=world.clock.now(),
        begin_before=claim.request.expires_at,
        attempt={},
    )
    assert world.deps.lanes.step([], [begin], now=world.clock.now()).answers == (Go(1),)
    return claim


def settle(world: World, claim: Claim, outcome: Outcome, **changes) -> None:
    settled = Settle(claim=claim, outcome=outcome, **changes)
    world.deps.lanes.step([settled], [], now=world.clock.now())


def test_waking_without_a_free_way_never_ends_a_message(world):
    register(world, FIRST)
    opt_in_to_all(world)
    message_id = accept(world, content=None)
    drain(world)

    for reason in ("in review", "in review", "still in review"):
        world.deps.templates.decide("default", FIRST, Gate.WHATSAPP, Approval.PENDING, reason)
        beat(world)
        drain(world)
        world.clock.advance(SECOND)
    assert record(world, message_id).state is MessageState.DEFERRED
    approve(world, FIRST)
    beat(world)
    drain(world)

    assert record(world, message_id).state is MessageState.SUBMITTED


@pytest.mark.parametrize("when_closed", [WhenClosed.WAIT, WhenClosed.REFUSE])
def test_a_contact_who_writes_between_claim_and_settle_is_not_overlooked(world, when_closed):
    message_id = accept(world, when_closed=when_closed)
    world.deps = replace(world.deps, lanes=Interrupted(world.deps.lanes, lambda: writes(world)))

    drain(world)

    assert record(world, message_id).state is MessageState.SUBMITTED


def test_an_approval_between_claim_and_settle_is_not_overlooked(world):
    register(world, FIRST)
    opt_in_to_all(world)
    message_id = accept(world, content=None)
    world.deps = replace(
        world.deps, lanes=Interrupted(world.deps.lanes, lambda: (approve(world, FIRST), beat(world)))
    )

    drain(world)

    assert record(world, message_id).state is MessageState.SUBMITTED


def test_a_group_larger_than_a_beat_is_woken_once(world):
    register(world, FIRST)
    contacts = [contact(number) for number in range(12)]
    opt_in_to_all(world, *contacts)
    ids = [accept(world, content=None, to=one) for one in contacts]
    drain(world, slots=8)
    approve(world, FIRST, Gate.PROVIDER)

    for _ in range(6):
        sweep(world, most=5)
        drain(world, slots=8)

    timelines = [record(world, id_).timeline for id_ in ids]
    assert [[line["event"] for line in timeline].count("woken") for timeline in timelines] == [1] * 12
    assert states(world, ids) == [MessageState.DEFERRED] * 12


def sweep(world: World, *, most: int) -> None:
    world.client.delete("ticker:{default}")
    times = (to_ms(world.clock.now()), 400, most, duration_ms(LEASE), duration_ms(30 * DAY), duration_ms(DAY))
    Scripts(world.client).run(Call.of("sweep", "default", *times, CURRENT))


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.WINDOW_REFUSED, Outcome.SUBMITTED])
def test_a_refusal_that_came_before_the_answer_stands_and_counts_once(world, outcome):
    writes(world)
    message_id = accept(world)
    claim = begun(world)
    reported(world, message_id, MessageState.FAILED, error_class=ErrorClass.WINDOW)

    settle(world, claim, outcome, until=world.clock.now() + GRACE if outcome is Outcome.UNKNOWN else None)

    assert record(world, message_id).state is MessageState.QUEUED
    assert world.client.hget(Keys("default").message(message_id), "window_refusals") == "1"


def test_what_was_delivered_is_not_refused_afterwards(world):
    writes(world)
    message_id = accept(world)
    claim = begun(world)
    reported(world, message_id, MessageState.DELIVERED)

    settle(world, claim, Outcome.WINDOW_REFUSED)

    assert record(world, message_id).state is MessageState.DELIVERED


def test_who_was_accepted_first_goes_first_when_only_one_may(world):
    waiting = accept(world, to=ContactId("+99333000000"))
    world.clock.advance(SECOND)
    accept(world, to=ContactId("+10000000000"))

    claim = claim_one(world)

    assert claim.message_id == waiting


@pytest.mark.parametrize(
    "wake",
    [
        pytest.param(lambda world: approve(world, FIRST), id="first template"),
        pytest.param(lambda world: approve(world, OTHER), id="second template"),
        pytest.param(writes, id="contact"),
    ],
)
def test_whatever_changes_first_wakes_what_waits_for_templates(world, wake):
    register(world, FIRST, OTHER)
    opt_in_to_all(world)
    beat(world)
    message_id = accept(world, templates=(call(), call("sollecito")))
    drain(world)
    assert record(world, message_id).state is MessageState.DEFERRED

    wake(world)
    beat(world)
    drain(world)

    assert record(world, message_id).state is MessageState.SUBMITTED


def test_what_ended_is_no_longer_counted_after_the_retention(world):
    accept(world, expires_at=NOW + SECOND)
    world.clock.advance(SECOND)
    beat(world)
    assert world.deps.messages.count("default", MessageState.EXPIRED) == 1

    world.clock.advance(world.settings.retention)
    beat(world)

    assert world.deps.messages.count("default", MessageState.EXPIRED) == 0


def test_an_event_id_with_a_bar_does_no_harm(world):
    shop = world.deps.sender("shop")
    world.deps.recorder.record([(shop, wrote(event_id="a|b|1"))], now=NOW)
    message_id = accept(world)

    drain(world)
    world.clock.advance(SECOND)
    writes(world)

    assert record(world, message_id).state is MessageState.SUBMITTED
    assert world.deps.contacts.get(shop, ANNA).window.last_inbound_at == NOW + SECOND


def test_a_message_that_arrived_after_all_is_not_tried_again(world):
    writes(world)
    message_id = accept(world)
    world.providers["shop"].answers = [Rejected(code="http_503", row=NOT_TAKEN)]
    drain(world)
    assert record(world, message_id).state is MessageState.DEFERRED

    reported(world, message_id, MessageState.DELIVERED)
    world.clock.advance(10 * SECOND)
    drain(world)

    assert record(world, message_id).state is MessageState.DELIVERED
    assert len(references(world)) == 1


def test_a_newcomer_of_high_priority_waits_for_the_grace_of_a_doubt(world):
    writes(world)
    accept(world)
    world.providers["shop"].answers = [Rejected(code="timeout", row=IN_DOUBT)]
    drain(world)
    newcomer = accept(world, priority=Priority.HIGH)

    world.clock.advance(GRACE - SECOND)
    drain(world)
    assert record(world, newcomer).state is MessageState.QUEUED
    world.clock.advance(SECOND)
    drain(world)

    assert record(world, newcomer).state is MessageState.SUBMITTED


def test_a_doubt_that_may_be_resent_stays_a_doubt_when_it_expires(world):
    writes(world)
    message_id = accept(world, in_doubt=InDoubt.RESEND, expires_at=NOW + 30 * SECOND)
    world.providers["shop"].answers = [Rejected(code="timeout", row=IN_DOUBT)]
    drain(world)

    world.clock.advance(GRACE + SECOND)
    beat(world)
    drain(world)
    assert record(world, message_id).state is MessageState.UNKNOWN
    reported(world, message_id, MessageState.DELIVERED)

    assert record(world, message_id).state is MessageState.DELIVERED


def test_a_route_that_sent_nothing_has_no_say_once_its_lease_has_ended(world):
    writes(world)
    message_id = accept(world, in_doubt=InDoubt.RESEND, expires_at=NOW + 30 * SECOND)
    world.providers["shop"].answers = [Rejected(code="timeout", row=IN_DOUBT)]
    drain(world)
    world.clock.advance(GRACE + SECOND)
    claim = claim_one(world)
    late = Settle(claim=claim, outcome=Outcome.EXPIRED, versions=claim.known.versions)

    world.clock.advance(LEASE + SECOND)
    beat(world)
    world.deps.lanes.step([late], [], now=world.clock.now())

    assert record(world, message_id).state is MessageState.UNKNOWN
