"""What tests of drains in odd hours share: templates on their way, many who write, words of the provider."""

from collections.abc import Callable
from datetime import timedelta

from shared.domain.consent import Category
from shared.domain.identifiers import AttemptReference, ContactId, MessageId
from shared.domain.message import MessageState
from shared.domain.templates import Approval, Gate, TemplateId
from shared.store.claims import Claim
from shared.store.keys import Keys
from tests.builders import (
    ANNA,
    NOW,
    World,
    meta_sender,
    opt_in,
    status,
    template,
)
from tests.play import accept, writes

SECOND = timedelta(seconds=1)
ACCOUNT = meta_sender().account
PENDING = {Gate.PROVIDER: Approval.PENDING, Gate.WHATSAPP: Approval.PENDING}
FIRST, OTHER = TemplateId(ACCOUNT, "ordine_pronto", "it"), TemplateId(ACCOUNT, "sollecito", "it")


class Interrupted:
    """Lanes where something happens right after the first claim."""

    def __init__(self, lanes: object, happening: Callable[[], None]) -> None:
        self._lanes = lanes
        self._happenings = [happening]

    def __getattr__(self, name: str):
        return getattr(self._lanes, name)

    def claim(self, *arguments, **named):
        claimed = self._lanes.claim(*arguments, **named)
        while self._happenings:
            self._happenings.pop()()
        return claimed


def contact(number: int) -> ContactId:
    return ContactId(f"+39333{number:07}")


def register(world: World, *ids: TemplateId, gates=None) -> None:
    for template_id in ids:
        world.deps.templates.create("default", template(id=template_id, gates=gates or PENDING), nonce="n")


def approve(world: World, template_id: TemplateId, *gates: Gate) -> None:
    for gate in gates or Gate:
        world.deps.templates.decide("default", template_id, gate, Approval.APPROVED, None)


def opt_in_to_all(world: World, *contacts: ContactId) -> None:
    for one in contacts or (ANNA,):
        world.deps.contacts.set_consent(meta_sender(), one, opt_in(), list(Category), now=NOW)


def reported(world: World, message_id: MessageId, state: MessageState, **changes) -> list[str]:
    event = status(message_id, state, **changes)
    return world.deps.recorder.record([(world.deps.sender("shop"), event)], now=world.clock.now())


def accept_from_writers(world: World, count: int, **changes) -> list[MessageId]:
    """One message each to so many contacts who have just written."""
    contacts = [contact(number) for number in range(count)]
    writes(world, *contacts, alias=changes.get("sender", "shop"))
    return [accept(world, to=one, **changes) for one in contacts]


def claim_one(world: World) -> Claim:
    claimed = world.deps.lanes.claim(
        world.deps.sender("shop"), 1, nonce=world.deps.new_nonce(), now=world.clock.now()
    )
    return claimed.claims[0]


def record(world: World, message_id: MessageId):
    return world.deps.messages.get("default", message_id)


def states(world: World, ids: list[MessageId]) -> list[MessageState]:
    return [MessageState(world.client.hget(Keys("default").message(id_), "state")) for id_ in ids]


def references(world: World, alias: str = "shop") -> list[AttemptReference]:
    return [outgoing.reference for outgoing in world.providers[alias].sent]
