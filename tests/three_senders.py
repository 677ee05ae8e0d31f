"""Three senders of one account, one of them of another business, and what provider errors do among them."""

from dataclasses import replace
from datetime import timedelta

import redis

from shared.configuration import Configuration
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.lint import PromotionalContent
from shared.domain.message import MessageState
from shared.domain.routes import RouteKind
from shared.domain.templates import TemplateId
from shared.providers.base import Rejected
from shared.providers.meta.errors import row_of
from shared.store.scripts import source_of
from tests.builders import (
    ANNA,
    NOW,
    World,
    meta_sender,
    opt_in,
    settings,
    status,
    template,
)
from tests.play import beat, drain

SECOND = timedelta(seconds=1)
SHOP, KIOSK = meta_sender(), meta_sender("kiosk", phone_number_id="2")
ABROAD = meta_sender("abroad", phone_number_id="3", business="abroad")
BRUNO, CARLA = ContactId("+393339000002"), ContactId("+393339000003")
PROMO = TemplateId(SHOP.account, "promo", "it")
OTHER = TemplateId(SHOP.account, "sollecito", "it")


def three_senders(any_redis: redis.Redis) -> World:
    """Three senders of one account, one of them of another business."""
    base = settings().configuration
    configuration = Configuration(
        senders={"shop": SHOP, "kiosk": KIOSK, "abroad": ABROAD},
        apps=base.apps,
        policy=replace(base.policy, promotional_content=PromotionalContent.ALLOW),
    )
    for script in ("settle", "begin"):  # one that the server lacks runs after those of its round trip
        any_redis.script_load(source_of(script))
    world = World(any_redis, configuration=configuration)
    world.deps.templates.create("default", template(), nonce="n")
    world.deps.templates.create("default", template(id=OTHER), nonce="n")
    marketing = template(id=PROMO, category=Category.MARKETING, original_category=Category.MARKETING)
    world.deps.templates.create("default", marketing, nonce="n")
    for contact in (ANNA, BRUNO, CARLA):
        world.deps.contacts.set_consent(SHOP, contact, opt_in(), list(Category), now=NOW)
    return world


def error(code: str, **changes) -> Rejected:
    return Rejected(code=code, row=row_of(code), **changes)


def later(world: World, wait: timedelta, alias: str = "shop") -> None:
    world.clock.advance(wait)
    beat(world)
    drain(world, alias)


def states(world: World, *ids: MessageId) -> list[MessageState]:
    return [world.deps.messages.get("default", id_).state for id_ in ids]


def stored(world: World, message_id: MessageId):
    return world.deps.messages.get("default", message_id)


def sent(world: World, alias: str = "shop") -> list[tuple[ContactId, RouteKind]]:
    return [(outgoing.to, outgoing.route.kind) for outgoing in world.providers[alias].sent]


def reported(world: World, message_id: MessageId, code: str, attempt: int = 1) -> list[str]:
    event = status(message_id, MessageState.FAILED, attempt=attempt, row=row_of(code), at=world.clock.now())
    return world.deps.recorder.record([(SHOP, event)], now=world.clock.now())


SUBMITTED, DEFERRED, FAILED = MessageState.SUBMITTED, MessageState.DEFERRED, MessageState.FAILED
QUEUED, REFUSED = MessageState.QUEUED, MessageState.REFUSED
