"""`finestra consent …` against the door, over HTTP."""

import json

import pytest

from tests.builders import NOW, World, wrote

ANNA = "+393331234567"
BY_TELEPHONE = ("--source", "telephone", "--at", "2086-11-22T11:00:00Z")


@pytest.fixture
def world(fake_redis) -> World:
    return World(fake_redis)


def test_a_decision_is_recorded_by_hand_and_shown_with_how_it_came_to_be(world, finestra):
    recorded = finestra(
        "consent", "set", ANNA, "opted_in", *BY_TELEPHONE, "--category", "marketing", "--sender", "shop"
    )
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(text="Basta!"))], now=NOW)

    shown = finestra("consent", "show", ANNA, "--sender", "shop").output
    as_json = json.loads(finestra("consent", "show", ANNA, "--sender", "shop", "--json").stdout)

    assert "recorded" in recorded.output
    assert [item["by"] for item in as_json["items"]] == ["keyword", "desk"]
    assert "telephone" in shown
    assert "no evidence" in shown


def test_what_is_older_than_what_stands_is_said_to_change_nothing(world, finestra):
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(text="stop"))], now=NOW)

    done = finestra("consent", "set", ANNA, "opted_in", *BY_TELEPHONE, "--sender", "shop")

    assert "unchanged" in done.output
    shown = finestra("consent", "show", ANNA, "--sender", "shop").output
    assert "nothing" in shown.partition("how it came to be")[2].partition("What changed")[0]


def test_a_mistake_is_told_with_its_mend(world, finestra):
    done = finestra(
        "consent", "set", ANNA, "opted_in", "--source", "x", "--at", "yesterday", "--sender", "shop"
    )

    assert done.exit_code == 1
    assert "RFC 3339" in done.output
