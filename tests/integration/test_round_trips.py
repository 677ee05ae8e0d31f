"""The budget of round trips, counted at the socket: at most 2.3 a message at full batches."""

import pytest

from shared.configuration import Configuration
from shared.domain.identifiers import ContactId
from tests.builders import NOW, World, cm_sender, meta_sender, template, wrote
from tests.counting import counted
from tests.play import accept, drain

MESSAGES = 200
FAST = 10_000.0  # the rate of a sender must not end the batch


@pytest.mark.parametrize("alias", ["shop", "negozio"])
def test_a_message_costs_at_most_2_3_round_trips(redis_url, alias):
    client, trips = counted(redis_url)
    senders = {
        "shop": meta_sender(throughput_per_second=FAST),
        "negozio": cm_sender(throughput_per_second=FAST),
    }
    world = World(client, worker_slots=8, configuration=Configuration(senders=senders))
    sender = world.deps.sender(alias)
    contacts = [ContactId(f"+39333000{n:04}") for n in range(MESSAGES)]
    world.deps.templates.create("default", template(sender), nonce="n")
    world.deps.recorder.record([(sender, wrote(contact=contact)) for contact in contacts], now=NOW)
    accept(world, sender=alias, to=ContactId("+393339999999"), expires_at=NOW)  # loads every script
    drain(world, alias, slots=8)
    trips.clear()

    accepted = [accept(world, sender=alias, to=contact) for contact in contacts]
    accepting = len(trips)
    drain(world, alias, slots=8)

    states = {world.deps.messages.get("default", message_id).state for message_id in accepted}
    assert states == {"submitted"}
    assert accepting == len(contacts)
    spent = len(trips) - len(accepted)  # less the reads of this test
    assert spent / MESSAGES <= 2.3, f"{spent} round trips for {MESSAGES} messages"
