"""A bell that finds its worker loaded with that sender goes to another process, once."""

import threading

import pytest
from celery import Celery

from shared.domain.identifiers import ContactId
from shared.queues import DRAIN
from tests.builders import NOW, RecordingProvider, World, wrote
from tests.play import accept
from workers.monitor import Monitor
from workers.tasks import register
from workers.ticker import Ticker

CONTACTS = [ContactId(f"+39333000000{number}") for number in range(6)]


class Slow(RecordingProvider):
    """Answers when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.was_asked = threading.Event()
        self.may_answer = threading.Event()

    def send(self, batch):
        self.was_asked.set()
        assert self.may_answer.wait(10)
        return super().send(batch)


class Silent(Monitor):
    def show(self, sender, settled) -> None:
        """Nobody watches."""


@pytest.fixture
def world(any_redis) -> World:
    world = World(any_redis, worker_slots=1)
    world.providers["shop"] = Slow()
    world.passed_on = []
    app = Celery(set_as_current=False)
    ticker = Ticker(world.deps, ring_for_app=lambda business, app: None)
    register(
        app,
        world.deps,
        Silent(app, "here"),
        ticker,
        threading.Event(),
        pass_on=lambda sender: world.passed_on.append(sender.alias),
    )
    world.drain = app.tasks[DRAIN]
    return world


def accept_for_all(world: World) -> None:
    shop = world.deps.sender("shop")
    for contact in CONTACTS:
        world.deps.recorder.record([(shop, wrote(contact=contact))], now=NOW)
        accept(world, to=contact)


def while_loaded(world: World, ring) -> str:
    """What `ring` says while the one slot is busy and claims wait for it."""
    accept_for_all(world)
    first = threading.Thread(target=world.drain, args=("default", "shop"))
    first.start()
    assert world.providers["shop"].was_asked.wait(10)
    said = ring()
    world.providers["shop"].may_answer.set()
    first.join(10)
    return said


def test_a_loaded_worker_passes_a_bell_on_and_finishes_what_it_has(world):
    said = while_loaded(world, lambda: world.drain("default", "shop"))

    assert said == "shop → passed on"
    assert world.passed_on == ["shop"]
    assert len(world.providers["shop"].sent) == len(CONTACTS)


def test_a_bell_that_was_passed_on_is_not_passed_on_again(world):
    world.providers["shop"].may_answer.set()
    said = while_loaded(world, lambda: world.drain("default", "shop", is_passed_on=True))

    assert "passed on" not in said
    assert world.passed_on == []


def test_a_worker_with_nothing_in_hand_answers_its_bell_itself(world):
    world.providers["shop"].may_answer.set()
    accept_for_all(world)

    assert "submitted 6" in world.drain("default", "shop")
    assert world.passed_on == []
