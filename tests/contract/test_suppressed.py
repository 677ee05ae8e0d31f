"""An opt-out outlives the person: what is kept is a keyed hash of each name, and it stands again with it."""

from datetime import timedelta

import pytest

from shared.configuration import Secret
from shared.domain.consent import Category, ConsentStatus
from shared.domain.identifiers import ContactId
from shared.store.keyed_hash import KeyedHashes
from shared.store.messages import Acceptance
from tests.builders import ANNA, NOW, World, meta_sender, opt_in, request, template, wrote

KEY, FORMER = Secret("a key of this test"), Secret("the key before it")
SECOND = timedelta(seconds=1)
AT = int(NOW.timestamp())
BRAZIL, BRAZIL_WITHOUT_9 = ContactId("+5511987654321"), ContactId("+551187654321")


@pytest.fixture
def world(any_redis) -> World:
    world = World(any_redis, secret_keys=(KEY, FORMER))
    world.deps.templates.create("default", template(), nonce="n")
    return world


def keep(
    world: World, name: ContactId = ANNA, key: Secret = KEY, word: str = f"consent:utility={AT}"
) -> None:
    world.client.hset("suppressed:{default}", KeyedHashes((key,)).of_name(name), word)


def consent_of(world: World, contact: ContactId = ANNA):
    return world.deps.contacts.get(meta_sender(), contact).consent


def decide(world: World, record, contact: ContactId = ANNA) -> int:
    return world.deps.contacts.set_consent(meta_sender(), contact, record, [Category.UTILITY], now=NOW)


def record(world: World, contact: ContactId = ANNA, **changes: object) -> list[str]:
    return world.deps.recorder.record([(meta_sender(), wrote(contact=contact, **changes))], now=NOW)


def test_it_stands_again_before_an_accepted_message_is_decided(world):
    keep(world)

    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=request())
    accepted = world.deps.messages.accept(meta_sender(), acceptance, now=NOW)

    assert accepted.known.consent.opted_out_at(Category.UTILITY) == NOW
    assert consent_of(world).records[Category.UTILITY].source == "erased_opt_out"


def test_an_older_opt_in_changes_nothing_and_a_newer_one_wins(world):
    keep(world)

    assert decide(world, opt_in(NOW - SECOND)) == 0
    assert consent_of(world).opted_out_at(Category.UTILITY) == NOW
    assert decide(world, opt_in(NOW + SECOND)) == 1
    record(world)
    assert consent_of(world).is_opted_in(Category.UTILITY)


@pytest.mark.parametrize("key", [KEY, FORMER])
def test_it_stands_again_when_the_person_writes_whichever_key_it_was_kept_under(world, key):
    keep(world, key=key)

    record(world)

    assert consent_of(world).records[Category.UTILITY].status is ConsentStatus.OPTED_OUT


def test_every_spelling_of_a_number_brings_it_back(world):
    keep(world, BRAZIL)

    record(world, BRAZIL_WITHOUT_9)

    assert consent_of(world, BRAZIL_WITHOUT_9).opted_out_at(Category.UTILITY) == NOW


def test_what_was_told_to_whatsapp_stands_again_as_such(world):
    keep(world, word=f"preference:marketing={AT}")

    record(world)

    assert consent_of(world).records[Category.MARKETING].source == "user_preferences"


def test_another_persons_opt_out_is_nobody_elses(world):
    keep(world, BRAZIL)

    record(world)

    assert consent_of(world).records == {}


def test_a_repeat_of_an_erased_message_brings_nobody_back(world):
    mark = KeyedHashes((KEY,)).of_event("shop", "wamid.erased")
    world.client.zadd("forgotten:{default}", {mark: AT * 1000 * 2})

    assert record(world, event_id="wamid.erased") == ["duplicate"]
    assert world.client.keys("contact:*") == []
    assert record(world, event_id="wamid.other") == ["recorded"]
