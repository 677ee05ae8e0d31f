"""`/metrics`: what is declared is shown, at zero too, and what the scripts count is declared."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.metrics import METRICS, PREFIX, MetricKind
from shared.store.messages import Acceptance
from tests.builders import NOW, World, request, template, wrote
from webhook.api.app import create_api

DESK = {"Authorization": "Bearer desk-key"}
LUA = Path(__file__).resolve().parents[2] / "shared" / "store" / "lua"


@pytest.fixture
def world(any_redis) -> World:
    return World(any_redis)


def scrape(world):
    """Name without prefix and labels to value."""
    answer = create_api(world.deps).test_client().get("/metrics", headers=DESK)
    assert answer.status_code == 200
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    names = [sample.name.removeprefix(PREFIX) for sample in samples]
    return {
        (name, tuple(sample.labels[label] for label in METRICS[name].labels)): sample.value
        for name, sample in zip(names, samples, strict=True)
    }


def test_a_key_is_needed(world):
    assert create_api(world.deps).test_client().get("/metrics").status_code == 401


def test_whatever_a_script_counts_is_declared():
    scripts = "".join(script.read_text(encoding="utf-8") for script in LUA.rglob("*.lua"))
    counted = re.findall(r"\bcount\('(\w+):", scripts)

    assert len(counted) > 5
    assert [name for name in counted if METRICS[name].kind is not MetricKind.COUNTER] == []


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_says_what_it_is_and_is_named_like_its_kind(metric):
    assert metric.help.endswith(".")
    assert metric.name.endswith("_total") is (metric.kind is MetricKind.COUNTER)


def test_nothing_has_happened_and_all_of_it_is_shown(world):
    shown = scrape(world)

    assert shown["messages", ("queued",)] == 0
    assert shown["inbound_messages_total", ("shop", "text")] == 0
    assert shown["window_disagreements_total", ("shop", "false_open")] == 0
    assert shown["sender_halted", ("negozio",)] == 0
    assert shown["oldest_queued_seconds", ("shop", "high")] == 0
    assert shown["oldest_submitted_seconds", ("shop",)] == 0
    assert shown["beat_age_seconds", ()] == 0


def test_without_a_worker_the_last_beat_grows_old(world):
    world.deps.lanes.sweep("default", now=NOW)
    world.clock.advance(timedelta(seconds=40))

    assert scrape(world)["beat_age_seconds", ()] == 40


def test_whether_the_store_keeps_what_it_is_told(real_redis):
    shown = scrape(World(real_redis))

    assert (shown["store_persistent", ()], shown["store_memory_ratio", ()]) == (1, 0)


def test_what_happened_is_counted_and_what_waits_has_an_age(world):
    sender = world.deps.sender("shop")
    world.deps.recorder.record([(sender, wrote()), (sender, wrote())], now=NOW)
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=request())
    world.deps.messages.accept(sender, acceptance, now=NOW)
    world.deps.templates.create("default", template(), nonce="n")
    world.deps.senders.halt(sender, "moving", now=NOW)
    world.clock.advance(timedelta(seconds=90))

    shown = scrape(world)

    assert shown["inbound_messages_total", ("shop", "text")] == 2
    assert shown["windows_open", ("shop",)] == 1
    assert shown["messages", ("queued",)] == 1
    assert shown["oldest_queued_seconds", ("shop", "normal")] == 90
    assert (shown["sender_halted", ("shop",)], shown["sender_halted", ("negozio",)]) == (1, 0)
    assert shown["templates", ("shop", "approved")] == 1


def test_the_age_of_what_was_submitted_is_that_of_the_senders_oldest(world):
    for alias, waited in (("shop", 30), ("negozio", 90)):
        message_id = str(world.deps.new_message_id())
        world.client.hset(f"message:{{default}}:{message_id}", "sender", alias)
        since = int((NOW - timedelta(seconds=waited)).timestamp() * 1000)
        world.client.zadd("state:{default}:submitted", {message_id: since})

    shown = scrape(world)

    assert shown["oldest_submitted_seconds", ("shop",)] == 30
    assert shown["oldest_submitted_seconds", ("negozio",)] == 90


def test_no_person_is_in_it(world):
    sender = world.deps.sender("shop")
    world.deps.recorder.record([(sender, wrote(text="Il mio segreto"))], now=NOW)

    text = create_api(world.deps).test_client().get("/metrics", headers=DESK).text

    assert "segreto" not in text
    assert not re.search(r"\d{8,}", re.sub(r"[\d.]+e[+-]\d+", "", text))
