"""Many messages in one call: each accepted or refused by itself, in order, as it would have been alone."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.message import MessageState
from tests.builders import World, template
from tests.counting import counted
from tests.door import DESK, ORDERS, TEMPLATE, TEXT, assert_problem
from webhook.api.app import create_api

BATCH = "/v1/messages/batch"
ENTRIES = {
    "fine": TEXT,
    "with a key": TEXT | {"idempotency_key": "k"},
    "misspelt": TEXT | {"txet": "ciao"},
    "no content": {"to": "+393331234567", "sender": "shop"},
    "no such sender": TEXT | {"sender": "nobody"},
    "not for this provider": TEXT | {"sender": "negozio", "to": "IT.1234567890"},
    "wrong variables": TEXT | {"template": TEMPLATE | {"variables": ["Anna"]}},
    "too late": TEXT | {"expires_at": "2086-11-22T11:59:59Z"},
    "no object": ["ciao"],
}


@pytest.fixture
def world(any_redis) -> World:
    world = World(any_redis)
    world.deps.templates.create("default", template(), nonce="n")
    return world


def send(client, *messages, headers=ORDERS):
    return client.post(BATCH, json={"messages": list(messages)}, headers=headers)


def alone(client, entry):
    key = entry.get("idempotency_key") if isinstance(entry, dict) else None
    body = {n: v for n, v in entry.items() if n != "idempotency_key"} if key else entry
    headers = ORDERS | ({"Idempotency-Key": key} if key else {})
    return client.post("/v1/messages", json=body, headers=headers)


def said(body):
    """What does not differ from one call to the next."""
    return {n: value for n, value in body.items() if n not in {"id", "links", "forecast", "instance"}}


def test_each_has_its_own_result_in_the_same_order(world, client):
    entries = list(ENTRIES.values())

    results = send(client, *entries).json["results"]

    assert [result["status"] for result in results] == [202, 202, 422, 422, 422, 422, 422, 422, 422]
    assert [r.get("code") for r in results][4:7] == [
        "invalid_request",
        "unsupported_by_provider",
        "template_mismatch",
    ]
    shown = [client.get(result["links"]["self"], headers=ORDERS).status_code for result in results[:2]]
    assert shown == [200, 200]
    assert world.deps.messages.count("default", MessageState.QUEUED) == 2


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_a_result_is_what_it_would_have_been_alone(client, entry):
    single = alone(client, entry)
    keyed = isinstance(entry, dict) and "idempotency_key" in entry
    (result,) = send(client, {**entry, "idempotency_key": "other"} if keyed else entry).json["results"]

    assert result["status"] == single.status_code
    assert said({**single.get_json(force=True), "status": single.status_code}) == said(result)


def test_a_key_is_the_same_alone_and_in_a_batch(world, client):
    keyed = ENTRIES["with a key"]
    in_batch = send(client, keyed, keyed).json["results"]
    single = alone(client, keyed)
    (reused,) = send(client, keyed | {"text": "another"}).json["results"]

    assert {in_batch[0]["id"], in_batch[1]["id"], single.json["id"]} == {in_batch[0]["id"]}
    assert single.json["forecast"]["kind"] == "refuse"
    assert reused["code"] == "idempotency_key_reused"


def test_a_key_is_written_as_a_text(client):
    (result,) = send(client, TEXT | {"idempotency_key": 7}).json["results"]

    assert result["errors"] == {"idempotency_key": ["Not a valid string."]}


def test_it_takes_one_round_trip_and_rings_each_sender_once(redis_url):
    redis, trips = counted(redis_url)
    world = World(redis)
    client = create_api(world.deps).test_client()
    send(client, TEXT)  # the scripts are there now
    redis.delete("bell:{default}:shop")
    world.rung.clear()
    trips.clear()

    answer = send(client, *[TEXT | {"sender": alias} for alias in ("shop", "negozio") * 100])

    assert [result["status"] for result in answer.json["results"]] == [202] * 200
    assert len(trips) == 1
    assert world.rung == ["shop", "negozio"]


@pytest.mark.parametrize("messages", [[], [TEXT] * 1001, "ciao", None], ids=["none", "many", "text", "null"])
def test_the_list_itself_is_checked(client, messages):
    assert_problem(client.post(BATCH, json={"messages": messages}, headers=ORDERS), 422, "invalid_request")


def test_it_needs_the_scope(client):
    assert_problem(client.post(BATCH, json={"messages": [TEXT]}), 401, "key_required")
    assert send(client, TEXT, headers=DESK).status_code == 200


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(picked=st.lists(st.sampled_from(list(ENTRIES)), min_size=1, max_size=8))
def test_neighbours_change_nothing(fake_redis, picked):
    fake_redis.flushdb()
    world = World(fake_redis)
    world.deps.templates.create("default", template(), nonce="n")
    client = create_api(world.deps).test_client()
    results = send(client, *[ENTRIES[name] for name in picked]).json["results"]

    accepted = {name for name, result in zip(picked, results, strict=True) if result["status"] == 202}
    assert accepted == {"fine", "with a key"} & set(picked)
