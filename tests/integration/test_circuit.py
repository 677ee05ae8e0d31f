"""A provider that is down: it is asked now and then, and all goes when it is back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.identifiers import ContactId
from shared.domain.message import MessageState
from shared.providers.base import NOT_TAKEN, SILENT, Rejected
from tests.builders import (
    NOW,
    RecordingProvider,
    World,
)
from tests.play import accept, beat, drain, writes
from tests.three_senders import FAILED, REFUSED, SECOND, SHOP, SUBMITTED, error, states, three_senders


class Down(RecordingProvider):
    """Down while it is told so; keeps when it was asked."""

    def __init__(self, world: World, answer: Rejected) -> None:
        super().__init__()
        self._world = world
        self._answer_when_down = answer
        self.is_down = True
        self.asked_at = []

    def send(self, batch):
        self.asked_at.append(self._world.clock.now())
        return [self._answer_when_down for _ in batch] if self.is_down else super().send(batch)


def put_down(world: World, answer: Rejected) -> Down:
    provider = Down(world, answer)
    world.deps = replace(world.deps, providers={**world.providers, "shop": provider})
    return provider


def run_for(world: World, wait: timedelta) -> None:
    """As workers do: a beat every half second, a drain for each bell."""
    end = world.clock.now() + wait
    while world.clock.now() < end:
        world.rung.clear()
        world.client.delete("bell:{default}:shop")  # it ends by Redis' own clock
        beat(world)
        if "shop" in world.rung:
            drain(world, slots=4)
        world.clock.advance(SECOND / 2)


CONTACTS = [ContactId(f"+39333000{number:04}") for number in range(40)]


@pytest.fixture
def world(any_redis) -> World:
    return three_senders(any_redis)


class TestCircuit:
    def test_a_provider_that_is_down_is_asked_now_and_then_and_all_goes_when_it_is_back(self, world):
        provider = put_down(world, Rejected(code="http_503", row=NOT_TAKEN))
        writes(world, *CONTACTS)
        ids = [accept(world, contact) for contact in CONTACTS]

        run_for(world, timedelta(minutes=2))
        asked = len(provider.asked_at)
        gaps = [b - a for a, b in zip(provider.asked_at[9:], provider.asked_at[10:], strict=False)]
        circuit = world.deps.senders.get(SHOP).circuit
        provider.is_down = False
        run_for(world, timedelta(seconds=15))

        assert circuit.is_open
        assert circuit.since < NOW + SECOND
        assert circuit.why == "http_503"
        assert all(gap >= 5 * SECOND for gap in gaps)
        assert asked <= 10 + 120 / 5
        assert set(states(world, *ids)) == {SUBMITTED}
        assert not world.deps.senders.get(SHOP).circuit.is_open

    def test_a_message_that_tries_for_all_does_not_use_up_its_tries(self, world):
        provider = put_down(world, error("131000"))
        writes(world, *CONTACTS[:8])
        ids = [accept(world, contact) for contact in CONTACTS[:8]]

        run_for(world, timedelta(minutes=3))
        provider.is_down = False
        run_for(world, timedelta(minutes=1))

        assert set(states(world, *ids)) == {SUBMITTED}

    def test_a_few_failures_among_successes_stop_nothing(self, world):
        writes(world, *CONTACTS)
        ids = [accept(world, contact) for contact in CONTACTS]
        down = Rejected(code="timeout", row=SILENT)
        world.providers["shop"].answers = [down, down, down, down, error("131026"), down, down, down]

        drain(world)

        assert not world.deps.senders.get(SHOP).circuit.is_open
        assert states(world, *ids).count(MessageState.UNKNOWN) == 7

    def test_expiry_holds_while_it_is_down(self, world):
        put_down(world, Rejected(code="http_503", row=NOT_TAKEN))
        writes(world, *CONTACTS[:10])
        ids = [accept(world, contact, expires_at=NOW + 30 * SECOND) for contact in CONTACTS[:10]]

        run_for(world, timedelta(seconds=40))

        assert set(states(world, *ids)) <= {MessageState.EXPIRED, FAILED}

    def test_a_try_that_asks_nothing_leaves_the_turn_to_the_next(self, world):
        provider = put_down(world, Rejected(code="http_503", row=NOT_TAKEN))
        writes(world, *CONTACTS[:8])
        for contact in CONTACTS[:8]:
            accept(world, contact)
        drain(world)
        provider.is_down = False
        nobody = [ContactId(f"+39444000{number:04}") for number in range(20)]
        refused = [accept(world, contact, priority=0) for contact in nobody]

        run_for(world, timedelta(seconds=20))

        assert set(states(world, *refused)) == {REFUSED}
        assert not world.deps.senders.get(SHOP).circuit.is_open

    def test_resuming_by_hand_tries_at_once(self, world):
        provider = put_down(world, Rejected(code="http_503", row=NOT_TAKEN))
        writes(world, *CONTACTS[:8])
        for contact in CONTACTS[:8]:
            accept(world, contact)
        drain(world)
        asked = len(provider.asked_at)
        provider.is_down = False

        world.deps.senders.resume(SHOP, now=world.clock.now())
        drain(world)

        assert len(provider.asked_at) > asked
        assert not world.deps.senders.get(SHOP).circuit.is_open
