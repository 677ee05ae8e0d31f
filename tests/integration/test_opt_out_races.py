"""Opt-outs against fifty slots at work: once one is answered, nothing more begins for that contact."""

import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import redis

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.providers.base import Outgoing, SendResult
from shared.store.claims import Begin, Go, Settle, Stepped
from shared.store.consents import Decision
from shared.store.lanes import Lanes
from tests.builders import (
    DAY,
    NOW,
    RecordingProvider,
    World,
    meta_sender,
    opt_in,
    opt_out,
    settings,
    template,
    wrote,
)
from tests.play import accept, record
from workers.outbound import Drain

CONTACTS, EACH, SLOTS = 60, 4, 50


class WatchedLanes:
    """The lanes, noting when each begin that was answered with a go had been asked for."""

    def __init__(self, lanes: Lanes, tick: Callable[[], int]) -> None:
        self._lanes = lanes
        self._tick = tick
        self.begun: list[tuple[int, ContactId]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._lanes, name)

    def step(self, settles: Sequence[Settle], begins: Sequence[Begin], *, now) -> Stepped:
        asked_at = self._tick()
        stepped = self._lanes.step(settles, begins, now=now)
        for begin, answer in zip(begins, stepped.answers, strict=True):
            if isinstance(answer, Go):
                self.begun.append((asked_at, begin.claim.contact))
        return stepped


class Prompting(RecordingProvider):
    """Each request that arrives makes somebody say no."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def send(self, batch: Sequence[Outgoing]) -> list[SendResult]:
        self.arrived.put(True)
        return super().send(batch)


def by_keyword(world: World, contact: ContactId) -> None:
    event = wrote(NOW, contact=contact, text="Stop.")
    assert world.deps.recorder.record([(world.deps.sender("shop"), event)], now=NOW) == ["recorded"]


def by_app(world: World, contact: ContactId) -> None:
    world.deps.contacts.set_consent(world.deps.sender("shop"), contact, opt_out(NOW), list(Category), now=NOW)


def by_import(world: World, contact: ContactId) -> None:
    decision = Decision(contact=contact, record=opt_out(NOW), categories=list(Category), by="import")
    world.deps.consents.record_all(world.deps.sender("shop"), [decision], now=NOW)


DOORS = (by_keyword, by_app, by_import)


@pytest.fixture
def world(real_redis: redis.Redis) -> World:
    fast = meta_sender(throughput_per_second=100_000.0)
    configuration = replace(settings().configuration, senders={"shop": fast})
    world = World(real_redis, configuration=configuration)
    world.deps.templates.create("default", template(), nonce="n")
    world.providers["shop"] = Prompting()
    return world


def test_nothing_begins_for_a_contact_after_its_opt_out_was_answered_by_whatever_door(world):
    tick = itertools.count().__next__
    lanes = WatchedLanes(world.deps.lanes, tick)
    deps = replace(world.deps, lanes=lanes, providers=world.providers)
    shop = world.deps.sender("shop")
    contacts = [ContactId(f"+39333123{number:04}") for number in range(CONTACTS)]
    for contact in contacts:
        world.deps.contacts.set_consent(shop, contact, opt_in(NOW - DAY), list(Category), now=NOW)
    queued = [accept(world, to=contact, content=None) for _ in range(EACH) for contact in contacts]
    answered: dict[ContactId, int] = {}

    def say_no() -> None:
        for contact, door in zip(reversed(contacts), itertools.cycle(DOORS), strict=False):
            world.providers["shop"].arrived.get(timeout=30)
            door(world, contact)
            answered[contact] = tick()

    with ThreadPoolExecutor(SLOTS) as slots, ThreadPoolExecutor(3) as others:
        objecting = others.submit(say_no)
        drains = [
            others.submit(Drain(deps, shop, slots, most_slots=SLOTS // 2, stopping=threading.Event()).run)
            for _ in range(2)
        ]
        for done in (objecting, *drains):
            done.result()

    assert [contact for asked_at, contact in lanes.begun if asked_at > answered[contact]] == []
    found = [record(world, message_id) for message_id in queued]
    assert {(one.state.value, one.reason) for one in found} == {("submitted", None), ("refused", "opted_out")}
    assert len(world.providers["shop"].sent) == sum(one.state == "submitted" for one in found)
