"""What nobody asked to be forgotten is forgotten all the same when its time is over, a page at a time."""

import json
from datetime import timedelta

import pytest

from shared.clock import rfc3339, to_ms
from shared.configuration import Secret
from shared.domain.consent import Category, ConsentStatus
from shared.domain.events import PreferenceChanged
from shared.domain.identifiers import ContactId
from shared.store.messages import Acceptance
from shared.store.retention import PASS_EVERY
from tests.builders import ANNA, DAY, NOW, World, opt_in, request, wrote
from tests.door import DESK
from webhook.api.app import create_api
from workers.ticker import Ticker

BRUNO, USER_ID = ContactId("+393339999999"), ContactId("IT.901")
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(any_redis) -> World:
    return World(any_redis)


def writes(world: World, contact: ContactId = ANNA, **changes: object) -> None:
    event = wrote(world.clock.now(), contact=contact, **changes)
    world.deps.recorder.record([(world.deps.sender("shop"), event)], now=world.clock.now())


def walk(world: World) -> dict[str, int]:
    """Until the walk has ended."""
    while (removed := world.deps.retention.beat("default", now=world.clock.now())) is None:
        pass
    return {kind: count for kind, count in removed.items() if count}


def later(world: World, by: timedelta = 31 * DAY) -> None:
    """Redis ends what has a time by its own clock, which no test can turn: here it is ended by hand."""
    world.clock.advance(by)
    for kind in ("recent", "window", "inbound", "seen"):
        for key in world.client.keys(f"{kind}:*"):
            world.client.delete(key)


def contacts(world: World) -> set[str]:
    return set(world.client.keys("contact:*")) | set(world.client.keys("alias:*"))


def test_who_only_wrote_is_forgotten_when_silent_for_longer_than_the_retention(world):
    writes(world)
    later(world)

    assert walk(world) == {"contacts": 1}
    assert contacts(world) == set()


def test_who_was_there_within_the_retention_stays(world):
    writes(world)
    later(world, 29 * DAY)

    assert walk(world) == {}
    assert len(contacts(world)) == 1


def test_a_word_about_consent_is_evidence_and_stays(world):
    shop = world.deps.sender("shop")
    world.deps.contacts.set_consent(shop, ANNA, opt_in(), [Category.UTILITY], now=NOW)
    stopped = PreferenceChanged(
        recipient="1", contact=BRUNO, category=Category.MARKETING, status=ConsentStatus.OPTED_OUT, at=NOW
    )
    world.deps.recorder.record([(shop, stopped)], now=NOW)
    later(world)

    assert walk(world) == {}
    assert world.deps.retention.state("default").kinds[3].count == 2


def test_a_name_goes_with_the_contact_that_it_led_to(world):
    writes(world, contact=USER_ID)
    world.client.set(f"alias:{{default}}:{USER_ID}", f"{BRUNO}|{to_ms(NOW)}")
    later(world)

    removed = walk(world)
    removed_later = walk_again(world)

    assert removed | removed_later == {"contacts": 1, "names": 1}
    assert contacts(world) == set()


def walk_again(world: World) -> dict[str, int]:
    world.clock.advance(PASS_EVERY)
    return walk(world)


def test_whom_something_still_waits_for_stays(world):
    writes(world)
    later(world)
    asked = request(expires_at=world.clock.now() + DAY)
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=asked)
    world.deps.messages.accept(world.deps.sender("shop"), acceptance, now=world.clock.now())
    world.client.delete(f"recent:{{default}}:{ANNA}")

    assert walk(world) == {}


def test_streams_end_by_the_age_of_their_entries(world):
    old = "1000000000000-0"
    for stream in ("events", "quarantine", "submissions"):
        world.client.xadd(f"{stream}:{{default}}", {"at": 1, "t": "x", "r": "x"}, id=old)
        world.client.xadd(f"{stream}:{{default}}", {"at": 1, "t": "x", "r": "x"})

    assert walk(world) == {"events": 1, "quarantine": 1, "submissions": 1}
    assert [world.client.xlen(f"{stream}:{{default}}") for stream in ("events", "quarantine")] == [1, 1]


def test_what_waits_for_an_app_that_nobody_pushes_to_ends_too(world):
    world.client.rpush(f"callback_lane:{{default}}:gone:{ANNA}", json.dumps({"at": to_ms(NOW)}))
    world.client.zadd("callback_ready:{default}:gone", {ANNA.value: to_ms(NOW)})
    world.client.zadd("callback_parked:{default}:gone", {"{}": to_ms(NOW)})
    later(world)

    assert walk(world) == {"callbacks": 2}
    assert world.client.keys("callback_*") == []


def test_a_walk_goes_on_where_it_was_and_begins_once_an_hour(world):
    for number in range(1_500):
        world.client.hset(f"contact:{{default}}:+3933300{number:05}", mapping={"version": 1})
    beats = 1
    while world.deps.retention.beat("default", now=NOW) is None:
        assert world.deps.retention.state("default").is_running
        beats += 1

    assert beats > 2
    assert world.client.keys("contact:*") == []
    assert world.deps.retention.beat("default", now=NOW + PASS_EVERY - SECOND) is None
    assert not world.deps.retention.state("default").is_running


def test_the_ticker_walks_and_the_door_shows_it(world):
    writes(world)
    Ticker(world.deps, ring_for_app=lambda _business, _app: None).beat()

    (shown,) = create_api(world.deps).test_client().get("/v1/retention", headers=DESK).json["items"]
    kinds = {kept["kind"]: kept for kept in shown["kinds"]}

    assert (shown["business"], shown["last_run_at"], shown["running"]) == ("default", rfc3339(NOW), False)
    assert (kinds["contacts"]["count"], kinds["contacts"]["oldest"]) == (1, rfc3339(NOW))
    assert (kinds["inbound"]["count"], kinds["inbound"]["days"]) == (1, 30)
    assert (kinds["contacts_with_consent"]["days"], kinds["audit"]["days"]) == (None, None)


def test_a_secret_key_that_is_missing_later_is_told(any_redis):
    first, second = Secret("the key of this test"), Secret("the key after this one")
    World(any_redis, secret_keys=(first,)).deps.erasure.erase("default", ANNA, now=NOW)

    def is_complete(*keys: Secret) -> bool:
        return World(any_redis, secret_keys=keys).deps.retention.state("default").has_all_keys

    assert is_complete(first)
    assert is_complete(second, first)
    assert not is_complete(second)
    assert not is_complete()


def test_an_erasure_that_was_interrupted_is_rung_for_and_no_beat_waits_for_it(any_redis):
    world, rung = World(any_redis, secret_keys=(Secret("the key of this test"),)), []
    ticker = Ticker(world.deps, ring_for_app=lambda *_whom: None, ring_for_erasures=rung.append)
    any_redis.hset("erasing:{default}", "mark", f"{to_ms(NOW)}|cut {ANNA}")

    ticker.beat()

    assert rung == ["default"]
    assert world.deps.retention.state("default").unfinished_erasures == 1
