"""The task that completes erasures which were interrupted: rung for, one at a time, safe to repeat."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from celery import Celery

from shared.clock import to_ms
from shared.configuration import Secret
from shared.deps import Deps
from shared.domain.identifiers import ContactId
from shared.errors import StoreUnavailableError
from shared.queues import ERASE
from shared.store.erasure import Erasure
from shared.store.keyed_hash import KeyedHashes
from shared.store.scripts import Scripts
from tests.builders import ANNA, World, wrote
from workers.monitor import Monitor
from workers.tasks import register
from workers.ticker import Ticker

KEY = Secret("the key of this test")
BRUNO = ContactId("+393330000002")


@pytest.fixture
def world(any_redis) -> World:
    return World(any_redis, secret_keys=(KEY,))


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def task(world, stopping):
    return task_of(world.deps, stopping)


def task_of(deps: Deps, stopping: threading.Event):
    app = Celery(set_as_current=False)
    ticker = Ticker(deps, ring_for_app=lambda *_whom: None)
    register(app, deps, Monitor(app, "here"), ticker, stopping, pass_on=lambda _sender: None)
    return app.tasks[ERASE]


class Away(Scripts):
    def run_all(self, calls):
        raise StoreUnavailableError


def writes(world: World, text: str) -> None:
    sender, now = world.deps.sender("shop"), world.clock.now()
    world.deps.recorder.record([(sender, wrote(now, event_id=f"wamid.{text}", text=text))], now=now)


def interrupt(world: World, *people: ContactId) -> None:
    """As an erase leaves it that died after its first step."""
    for one in people:
        world.client.hset("erasing:{default}", one.value, f"{to_ms(world.clock.now())}|cut {one}")
        world.client.delete(f"contact:{{default}}:{one}", f"window:{{default}}:shop:{one}")


def unfinished(world: World) -> int:
    return world.deps.retention.state("default").unfinished_erasures


def test_what_was_interrupted_is_completed_as_of_its_beginning(world, task):
    writes(world, "before")
    interrupt(world, ANNA)
    world.clock.advance(timedelta(seconds=1))
    writes(world, "after")

    said = [task("default"), task("default")]

    contact = world.deps.contacts.get(world.deps.sender("shop"), ANNA)
    assert [each["text"] for each in contact.inbound] == ["after"]
    assert contact.window.is_open(world.clock.now())
    assert said == ["default → 1 completed", "default → 0 completed"]
    assert unfinished(world) == 0


def test_one_is_at_it_at_a_time(world, task):
    interrupt(world, ANNA)
    world.client.set("resuming:{default}", "1")

    assert task("default") == "default → somebody is at it"
    assert unfinished(world) == 1


def test_whom_the_store_left_alone_does_not_keep_others_from_it_for_ever(world, stopping):
    interrupt(world, ANNA)
    gone = Erasure(world.client, Away(world.client), KeyedHashes((KEY,)), {})

    said = task_of(replace(world.deps, erasure=gone), stopping)("default")

    assert (said, unfinished(world)) == ("default → the store does not answer", 1)
    assert 0 < world.client.pttl("resuming:{default}") <= 30 * 60_000


def test_one_that_cannot_be_read_is_told_of_and_keeps_nobody_else_from_it(world, task):
    for name in ("!", "~"):  # on either side of the others, whatever the order
        world.client.hset("erasing:{default}", name, "nonsense")
    interrupt(world, ANNA, BRUNO)

    with structlog.testing.capture_logs() as lines:
        said = task("default")

    assert (said, unfinished(world)) == ("default → 2 completed", 2)
    assert [line["where"] for line in lines if line["event"] == "bug"] == ["erasure", "erasure"]
    assert not world.client.exists("resuming:{default}")


def test_a_worker_that_stops_leaves_the_rest_to_the_next(world, task, stopping):
    interrupt(world, ANNA, BRUNO)
    stopping.set()

    assert task("default") == "default → 0 completed"
    assert unfinished(world) == 2
    assert not world.client.exists("resuming:{default}")


def test_a_business_that_is_gone_is_no_error(task):
    assert task("zeta") == "zeta → no such business here"
