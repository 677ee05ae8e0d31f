"""The laws of the stores: what is true of every message, lane and queue, whatever happened before."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import redis

from shared.domain.identifiers import ContactId
from shared.domain.message import (
    MessageState,
)
from shared.store.keys import Keys
from tests.builders import (
    ANNA,
    meta_sender,
)

#: Slow enough to meet all its limits too.
SENDER = meta_sender(
    throughput_per_second=10.0,
    pair_interval=timedelta(seconds=6),
    pair_burst=3,
    messaging_limit_per_day=2,
)
KEYS = Keys(SENDER.business)
CONTACTS = (ANNA, ContactId("+393330000002"), ContactId("+393330000003"))
WAITING = frozenset({MessageState.QUEUED, MessageState.HELD, MessageState.DEFERRED})
ENDED_BADLY = frozenset(
    {MessageState.FAILED, MessageState.REFUSED, MessageState.EXPIRED, MessageState.CANCELLED}
)
FINAL = frozenset(MessageState) - WAITING - {MessageState.SENDING, MessageState.UNKNOWN}


class Standing:
    """Where everything stands in Redis, and the state of each message."""

    def __init__(self, client: redis.Redis, ids: list[str]) -> None:
        self.lanes = sorted_sets(client, f"lane:{{default}}:{SENDER.alias}:")
        self.ready = sorted_sets(client, f"ready:{{default}}:{SENDER.alias}:")
        self.queues = client.zrange(f"queues:{{default}}:{SENDER.alias}", 0, -1, withscores=True)
        self.earliest = {queue: earliest(client, queue) for queue in self.ready}
        self.placed = client.hgetall(f"placed:{{default}}:{SENDER.alias}")
        self.index = sorted_sets(client, "state:{default}:")
        self.held = [id_ for held in sorted_sets(client, "held:{default}:").values() for id_ in set(held)]
        self.nudged = sorted_sets(client, "held:{default}:nudge:")
        self.waking = {name.removeprefix("nudge:") for name in client.hkeys("waking:{default}")}
        self.leased = client.zrange(f"leased:{{default}}:{SENDER.alias}", 0, -1)
        self.claimed = client.hgetall(f"claimed:{{default}}:{SENDER.alias}")
        self.expiring = set(client.zrange("expiring:{default}", 0, -1))
        self.in_lane = [id_ for lane in self.lanes.values() for id_ in lane]
        self.in_hand = set(self.claimed.values())
        backlog = client.hgetall("backlog:{default}").items()
        self.backlog = Counter({app: int(number) for app, number in backlog})
        self.apps = {id_: client.hget(KEYS.message(id_), "app") for id_ in ids}
        self.states = {id_: MessageState(client.hget(KEYS.message(id_), "state")) for id_ in ids}

    def those_in(self, states: frozenset[MessageState]) -> Iterator[str]:
        return (id_ for id_, state in self.states.items() if state in states)


def sorted_sets(client: redis.Redis, prefix: str) -> dict[str, list[str]]:
    """The members of each sorted set whose key starts so, by the rest of the key."""
    return {key.removeprefix(prefix): client.zrange(key, 0, -1) for key in client.keys(f"{prefix}*")}


def earliest(client: redis.Redis, queue: str) -> float:
    ((_, score),) = client.zrange(f"ready:{{default}}:{SENDER.alias}:{queue}", 0, 0, withscores=True)
    return score


def waiting_messages_stand_in_their_lane_or_are_held(standing: Standing) -> None:
    for id_ in standing.those_in(WAITING):
        assert (standing.in_lane.count(id_) == 1) is not (id_ in standing.held), id_
        assert id_ in standing.expiring, id_


def a_message_being_sent_is_in_its_lane_and_in_hand(standing: Standing) -> None:
    for id_ in standing.those_in(frozenset({MessageState.SENDING})):
        assert id_ in standing.in_lane, id_
        assert id_ in standing.in_hand, id_


def a_doubt_outside_its_lane_is_forgotten_by_the_clock(standing: Standing) -> None:
    for id_ in standing.those_in(frozenset({MessageState.UNKNOWN})):
        assert id_ in standing.in_lane or id_ not in standing.expiring, id_


def final_messages_stand_nowhere(standing: Standing) -> None:
    """Unless somebody has it in hand, who will find that it is settled."""
    places = {*standing.in_lane, *standing.held, *standing.expiring}

    for id_ in standing.those_in(FINAL):
        assert id_ not in places or id_ in standing.in_hand, id_


def a_contact_with_work_stands_in_exactly_one_place(standing: Standing) -> None:
    ready = [contact for contacts in standing.ready.values() for contact in contacts]

    for contact in CONTACTS:
        places = ready.count(contact.value) + standing.leased.count(contact.value)
        has_work = contact.value in standing.lanes
        assert places == 1 if has_work else ready.count(contact.value) == 0, contact


def whoever_is_ready_is_found_in_its_queue(standing: Standing) -> None:
    ready = {contact: queue for queue, contacts in standing.ready.items() for contact in contacts}
    looked_at = dict(standing.queues)

    assert standing.placed == ready
    for queue, earliest in standing.earliest.items():
        assert looked_at[queue] <= earliest, queue


def what_each_app_has_in_hand_is_counted(standing: Standing) -> None:
    owed = WAITING | {MessageState.SENDING}

    assert +standing.backlog == Counter(standing.apps[id_] for id_ in standing.those_in(owed))


def whoever_is_leased_is_claimed(standing: Standing) -> None:
    assert sorted(standing.leased) == sorted(standing.claimed)


def the_index_of_states_says_what_the_messages_say(standing: Standing) -> None:
    indexed = [(id_, state) for state, ids in standing.index.items() for id_ in ids]

    assert sorted(indexed) == sorted(standing.states.items())


def what_waits_for_an_answer_has_a_nudge_that_may_get_one(standing: Standing) -> None:
    """Or the clock is about to wake it."""
    for id_, waiting in standing.nudged.items():
        assert standing.states[id_] not in ENDED_BADLY or id_ in standing.waking, (id_, waiting)


LAWS = (
    what_waits_for_an_answer_has_a_nudge_that_may_get_one,
    waiting_messages_stand_in_their_lane_or_are_held,
    a_message_being_sent_is_in_its_lane_and_in_hand,
    a_doubt_outside_its_lane_is_forgotten_by_the_clock,
    final_messages_stand_nowhere,
    a_contact_with_work_stands_in_exactly_one_place,
    whoever_is_ready_is_found_in_its_queue,
    what_each_app_has_in_hand_is_counted,
    whoever_is_leased_is_claimed,
    the_index_of_states_says_what_the_messages_say,
)
