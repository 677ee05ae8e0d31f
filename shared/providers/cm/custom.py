"""What stands in `custom` of a CM.com message, in types of ours: places, cards, replies, orders, reactions.

CM.com, "WhatsApp inbound", "Incoming messages" and its Postman collection, read 2026-11. Keys come in lower
case. Replies and orders have Meta's shape in the one live client that shows them; no page of CM.com's does.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shared.domain.content import (
    Content,
    Location,
    Order,
    OrderedItem,
    Reaction,
    Reply,
    SharedContact,
    SharedContacts,
)
from shared.domain.window import InboundKind
from shared.providers.reading import amount, degrees, object_at, objects_at, text_at

#: The last one, a flow's, is not documented; it is read if it comes in Meta's shape.
_REPLIES = ("button_reply", "list_reply", "nfm_reply")


def _location(custom: Mapping[str, Any]) -> Location | None:
    """One table of CM.com's spells `longtitude`."""
    place = object_at(custom, "location")
    latitude = degrees(place.get("latitude"))
    longitude = degrees(place.get("longitude"))
    if longitude is None:
        longitude = degrees(place.get("longtitude"))
    if latitude is None or longitude is None:
        return None
    return Location(
        latitude=latitude,
        longitude=longitude,
        name=text_at(place, "label"),
        # What maps would look for: CM.com's example of it is a street and a number.
        address=text_at(place, "searchquery"),
    )


def _contacts(custom: Mapping[str, Any]) -> SharedContacts | None:
    cards = tuple(_card(card) for card in objects_at(custom, "contacts"))
    return SharedContacts(contacts=cards) if cards else None


def _card(card: Mapping[str, Any]) -> SharedContact:
    return SharedContact(
        name=text_at(object_at(card, "name"), "formatted_name"),
        phones=_texts(objects_at(card, "phones"), "phone"),
        emails=_texts(objects_at(card, "emails"), "email"),
    )


def _texts(items: Iterable[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    return tuple(text for item in items if (text := text_at(item, name)) is not None)


def _interactive(custom: Mapping[str, Any]) -> Reply | None:
    """By the reply that is there: what `type` says is not documented."""
    interactive = object_at(custom, "interactive")
    for name in _REPLIES:
        reply = object_at(interactive, name)
        if reply:
            response = text_at(reply, "response_json")
            return Reply(type=name, description=text_at(reply, "description"), response=response)
    return None


def _button(custom: Mapping[str, Any]) -> Reply | None:
    return Reply(type="quick_reply") if object_at(custom, "button") else None


def _order(custom: Mapping[str, Any]) -> Order | None:
    order = object_at(custom, "order")
    if not order:
        return None
    items = [_ordered_item(item) for item in objects_at(order, "product_items")]
    return Order(
        catalog_id=amount(order.get("catalog_id")),
        items=tuple(item for item in items if item is not None),
    )


def _ordered_item(item: Mapping[str, Any]) -> OrderedItem | None:
    product_id = amount(item.get("product_retailer_id"))
    if product_id is None:
        return None
    return OrderedItem(
        product_id=product_id,
        quantity=amount(item.get("quantity")),
        price=amount(item.get("item_price")),
        currency=text_at(item, "currency"),
    )


def _reaction(custom: Mapping[str, Any]) -> Reaction | None:
    """Not documented; read if it comes in Meta's shape."""
    reaction = object_at(custom, "reaction")
    message_id = text_at(reaction, "message_id")
    return None if message_id is None else Reaction(message_id=message_id, emoji=text_at(reaction, "emoji"))


#: By the key, which is the kind's own word; where several are there the first one counts.
READERS: Mapping[InboundKind, Callable[[Mapping[str, Any]], Content | None]] = {
    InboundKind.INTERACTIVE: _interactive,
    InboundKind.BUTTON: _button,
    InboundKind.LOCATION: _location,
    InboundKind.CONTACTS: _contacts,
    InboundKind.ORDER: _order,
    InboundKind.REACTION: _reaction,
}
