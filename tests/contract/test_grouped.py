"""Many threads, one round trip: each gets its own answers, and its own error."""

import re
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from shared.domain.window import WindowPolicy
from shared.errors import StoreUnavailableError
from shared.store.connection import connect
from shared.store.grouped import GroupedScripts
from shared.store.scripts import Call, Scripts, source_of
from shared.store.updates import RecordingPolicy, Updates
from tests.builders import ANNA, DAY, NOW, Stores, meta_sender, wrote


class GatedScripts(Scripts):
    """Holds the first round trip until it is let go, so that others have to wait for the next."""

    def __init__(self, client):
        super().__init__(client)
        self.trips = []
        self.gate = threading.Event()

    def run_each(self, calls):
        self.trips.append(len(calls))
        assert self.gate.wait(10)
        return super().run_each(calls)


@pytest.fixture
def scripts(any_redis) -> GatedScripts:
    return GatedScripts(any_redis)


def count(name):
    return Call.of("count", "default", name, secrets.token_hex(8), 1_000)


def broken():
    """A row of a script of ours, as wide as it says, with arguments that it cannot work with."""
    width = re.search(r"^-- ROWS (\d+)", source_of("record_inbound"), re.MULTILINE)
    return Call.of("record_inbound", "default", *["x"] * int(width[1]))


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)  # the queue of waiting threads tells nobody


def run_while_one_is_on_its_way(scripts, *turns, waiting=None):
    """The first turn goes alone and is held; the others are there, `waiting` of them, when it comes back."""
    grouped = GroupedScripts(scripts)
    with ThreadPoolExecutor(len(turns) + 1) as pool:
        first = pool.submit(grouped.run_all, [count("first")])
        wait_for(lambda: scripts.trips)
        others = [pool.submit(grouped.run_all, turn) for turn in turns]
        wait_for(lambda: len(grouped._waiting) == (len(turns) if waiting is None else waiting))
        scripts.gate.set()
        first.result(10)
        return [other.exception(10) or other.result() for other in others]


def test_who_comes_while_redis_is_busy_goes_with_the_next(scripts):
    turns = [[count("a"), count("a")], [count("b")], [count("c")]]
    answers = run_while_one_is_on_its_way(scripts, *turns)

    assert answers == [["noted", "noted"], ["noted"], ["noted"]]
    assert scripts.trips == [1, 4]


class Echoing:
    """Answers each call with its script and its first argument, and keeps the order in which they came."""

    def __init__(self):
        self.came = []

    def run_each(self, calls):
        self.came += [call.script for call in calls]
        return [(call.script, call.arguments[0]) for call in calls]


def test_calls_of_one_script_may_go_first_and_each_gets_its_own_answer():
    scripts = Echoing()
    calls = [Call.of(script, "default", n) for n, script in enumerate(["begin", "settle", "begin", "settle"])]

    answers = GroupedScripts(scripts, first="settle").run_all(calls)

    assert scripts.came == ["settle", "settle", "begin", "begin"]
    assert answers == [("begin", 0), ("settle", 1), ("begin", 2), ("settle", 3)]


def test_a_fault_of_ours_costs_nobody_else_anything(scripts):
    answers = run_while_one_is_on_its_way(scripts, [count("a")], [broken()], [count("c")])

    assert [answers[0], answers[2]] == [["noted"], ["noted"]]
    assert isinstance(answers[1], redis.ResponseError)


def test_a_fault_in_one_row_of_a_command_costs_the_others_nothing(any_redis):
    stores = Stores(any_redis)
    words = stores.recorder.record([(meta_sender(), wrote()) for _ in range(120)], now=NOW)
    assert words == ["recorded"] * 120

    good = Updates(RecordingPolicy(window=WindowPolicy(), languages=(), retention=DAY, aliases_of={}))
    calls = [good.call(meta_sender(), wrote(), NOW), broken(), good.call(meta_sender(), wrote(), NOW)]
    first, fault, last = stores.scripts.run_each(calls)
    assert first[0] == last[0] == "recorded"
    assert isinstance(fault, redis.ResponseError)


def test_rows_that_are_none_are_a_fault_and_nobody_elses_answer(any_redis):
    stores = Stores(any_redis)
    fault, noted = stores.scripts.run_each([Call.of("record_inbound", "default"), count("a")])

    assert isinstance(fault, redis.ResponseError)
    assert noted == "noted"


def test_a_crowd_goes_in_several_round_trips(scripts):
    turns = [[count("a")] * 600 for _ in range(4)]
    run_while_one_is_on_its_way(scripts, *turns, waiting=3)

    assert scripts.trips == [1, 600, 600, 600, 600]


def test_a_server_that_is_away_is_away_for_everybody_at_once():
    away = GatedScripts(connect("redis://127.0.0.1:1/0"))
    grouped = GroupedScripts(away)
    away.gate.set()
    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(grouped.run_all, [count("a")]) for _ in range(40)]

        assert all(isinstance(result.exception(10), StoreUnavailableError) for result in results)


def test_everything_counted_once_under_many_threads(any_redis):
    grouped = GroupedScripts(Scripts(any_redis))
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda _: grouped.run_all([count("n"), count("n")]), range(400)))

    assert any_redis.hget("counters:{default}", "n") == "800"


def test_a_server_that_takes_no_writes_is_away_and_not_a_fault_of_ours(real_redis):
    """After a failover the old primary is read-only: the provider has to send it again."""
    stores = Stores(real_redis)
    stores.recorder.record([(meta_sender(), wrote())], now=NOW)
    real_redis.replicaof("127.0.0.1", "1")
    try:
        with pytest.raises(StoreUnavailableError):
            stores.recorder.record([(meta_sender(), wrote()), (meta_sender(), wrote())], now=NOW)
    finally:
        real_redis.replicaof("NO", "ONE")


def test_what_a_new_process_asks_first_runs_in_the_order_of_its_calls(any_redis):
    any_redis.script_flush()
    scripts = Stores(any_redis).scripts
    read = Call.of("contact", "default", "shop", ANNA.value)
    scripts.run(read)  # this one the server has; the one that comes before it, it has not
    updates = Updates(RecordingPolicy(window=WindowPolicy(), languages=(), retention=DAY, aliases_of={}))

    _, (_, window, *_) = scripts.run_all([updates.call(meta_sender(), wrote(), NOW), read])

    assert window
