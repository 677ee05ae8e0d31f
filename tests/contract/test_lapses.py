"""What the clock alone ends or brings into doubt is listed for Flower: no drain has a row of it."""

import pytest

from shared.domain.identifiers import ContactId
from shared.domain.message import MessageState
from shared.settings import LEASE
from shared.store.claims import Outcome
from shared.store.keys import Keys
from shared.store.lapses import Lapses
from tests.builders import DAY, NOW, Stores, World
from tests.steps import SECOND, SENDER, claim_one, sending, settle
from workers.ticker import Ticker

LATER = NOW + LEASE + SECOND
EXPIRED = ("shop", MessageState.EXPIRED, "expired")


def waiting(stores):
    """By sender, state and reason: the ids that are listed, and how many more there are."""
    found = Lapses(stores.client).waiting("default")
    return {
        (one.sender, one.state, one.reason): ([each.message_id for each in one.listed], one.more)
        for one in found
    }


def accept_many(stores, number):
    return [
        stores.accept(to=ContactId(f"+39333{n:07}"), expires_at=NOW + SECOND).message_id.value
        for n in range(number)
    ]


def give_up(stores, now=NOW):
    """Three workers that claim and never begin, and the claim that ends it."""
    for _ in range(3):
        claim_one(stores, now)
        now += LEASE + SECOND
        stores.lanes.tick([SENDER], now=now)
    assert stores.lanes.claim(SENDER, 10, now=now) == []


@pytest.mark.parametrize("waits_as", ["queued", "held", "deferred"])
def test_what_expires_while_it_waits_is_listed(stores, waits_as):
    accepted = stores.accept(expires_at=NOW + SECOND)
    if waits_as != "queued":
        settle(stores, claim_one(stores), Outcome(waits_as), until=NOW + DAY)

    stores.lanes.sweep("default", now=NOW + SECOND)

    assert waiting(stores) == {EXPIRED: ([accepted.message_id.value], 0)}


def test_a_doubt_of_a_lost_worker_is_listed_once(stores):
    claim = sending(stores)

    for _ in range(2):
        stores.lanes.tick([SENDER], now=LATER)

    doubt = ("shop", MessageState.UNKNOWN, "worker_lost")
    assert waiting(stores) == {doubt: ([claim.message_id.value], 0)}


def test_what_is_given_up_after_three_claims_is_listed(stores):
    accepted = stores.accept()

    give_up(stores)

    given_up = ("shop", MessageState.FAILED, "internal_error")
    assert waiting(stores) == {given_up: ([accepted.message_id.value], 0)}


def test_what_was_not_begun_goes_on_and_is_not_listed(stores):
    stores.accept()
    claim_one(stores)

    stores.lanes.tick([SENDER], now=LATER)

    assert waiting(stores) == {}


def test_of_very_many_twenty_are_listed_and_hide_nothing_else(stores):
    claim = sending(stores, expires_at=NOW + DAY)
    ids = accept_many(stores, 50)

    stores.lanes.sweep("default", now=LATER)
    stores.lanes.tick([SENDER], now=LATER)

    found = waiting(stores)
    listed, more = found.pop(EXPIRED)
    assert (len(listed), more) == (20, 30)
    assert set(listed) < set(ids)
    assert list(found.values()) == [([claim.message_id.value], 0)]


def test_what_came_while_they_were_shown_waits_for_the_next_beat(stores):
    stores.accept(expires_at=NOW + SECOND)
    stores.lanes.sweep("default", now=NOW + SECOND)
    lapses = Lapses(stores.client)
    shown = lapses.waiting("default")
    late = stores.accept(expires_at=NOW + SECOND)
    stores.client.delete("ticker:{default}")
    stores.lanes.sweep("default", now=NOW + SECOND)

    lapses.forget("default", shown)

    assert waiting(stores) == {EXPIRED: ([late.message_id.value], 0)}


def test_what_nobody_shows_is_forgotten_within_the_hour(stores):
    stores.accept(expires_at=NOW + SECOND)
    stores.lanes.sweep("default", now=NOW + SECOND)

    assert 0 < stores.client.pttl(Keys("default").lapsed()) <= 3_600_000


def test_a_message_that_has_lost_its_sender_stops_no_beat(stores):
    spoilt, whole = (stores.accept(expires_at=NOW + SECOND).message_id.value for _ in range(2))
    stores.client.hdel(Keys("default").message(spoilt), "sender")

    stores.lanes.sweep("default", now=NOW + SECOND)

    assert waiting(stores)[EXPIRED] == ([whole], 0)


def test_the_beat_shows_them_once(any_redis):
    world, shown = World(any_redis), []
    accepted = Stores(any_redis).accept(expires_at=NOW + SECOND)
    ticker = Ticker(world.deps, ring_for_app=lambda *_whom: None, show_lapsed=shown.extend)
    world.clock.advance(SECOND)

    ticker.beat()
    any_redis.delete("ticker:{default}")
    ticker.beat()

    assert [[each.message_id for each in one.listed] for one in shown] == [[accepted.message_id.value]]
    assert any_redis.exists(Keys("default").lapsed()) == 0
