"""Whose turn it is: priorities and the apps of a priority share a sender and leave no token unused."""

from collections import Counter
from itertools import count

import pytest

from shared.domain.identifiers import ContactId
from shared.domain.message import Priority
from shared.store.claims import Claim
from tests.builders import NOW, Stores, meta_sender

SENDER = meta_sender(throughput_per_second=10_000.0)


@pytest.fixture
def people():
    numbers = count()
    return lambda: ContactId(f"+39333{next(numbers):07}")


@pytest.fixture
def enqueue(stores, people):
    """So many messages of an app, each to somebody else."""

    def accept(app: str, number: int, priority: Priority = Priority.NORMAL) -> None:
        for _ in range(number):
            stores.accept(SENDER, to=people(), app=app, priority=priority)

    return accept


def apps_of(stores: Stores, claims: list[Claim]) -> list[str]:
    records = stores.messages.get_all("default", [claim.message_id for claim in claims])
    return [record.app for record in records]


def priorities_of(claims: list[Claim]) -> Counter[Priority]:
    return Counter(claim.request.priority for claim in claims)


def test_apps_of_one_priority_get_equal_shares(stores, enqueue):
    for app in ("orders", "desk", "news"):
        enqueue(app, 20)

    claims = stores.lanes.claim(SENDER, 12, now=NOW)

    assert Counter(apps_of(stores, claims)) == {"orders": 4, "desk": 4, "news": 4}


def test_what_one_app_leaves_goes_to_the_others(stores, enqueue):
    enqueue("orders", 20)
    enqueue("desk", 2)

    claims = stores.lanes.claim(SENDER, 12, now=NOW)

    assert Counter(apps_of(stores, claims)) == {"orders": 10, "desk": 2}


def test_apps_take_turns_when_only_one_message_may_go_at_a_time(stores, enqueue):
    for app in ("orders", "desk", "news"):
        enqueue(app, 4)

    turns = [apps_of(stores, stores.lanes.claim(SENDER, 1, now=NOW))[0] for _ in range(9)]

    assert [set(turns[start : start + 3]) for start in (0, 3, 6)] == [{"orders", "desk", "news"}] * 3


def test_ten_messages_are_not_delayed_by_the_many_of_another_app(stores, enqueue):
    enqueue("campaign", 600)
    enqueue("desk", 10)

    claims = stores.lanes.claim(SENDER, 20, now=NOW)

    assert apps_of(stores, claims).count("desk") == 10


def test_high_goes_first_whoever_waits(stores, enqueue):
    enqueue("campaign", 15)
    enqueue("desk", 15, Priority.HIGH)

    claims = stores.lanes.claim(SENDER, 15, now=NOW)

    assert priorities_of(claims) == {Priority.HIGH: 14, Priority.NORMAL: 1}


@pytest.mark.parametrize("most", [1, 7, 40])
def test_of_twenty_one_is_for_normal_and_one_for_bulk(stores, enqueue, most):
    enqueue("orders", 40, Priority.HIGH)
    enqueue("desk", 40)
    enqueue("campaign", 40, Priority.BULK)

    claims = [claim for _ in range(40) for claim in stores.lanes.claim(SENDER, most, now=NOW)][:40]

    assert priorities_of(claims) == {Priority.HIGH: 36, Priority.NORMAL: 2, Priority.BULK: 2}


def test_a_contact_follows_the_head_of_its_lane_from_app_to_app(stores, people):
    anna = people()
    stores.accept(SENDER, to=anna, app="campaign", priority=Priority.BULK)
    stores.accept(SENDER, to=anna, app="desk", priority=Priority.HIGH)

    (claim,) = stores.lanes.claim(SENDER, 5, now=NOW)

    assert apps_of(stores, [claim]) == ["desk"]
    assert stores.client.keys("ready:*") == []


def test_nothing_is_left_behind_once_all_is_claimed(stores, enqueue):
    enqueue("orders", 3)
    enqueue("desk", 3, Priority.BULK)

    claims = stores.lanes.claim(SENDER, 10, now=NOW)

    assert len(claims) == 6
    assert [key for kind in ("ready", "queues", "placed") for key in stores.client.keys(f"{kind}:*")] == []
