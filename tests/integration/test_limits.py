"""The drain within Meta's limits: nothing is refused for its pace, nobody else waits, nobody sleeps."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from sandbox.limits import Limits as SandboxLimits
from sandbox.settings import Settings as SandboxSettings
from shared.clock import to_ms
from shared.configuration import Configuration
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.providers.base import ErrorRow, ProviderMessageId, Rejected, Submitted
from tests.builders import ANNA, NOW, RecordingProvider, World, app, meta_sender, wrote
from tests.play import accept
from workers.outbound import Drain
from workers.ticker import Ticker

SECOND = timedelta(seconds=1)


class LimitedProvider(RecordingProvider):
    """Meta as the sandbox plays it, by a clock that her requests move by up to `slowest`."""

    def __init__(self, world: World, *, slowest: timedelta) -> None:
        super().__init__()
        self.world = world
        self.limits = SandboxLimits()
        self.rules = SandboxSettings(pair_interval_seconds=6)
        self.random = random.Random(7)
        self.slowest = slowest

    def _answer(self, outgoing):
        if outgoing.to == ANNA:  # one is on its way at a time: nobody else's request makes it later
            self.world.clock.advance(self.slowest * self.random.random())
        at = (self.world.clock.now() - NOW).total_seconds()
        code = self.limits.admit("shop", outgoing.to.value, at=at, settings=self.rules)
        if code is not None:
            row = ErrorRow(error_class=ErrorClass.THROTTLE, advice="…")
            return Rejected(code=str(code), row=row)
        return Submitted(provider_message_id=ProviderMessageId(f"wamid.{outgoing.reference}"))


def drain(world: World, ticker: Ticker | None = None):
    sender = world.deps.sender("shop")
    watch = (lambda: ticker.watch(sender)) if ticker else (lambda: None)
    with ThreadPoolExecutor(8) as slots:
        run = Drain(world.deps, sender, slots, most_slots=8, stopping=threading.Event(), when_limited=watch)
        return run.run()


def go_to_next(world: World) -> None:
    """To the moment at which something may be looked at; nothing happens before."""
    ((_, score),) = world.client.zrange("queues:{default}:shop", 0, 0, withscores=True)
    world.clock.advance(timedelta(milliseconds=max(1, score - to_ms(world.clock.now()))))


def world_with(client, **limits: object) -> World:
    configuration = Configuration(senders={"shop": meta_sender(**limits)}, apps={"orders": app("orders")})
    return World(client, configuration=configuration)


def write(world: World, contact: ContactId) -> None:
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(contact=contact))], now=world.clock.now())


@pytest.mark.parametrize("slowest", [0 * SECOND, 1.1 * SECOND])
def test_two_hundred_messages_to_one_contact_never_meet_the_pair_limit(any_redis, slowest):
    world = world_with(any_redis, pair_interval=6 * SECOND, pair_burst=45, throughput_per_second=1e4)
    provider = LimitedProvider(world, slowest=slowest)
    world.providers["shop"] = provider
    others = [ContactId(f"+3933399{number:05}") for number in range(20)]
    for contact in (ANNA, *others):
        write(world, contact)
    hot = [accept(world, ANNA) for _ in range(200)]
    beside = [accept(world, contact) for contact in others]

    drain(world)
    if slowest == 0 * SECOND:
        assert world.deps.messages.count("default", MessageState.SUBMITTED) == 45 + len(beside)
    drains = 1
    while world.deps.messages.count("default", MessageState.SUBMITTED) < len(hot) + len(beside):
        go_to_next(world)
        drain(world)
        drains += 1

    references = [outgoing.reference.message_id for outgoing in provider.sent]
    assert len(references) == len(hot) + len(beside)  # each once: nothing was refused
    assert [id_ for id_ in references if id_ in set(hot)] == hot
    assert drains < 100


def test_a_sender_over_its_rate_is_looked_at_again_soon_and_nobody_sleeps(any_redis):
    world = world_with(any_redis, throughput_per_second=40.0)
    contacts = [ContactId(f"+3933399{number:05}") for number in range(30)]
    for contact in contacts:
        write(world, contact)
        accept(world, contact)
    world.clock.advance(10 * SECOND)  # what they wrote counted too
    ticker = Ticker(world.deps, ring_for_app=lambda business, app: None)

    report = drain(world, ticker)

    assert len(report.settled) == 16  # 0.4 seconds' worth
    assert not report.must_ring
    ticker.glance()
    assert world.rung == []
    world.clock.advance(0.1 * SECOND)
    ticker.glance()
    assert world.rung == ["shop"]
    assert len(drain(world).settled) == 4


def test_what_is_refused_takes_nothing_of_the_rate(any_redis):
    world = world_with(any_redis, throughput_per_second=40.0)
    for number in range(100):
        accept(world, ContactId(f"+3933399{number:05}"))  # no window, no template

    for _ in range(10):  # no time passes
        drain(world)

    assert world.deps.messages.count("default", MessageState.REFUSED) == 100


def test_a_sender_that_has_caught_up_is_glanced_at_no_more(any_redis):
    world = world_with(any_redis, throughput_per_second=40.0)
    ticker = Ticker(world.deps, ring_for_app=lambda business, app: None)
    ticker.watch(world.deps.sender("shop"))
    for _ in range(10):
        ticker.glance()
    write(world, ANNA)
    accept(world, ANNA)

    ticker.glance()

    assert world.rung == []


def test_what_contacts_write_takes_its_part_of_the_rate(any_redis):
    world = world_with(any_redis, throughput_per_second=40.0)
    for number in range(30):
        contact = ContactId(f"+3933399{number:05}")
        accept(world, contact)
        if number < 5:
            write(world, contact)

    assert len(drain(world).settled) == 11


def test_a_flood_of_inbound_slows_a_sender_and_does_not_stop_it(any_redis):
    world = world_with(any_redis, throughput_per_second=40.0)
    for number in range(60):
        accept(world, ContactId(f"+3933399{number:05}"))
    went = 0
    for _ in range(30):  # three seconds of a hundred messages each
        for number in range(10):
            write(world, ContactId(f"+3933399{number:05}"))
        world.clock.advance(0.1 * SECOND)
        went += len(drain(world).settled)

    assert 0.2 * 40 * 3 <= went <= 0.9 * 40 * 3


def test_an_old_message_that_comes_late_takes_nothing(any_redis):
    world = world_with(any_redis, throughput_per_second=40.0)
    old = [(world.deps.sender("shop"), wrote(NOW - 60 * SECOND)) for _ in range(20)]

    world.deps.recorder.record(old, now=NOW)

    assert world.client.hget("sender:{default}:shop", "tat") is None
