"""Data of another version: written when there are none, brought up when older, left alone when newer."""

import signal
import threading
from datetime import timedelta

import fakeredis
import pytest

from shared.clock import ServerClock
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.errors import DataVersionError, MigrationRunningError
from shared.store.connection import connect
from shared.store.data_version import CURRENT, check_at_start, versions_of
from shared.store.migrations import MIGRATIONS, Migration, migrate
from tests.builders import ANNA, NOW, Stores, World, opt_in, template, wrote

BRUNO = ContactId("+393339999999")
BUSINESSES = ("default", "other")
VERSION = ("business:{default}", "data_version")


@pytest.fixture
def old(any_redis) -> World:
    """As it was before there were versions, and an index of consents."""
    world = World(any_redis)
    consent(world)
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(NOW, contact=BRUNO))], now=NOW)
    any_redis.delete("consented:{default}")
    return world


def indexed(world: World) -> list[str]:
    return [contact.value for contact, _ in world.deps.consents.page("default", after=None, limit=9).consents]


def start(client, businesses=BUSINESSES) -> None:
    check_at_start(client, businesses, ServerClock(lambda: 0.0))


def test_where_there_are_no_data_todays_version_begins(any_redis):
    start(any_redis)

    assert any_redis.hget(*VERSION) == str(CURRENT)
    assert versions_of(any_redis, BUSINESSES) == {"default": CURRENT, "other": CURRENT}


def test_who_only_looks_writes_nothing(any_redis):
    assert versions_of(any_redis, BUSINESSES) == {"default": CURRENT, "other": CURRENT}
    assert any_redis.dbsize() == 0


def test_data_of_todays_version_are_taken_and_migrating_them_does_nothing(any_redis):
    start(any_redis)
    inbound(World(any_redis))

    start(any_redis)

    assert [one.steps for one in migrate(any_redis, BUSINESSES)] == [(), ()]


def inbound(world: World) -> None:
    world.deps.recorder.record([(world.deps.sender("shop"), wrote())], now=NOW)


def consent(world: World) -> None:
    shop = world.deps.sender("shop")
    world.deps.contacts.set_consent(shop, ANNA, opt_in(), [Category.UTILITY], now=NOW)


def message(world: World) -> None:
    Stores(world.client).accept()


def a_template(world: World) -> None:
    world.deps.templates.create("default", template(), nonce="n")


@pytest.mark.parametrize("begins", [inbound, consent, message, a_template])
def test_whatever_was_done_first_with_a_business_shows_that_its_data_have_no_version(any_redis, begins):
    begins(World(any_redis))

    assert versions_of(any_redis, ["default"]) == {"default": 0}


def test_older_data_are_refused_with_the_command_that_mends_it(old):
    with pytest.raises(DataVersionError, match=r"version 0, .* needs 1; run `finestra migrate`"):
        start(old.client)


def test_older_data_are_brought_up_once(old):
    (done, other) = migrate(old.client, BUSINESSES)

    assert (done.version, done.steps) == (CURRENT, (("contacts with a consent are indexed", 1),))
    assert (other.business, other.steps) == ("other", ())
    assert indexed(old) == [ANNA.value]
    start(old.client)
    assert [one.steps for one in migrate(old.client, BUSINESSES)] == [(), ()]


def test_a_migration_that_was_interrupted_is_begun_anew(old):
    def is_cut(client, business):
        yield from MIGRATIONS[0].run(client, business)
        raise ConnectionError("cut")

    with pytest.raises(ConnectionError):
        migrate(old.client, BUSINESSES, [Migration("cut", is_cut)])
    assert versions_of(old.client, ["default"]) == {"default": 0}

    (done, _) = migrate(old.client, BUSINESSES)

    assert done.steps == (("contacts with a consent are indexed", 0),)
    assert indexed(old) == [ANNA.value]


def test_steps_that_are_done_are_not_done_again(old):
    def fails(_client, _business):
        yield 1
        raise ConnectionError("cut")

    with pytest.raises(ConnectionError):
        migrate(old.client, ["default"], [*MIGRATIONS, Migration("fails", fails)])

    assert versions_of(old.client, ["default"]) == {"default": 1}


def test_newer_data_are_refused_by_the_start_and_by_the_migration(old):
    old.client.hset(*VERSION, str(CURRENT + 1))

    for attempt in (start, lambda client: migrate(client, BUSINESSES)):
        with pytest.raises(DataVersionError, match="older than the data: default has version 2"):
            attempt(old.client)
    assert indexed(old) == []


def test_who_comes_while_another_migrates_is_told_so(old):
    def asks_twice(client, business):
        with pytest.raises(MigrationRunningError):
            migrate(client, [business])
        yield 0

    migrate(old.client, ["default"], [Migration("asks twice", asks_twice)])

    assert old.client.keys("migrating:*") == []


def test_a_lock_that_was_lost_ends_the_migration_and_leaves_the_others_lock(old):
    def is_taken_over(client, _business):
        client.set("migrating:{default}", "somebody else")
        yield 0

    with pytest.raises(MigrationRunningError, match="taken over"):
        migrate(old.client, ["default"], [Migration("slow", is_taken_over)])

    assert old.client.get("migrating:{default}") == "somebody else"
    assert versions_of(old.client, ["default"]) == {"default": 0}


def test_many_at_once_on_a_real_server_do_it_once(real_redis, redis_url):
    world = World(real_redis)
    consent(world)
    real_redis.delete("consented:{default}")
    done, together = [], threading.Barrier(4)

    def one() -> None:
        with connect(redis_url) as client:
            together.wait()
            try:
                done.extend(len(each.steps) for each in migrate(client, ["default"]))
            except MigrationRunningError:
                done.append(0)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == [0, 0, 0, 1]
    assert indexed(world) == [ANNA.value]


class Impatient(ServerClock):
    def sleep(self, duration: timedelta) -> None:
        threading.Event().wait(0.01)


def test_a_process_that_started_without_redis_leaves_when_the_data_are_not_its_own():
    """It cannot be refused at the start; as soon as Redis answers it asks itself to stop."""
    server, left = fakeredis.FakeServer(version=(7,)), threading.Event()
    client = fakeredis.FakeRedis(server=server, decode_responses=True)
    client.hset(*VERSION, str(CURRENT + 1))
    server.connected = False
    before = signal.signal(signal.SIGTERM, lambda *_: left.set())
    try:
        check_at_start(client, ["default"], Impatient(lambda: 0.0))
        assert not left.is_set()
        server.connected = True

        assert left.wait(5)
    finally:
        signal.signal(signal.SIGTERM, before)
