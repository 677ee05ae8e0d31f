"""What is withstood: a beat that stumbles, a clock that runs ahead, a server that was emptied."""

from dataclasses import replace
from datetime import timedelta

import pytest
import redis

from shared.domain.events import TemplateStatusChanged
from shared.domain.templates import Approval, TemplateStatus
from tests.builders import DAY, NOW, Stores, World, meta_sender, template
from workers.ticker import Ticker

SENDER = meta_sender()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def stores(any_redis: redis.Redis) -> Stores:
    return Stores(any_redis)


def test_what_one_step_of_a_beat_stumbles_over_keeps_the_others_from_nothing(any_redis):
    class Broken:
        def tell(self, *_: object, **__: object) -> int:
            raise KeyError("spoilt")

    def due(*_: object, **__: object) -> list[str]:
        return ["orders"]

    world, rung = World(any_redis), []
    deps = replace(world.deps, silence=Broken())
    deps.callbacks.due = due
    ticker = Ticker(deps, ring_for_app=lambda business, app: rung.append((business, app)))
    ticker._apps = {"default": ["orders"]}

    ticker.beat()

    assert rung == [("default", "orders")]


def test_a_word_about_a_template_from_the_future_counts_as_now(stores):
    """Else it would outlast the rejection that comes after it."""
    stores.templates.create("default", template(), nonce="n")

    def say(approval, at, now):
        told = TemplateStatusChanged(
            account=SENDER.account,
            name="ordine_pronto",
            language="it",
            approval=approval,
            stopped=None,
            reason=None,
            at=at,
        )
        stores.recorder.record([(SENDER, told)], now=now)

    say(Approval.APPROVED, NOW + 2 * DAY, NOW)
    say(Approval.REJECTED, NOW + MINUTE, NOW + MINUTE)

    assert stores.templates.get("default", template().id).status is TemplateStatus.REJECTED


def test_a_template_that_cannot_be_read_hides_none_of_its_neighbours(stores):
    other = replace(template(), id=replace(template().id, name="altro"))
    stores.templates.create("default", template(), nonce="n")
    stores.templates.create("default", other, nonce="o")
    stores.client.hset(f"template:{{default}}:{template().id}", "samples", "[")

    assert stores.templates.list("default", SENDER.account) == [other]


def test_an_emptied_server_begins_anew_with_the_version_of_its_data(stores):
    stores.lanes.sweep("default", now=NOW)

    assert stores.client.hget("business:{default}", "data_version") == "1"
