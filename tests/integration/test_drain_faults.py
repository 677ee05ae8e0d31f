"""The drain when Redis stumbles, records are spoilt, workers stop: nothing is lost, nothing leaves twice."""

import threading
from collections.abc import Callable, Container
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.identifiers import AttemptReference
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.errors import StoreUnavailableError
from shared.providers.base import ErrorRow, Rejected, Submitted
from shared.settings import LEASE
from shared.store.keys import Keys
from tests.around_drains import (
    SECOND,
    Interrupted,
    accept_from_writers,
    claim_one,
    contact,
    opt_in_to_all,
    references,
    states,
)
from tests.builders import (
    DAY,
    NOW,
    RecordingProvider,
)
from tests.play import accept, beat, drain, writes

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


class BusyProvider(RecordingProvider):
    """Something happens while it is asked."""

    def __init__(self, happening: Callable[[], None]) -> None:
        super().__init__()
        self._happening = happening

    def send(self, batch):
        self._happening()
        return super().send(batch)


def test_an_answer_survives_redis_going_away_at_the_next_claim(world):
    sent = accept_from_writers(world, 2)
    world.deps = replace(world.deps, lanes=Stumbling(world.deps.lanes, "claim", away={2}))

    with pytest.raises(StoreUnavailableError):
        drain(world)

    assert states(world, sent) == [MessageState.SUBMITTED] * 2


def test_an_answer_survives_redis_going_away_when_it_is_recorded(world):
    sent = accept_from_writers(world, 2)
    world.deps = replace(world.deps, lanes=Stumbling(world.deps.lanes, "step", away=range(2, 12)))

    drain(world)

    assert states(world, sent) == [MessageState.SUBMITTED] * 2
    assert len(references(world)) == 2


def test_a_begin_whose_answer_was_lost_is_no_doubt(world):
    sent = accept_from_writers(world, 1)
    world.deps = replace(world.deps, lanes=Stumbling(world.deps.lanes, "step", away=(), too_late={1}))

    drain(world)

    assert states(world, sent) == [MessageState.SUBMITTED]
    assert len(references(world)) == 1


def test_the_answers_of_a_batch_survive_redis_going_away_at_the_halt(world):
    sent = accept_from_writers(world, 5, sender="negozio")
    world.providers["negozio"].answers = [TOKEN_EXPIRED] + [Submitted()] * 4
    world.deps = replace(world.deps, senders=Stumbling(world.deps.senders, "halt", away={1}))

    drain(world, "negozio", slots=8)

    assert states(world, sent)[1:] == [MessageState.SUBMITTED] * 4


def test_what_has_begun_leaves_though_redis_is_away_for_the_rest_of_its_batch(world):
    sent = accept_from_writers(world, 3, sender="negozio")
    interrupted = Interrupted(world.deps.lanes, lambda: opt_in_to_all(world, contact(1)))
    world.deps = replace(world.deps, lanes=Stumbling(interrupted, "step", away={2}))

    drain(world, "negozio", slots=8)

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
        drain(world)
        world.clock.advance(LEASE + SECOND)
        beat(world)
    drain(world, slots=8)

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


def test_a_stale_clock_asks_for_no_doorbell(world):
    accept(world)
    world.clock.stale = True

    report = drain(world, slots=8)

    assert not report.must_ring


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

    drain(world)
    drain(world)

    assert AttemptReference(late, 1) not in references(world)
    assert states(world, [first, late]) == [MessageState.SUBMITTED, ends_as]


def test_claims_that_wait_long_for_a_slot_are_given_back(world):
    ids = accept_from_writers(world, 8)
    slow = BusyProvider(lambda: (world.clock.advance(8 * SECOND), beat(world)))
    world.deps = replace(world.deps, providers={**world.providers, "shop": slow})

    for _ in ids:
        drain(world, slots=128, threads=1)

    assert states(world, ids) == [MessageState.SUBMITTED] * 8
    assert len(slow.sent) == 8


def test_a_worker_told_to_stop_gives_back_what_it_has_not_begun(world):
    ids = accept_from_writers(world, 8)
    stopping = threading.Event()
    provider = BusyProvider(stopping.set)
    world.deps = replace(world.deps, providers={**world.providers, "shop": provider})

    drain(world, slots=8, threads=1, stopping=stopping)

    assert len(provider.sent) == 1
    assert states(world, ids) == [MessageState.SUBMITTED] + [MessageState.QUEUED] * 7
    assert claim_one(world).message_id == ids[1]
