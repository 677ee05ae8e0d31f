"""What is withstood: a beat that stumbles, a clock that runs ahead, a server that was emptied."""

from dataclasses import replace
from datetime import timedelta

from shared.configuration import Configuration
from shared.domain.events import TemplateStatusChanged
from shared.domain.message import MessageState
from shared.domain.templates import Approval, TemplateStatus
from shared.store.messages import Acceptance
from tests.builders import DAY, NOW, World, app, cm_sender, meta_sender, request, template
from workers.ticker import Ticker

SENDER = meta_sender()
MINUTE = timedelta(minutes=1)


class Spoilt:
    """What looks for silent messages, when it meets what it cannot read."""

    def tell(self, *_: object, **__: object) -> int:
        raise KeyError("spoilt")


def test_what_a_beat_stumbles_over_in_one_business_keeps_no_other_waiting(any_redis):
    senders = {"shop": meta_sender(business="acme"), "negozio": cm_sender(business="zeta")}
    configuration = Configuration(senders=senders, apps={"orders": app("orders")})
    world = World(any_redis, configuration=configuration)
    asked = request(sender="negozio", expires_at=NOW + MINUTE)
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=asked)
    message_id = world.deps.messages.accept(senders["negozio"], acceptance, now=NOW).message_id
    world.clock.advance(2 * MINUTE)

    Ticker(replace(world.deps, silence=Spoilt()), ring_for_app=lambda _business, _app: None).beat()

    assert world.deps.messages.get("zeta", message_id).state is MessageState.EXPIRED


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
