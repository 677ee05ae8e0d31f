"""What happens in a world, in short words: apps hand in, contacts write, workers drain, the clock beats."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId, MessageId
from shared.store.messages import Acceptance
from tests.builders import ANNA, NOW, World, meta_sender, opt_in, request, wrote
from workers.outbound import Drain
from workers.report import Report
from workers.ticker import Ticker


def accept(world: World, to: ContactId = ANNA, **changes: object) -> MessageId:
    """A message of the app orders, as of the world's now."""
    asked = request(to=to, **changes)
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=asked)
    sender = world.deps.sender(asked.sender)
    return world.deps.messages.accept(sender, acceptance, now=world.clock.now()).message_id


def writes(world: World, *contacts: ContactId, at: datetime | None = None, alias: str = "shop") -> None:
    """Anna, or these."""
    for contact in contacts or (ANNA,):
        event = wrote(at or world.clock.now(), contact=contact)
        world.deps.recorder.record([(world.deps.sender(alias), event)], now=world.clock.now())


def drain(
    world: World,
    alias: str = "shop",
    *,
    slots: int = 1,
    threads: int | None = None,
    stopping: threading.Event | None = None,
) -> Report:
    """Until nothing is ready; with one slot the provider's answers are taken in their order."""
    with ThreadPoolExecutor(threads or slots) as pool:
        sender = world.deps.sender(alias)
        stopping = stopping or threading.Event()
        return Drain(world.deps, sender, pool, most_slots=slots, stopping=stopping).run()


def beat(world: World) -> None:
    """Of the ticker, also when one has just been."""
    for key in world.client.keys("ticker:*"):
        world.client.delete(key)
    Ticker(world.deps, ring_for_app=lambda business, app: None).beat()


def opt_anna_in(world: World, contact: ContactId = ANNA) -> None:
    world.deps.contacts.set_consent(meta_sender(), contact, opt_in(), [Category.UTILITY], now=NOW)


def record(world: World, message_id: MessageId):
    return world.deps.messages.get("default", message_id)
