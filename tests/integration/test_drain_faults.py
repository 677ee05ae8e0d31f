"""The drain when Redis stumbles, words come late and workers stop: nothing is lost, nothing leaves twice."""

import threading
from collections.abc import Callable, Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clock import duration_ms, to_ms
from shared.domain.consent import Category
from shared.domain.identifiers import AttemptReference, ContactId, MessageId
from shared.domain.message import InDoubt, MessageState, Priority, WhenClosed
from shared.domain.retry import ErrorClass
from shared.domain.templates import Approval, Gate, TemplateId
from shared.errors import StoreUnavailableError
from shared.providers.base import IN_DOUBT, NOT_TAKEN, ErrorRow, Rejected, Submitted
from shared.settings import LEASE
from shared.store.claims import Begin, Claim, Go, Outcome, Settle
from shared.store.data_version import CURRENT
from shared.store.keys import Keys
from shared.store.messages import Acceptance
from shared.store.scripts import Call, Scripts
from tests.builders import (
    ANNA,
    DAY,
    GRACE,
    NOW,
    RecordingProvider,
    World,
    call,
    meta_sender,
    opt_in,
    request,
    status,
    template,
    wrote,
)
from workers.outbound import Drain
from workers.ticker import Ticker

SECOND = timedelta(seconds=1)
ACCOUNT = meta_sender().account
PENDING = {Gate.PROVIDER: Approval.PENDING, Gate.WHATSAPP: Approval.PENDING}
FIRST, OTHER = TemplateId(ACCOUNT, "ordine_pronto", "it"), TemplateId(ACCOUNT, "sollecito", "it")
TOKEN_EXPIRED = Rejected(code="190", row=ErrorRow(error_class=ErrorClass.HALT, advice="New token."))


class Stumbling:
    """A store whose server is away at these calls of one method, counted from 1.

    At those of `too_late` the call is done and only its answer is lost.
    """

    def __init__(
        self, store: object, method: str, away: Container[int], too_late: Container[int] = ()
    ) -> None:
        self._store = store
        self._method = method
        self._away = away
        self._too_late = too_late
        self._calls = 0

    def __getattr__(self, name: str):
        real = getattr(self._store, name)
        return self._stumble(real) if name == self._method else real

    def _stumble(self, real: Callable) -> Callable:
        def call_it(*arguments, **named):
            self._calls += 1
            if self._calls in self._too_late:
                real(*arguments, **named)
            if self._calls in self._away or self._calls in self._too_late:
                raise StoreUnavailableError("TimeoutError")
            return real(*arguments, **named)

        return call_it


class Interrupted:
    """Lanes where something happens right after the first claim."""

    def __init__(self, lanes: object, happening: Callable[[], None]) -> None:
        self._lanes = lanes
        self._happenings = [happening]

    def __getattr__(self, name: str):
        return getattr(self._lanes, name)

    def claim(self, *arguments, **named):
        claimed = self._lanes.claim(*arguments, **named)
        while self._happenings:
            self._happenings.pop()()
        return claimed


class BusyProvider(RecordingProvider):
    """Something happens while it is asked."""

    def __init__(self, happening: Callable[[], None]) -> None:
        super().__init__()
        self._happening = happening

    def send(self, batch):
        self._happening()
        return super().send(batch)


def contact(number: int) -> ContactId:
    return ContactId(f"+39333{number:07}")


def register(world: World, *ids: TemplateId, gates=None) -> None:
    for template_id in ids:
        world.deps.templates.create("default", template(id=template_id, gates=gates or PENDING), nonce="n")


def approve(world: World, template_id: TemplateId, *gates: Gate) -> None:
    for gate in gates or Gate:
        world.deps.templates.decide("default", template_id, gate, Approval.APPROVED, None)


def opt_in_to_all(world: World, *contacts: ContactId) -> None:
    for one in contacts or (ANNA,):
        world.deps.contacts.set_consent(meta_sender(), one, opt_in(), list(Category), now=NOW)


def writes(world: World, *contacts: ContactId, at=None, alias: str = "shop") -> None:
    for one in contacts or (ANNA,):
        event = wrote(at or world.clock.now(), contact=one)
        world.deps.recorder.record([(world.deps.sender(alias), event)], now=world.clock.now())


def reported(world: World, message_id: MessageId, state: MessageState, **changes) -> list[str]:
    event = status(message_id, state, **changes)
    return world.deps.recorder.record([(world.deps.sender("shop"), event)], now=world.clock.now())


def accept(world: World, **changes) -> MessageId:
    asked = request(**changes)
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=asked)
    sender = world.deps.sender(asked.sender)
    return world.deps.messages.accept(sender, acceptance, now=world.clock.now()).message_id


def accept_from_writers(world: World, count: int, **changes) -> list[MessageId]:
    """One message each to so many contacts who have just written."""
    contacts = [contact(number) for number in range(count)]
    writes(world, *contacts, alias=changes.get("sender", "shop"))
    return [accept(world, to=one, **changes) for one in contacts]


def drain(world: World, alias: str = "shop", *, most_slots: int = 8, threads: int = 8, stopping=None):
    with ThreadPoolExecutor(threads) as slots:
        run = Drain(
            world.deps,
            world.deps.sender(alias),
            slots,
            most_slots=most_slots,
            stopping=stopping or threading.Event(),
        )
        return run.run()


def beat(world: World) -> None:
    world.client.delete("ticker:{default}")
    Ticker(world.deps, ring_for_app=lambda business, app: None).beat()


def claim_one(world: World) -> Claim:
    claimed = world.deps.lanes.claim(
        world.deps.sender("shop"), 1, nonce=world.deps.new_nonce(), now=world.clock.now()
    )
    return claimed.claims[0]


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


def record(world: World, message_id: MessageId):
    return world.deps.messages.get("default", message_id)


def states(world: World, ids: list[MessageId]) -> list[MessageState]:
    return [MessageState(world.client.hget(Keys("default").message(id_), "state")) for id_ in ids]


def references(world: World, alias: str = "shop") -> list[AttemptReference]:
    return [outgoing.reference for outgoing in world.providers[alias].sent]


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


def test_an_answer_survives_redis_going_away_at_the_next_claim(world):
    sent = accept_from_writers(world, 2)
    world.deps = replace(world.deps, lanes=Stumbling(world.deps.lanes, "claim", away={2}))

    with pytest.raises(StoreUnavailableError):
        drain(world, most_slots=1)

    assert states(world, sent) == [MessageState.SUBMITTED] * 2


def test_an_answer_survives_redis_going_away_when_it_is_recorded(world):
    sent = accept_from_writers(world, 2)
    world.deps = replace(world.deps, lanes=Stumbling(world.deps.lanes, "step", away=range(2, 12)))

    drain(world, most_slots=1)

    assert states(world, sent) == [MessageState.SUBMITTED] * 2
    assert len(references(world)) == 2


def test_a_begin_whose_answer_was_lost_is_no_doubt(world):
    sent = accept_from_writers(world, 1)
    world.deps = replace(world.deps, lanes=Stumbling(world.deps.lanes, "step", away=(), too_late={1}))

    drain(world, most_slots=1)

    assert states(world, sent) == [MessageState.SUBMITTED]
    assert len(references(world)) == 1


def test_the_answers_of_a_batch_survive_redis_going_away_at_the_halt(world):
    sent = accept_from_writers(world, 5, sender="negozio")
    world.providers["negozio"].answers = [TOKEN_EXPIRED] + [Submitted()] * 4
    world.deps = replace(world.deps, senders=Stumbling(world.deps.senders, "halt", away={1}))

    drain(world, "negozio")

    assert states(world, sent)[1:] == [MessageState.SUBMITTED] * 4


def test_what_has_begun_leaves_though_redis_is_away_for_the_rest_of_its_batch(world):
    sent = accept_from_writers(world, 3, sender="negozio")
    interrupted = Interrupted(world.deps.lanes, lambda: opt_in_to_all(world, contact(1)))
    world.deps = replace(world.deps, lanes=Stumbling(interrupted, "step", away={2}))

    drain(world, "negozio")

    assert states(world, sent) == [MessageState.SUBMITTED, MessageState.QUEUED, MessageState.SUBMITTED]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("request", '{"broken":1}', id="unreadable"),
        pytest.param("templates", "", id="undecidable"),
    ],
)
def test_a_spoilt_message_takes_no_other_along(world, field, value):
    spoilt = accept(world, content=None)
    world.client.hset(Keys("default").message(spoilt), field, value)
    opt_in_to_all(world)
    others = accept_from_writers(world, 3)

    for _ in range(4):
        drain(world, most_slots=1)
        world.clock.advance(LEASE + SECOND)
        beat(world)
    drain(world)

    assert states(world, others) == [MessageState.SUBMITTED] * 3
    assert states(world, [spoilt]) == [MessageState.FAILED]
    assert world.client.hget(Keys("default").message(spoilt), "reason") == "internal_error"


def test_a_claim_whose_answer_was_lost_is_answered_again(world):
    ids = accept_from_writers(world, 3)
    shop = world.deps.sender("shop")

    first = world.deps.lanes.claim(shop, 8, nonce="n", now=world.clock.now())
    again = world.deps.lanes.claim(shop, 8, nonce="n", now=world.clock.now())

    assert [claim.message_id for claim in first.claims] == ids
    assert again == first


def test_a_group_larger_than_a_beat_is_woken_once(world):
    register(world, FIRST)
    contacts = [contact(number) for number in range(12)]
    opt_in_to_all(world, *contacts)
    ids = [accept(world, content=None, to=one) for one in contacts]
    drain(world)
    approve(world, FIRST, Gate.PROVIDER)

    for _ in range(6):
        sweep(world, most=5)
        drain(world)

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


def test_a_stale_clock_asks_for_no_doorbell(world):
    accept(world)
    world.clock.stale = True

    report = drain(world)

    assert not report.must_ring


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


@pytest.mark.parametrize(
    ("wrote_at", "expires_at", "back_after", "ends_as"),
    [
        pytest.param(
            NOW - DAY + 65 * SECOND, NOW + DAY, 6 * SECOND, MessageState.REFUSED, id="margin of its window"
        ),
        pytest.param(NOW, NOW + 3 * SECOND, 6 * SECOND, MessageState.EXPIRED, id="expiry"),
        pytest.param(NOW, NOW + DAY, 9 * SECOND, MessageState.SUBMITTED, id="lease"),
    ],
)
def test_what_redis_held_up_too_long_never_leaves(world, wrote_at, expires_at, back_after, ends_as):
    (first,) = accept_from_writers(world, 1)
    writes(world, at=wrote_at)
    late = accept(world, expires_at=expires_at)
    repeats = range(3, 2 + back_after // timedelta(seconds=0.5))
    world.deps = replace(world.deps, lanes=Stumbling(world.deps.lanes, "step", away=repeats, too_late={2}))

    drain(world, most_slots=1)
    drain(world, most_slots=1)

    assert AttemptReference(late, 1) not in references(world)
    assert states(world, [first, late]) == [MessageState.SUBMITTED, ends_as]


def test_claims_that_wait_long_for_a_slot_are_given_back(world):
    ids = accept_from_writers(world, 8)
    slow = BusyProvider(lambda: (world.clock.advance(8 * SECOND), beat(world)))
    world.deps = replace(world.deps, providers={**world.providers, "shop": slow})

    for _ in ids:
        drain(world, threads=1, most_slots=128)

    assert states(world, ids) == [MessageState.SUBMITTED] * 8
    assert len(slow.sent) == 8


def test_a_worker_told_to_stop_gives_back_what_it_has_not_begun(world):
    ids = accept_from_writers(world, 8)
    stopping = threading.Event()
    provider = BusyProvider(stopping.set)
    world.deps = replace(world.deps, providers={**world.providers, "shop": provider})

    drain(world, threads=1, stopping=stopping)

    assert len(provider.sent) == 1
    assert states(world, ids) == [MessageState.SUBMITTED] + [MessageState.QUEUED] * 7
    assert claim_one(world).message_id == ids[1]


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
