"""`finestra message …` and `finestra audit` against the door, over HTTP."""

import json

import pytest

from tests.builders import World
from tests.door import TEXT, accepted, in_doubt, refused, state

IDS = "msg_"


@pytest.fixture
def world(fake_redis) -> World:
    return World(fake_redis)


def test_the_dead_letters_are_listed_with_what_to_do(world, client, finestra):
    refused_id, doubt_id = refused(world, client), in_doubt(world, client)
    accepted(client, to="+393330000002")

    shown = finestra("message", "list", "--dead").output
    as_json = json.loads(finestra("message", "list", "--dead", "--json").stdout)

    assert [item["id"] for item in as_json["items"]] == [doubt_id, refused_id]
    assert all(message_id in shown for message_id in (refused_id, doubt_id))
    assert "window_closed_no_template" in shown
    assert TEXT["text"] not in shown
    one = json.loads(finestra("message", "list", "--dead", "--code", "timeout", "--json").stdout)
    assert [item["id"] for item in one["items"]] == [doubt_id]


def test_a_long_list_says_how_to_go_on(client, finestra):
    for _ in range(3):
        accepted(client)

    first = finestra("message", "list", "--limit", "2").output
    cursor = first.rpartition("--after ")[2].strip()
    second = finestra("message", "list", "--limit", "2", "--after", cursor).output

    assert (first.count(IDS), second.count(IDS)) == (2, 1)
    assert "There is more" not in second


def test_one_is_cancelled_retried_and_resolved(world, client, finestra):
    ended, doubt = refused(world, client), in_doubt(world, client)
    queued = accepted(client, to="+393330000002")
    cancelled = finestra("message", "cancel", queued, "--json")
    retried = finestra("message", "retry", ended)
    resolved = finestra("message", "resolve", doubt, "failed")
    late = finestra("message", "cancel", doubt)

    assert json.loads(cancelled.stdout)["id"] == queued
    assert retried.output == f"{ended} is queued.\n"
    assert resolved.output == f"{doubt} is failed.\n"
    assert (late.exit_code, "there is nothing left to cancel" in late.output) == (1, True)


def test_many_are_counted_before_and_nothing_is_done_without_a_yes(world, client, finestra):
    campaign = [accepted(client, reference="campaign") for _ in range(3)]

    no = finestra("message", "cancel", "--reference", "campaign", answer="n\n")
    before = {state(world, message_id) for message_id in campaign}
    yes = finestra("message", "cancel", "--reference", "campaign", answer="y\n")
    after = {state(world, message_id) for message_id in campaign}

    assert "3 messages fit. Cancel them?" in no.output
    assert (no.exit_code, before, after) == (1, {"queued"}, {"cancelled"})
    assert "cancel: done with 3 of 3." in yes.output


def test_many_are_sent_again_unasked_with_yes(world, client, finestra):
    dead = [refused(world, client) for _ in range(2)]

    done = finestra("message", "retry", "--state", "failed,refused", "--yes", "--json")

    assert json.loads(done.stdout) == {"matched": 2, "done": 2, "refused": {}}
    assert {state(world, message_id) for message_id in dead} == {"queued"}


@pytest.mark.parametrize(
    "words", [("cancel",), ("retry", "--yes"), ("cancel", "msg_x", "--reference", "r")], ids=" ".join
)
def test_it_must_be_clear_which(finestra, words):
    assert finestra("message", *words).exit_code == 2


def test_who_did_it_is_shown(client, finestra):
    accepted(client, reference="campaign")
    message_id = accepted(client)
    finestra("message", "cancel", message_id, key="orders-key")
    finestra("message", "cancel", "--reference", "campaign", "--yes")

    deeds = json.loads(finestra("audit", "--json").stdout)["items"]
    shown = finestra("audit").output

    assert [(deed["app"], deed["done"]) for deed in deeds] == [("desk", 1), ("orders", 1)]
    assert message_id in shown
    assert "campaign" in shown
