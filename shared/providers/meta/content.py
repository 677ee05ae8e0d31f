"""What is in an inbound message of Meta's webhook, by its type: text, payload, and everything else.

Meta, "messages" webhook reference and the page of each type, read 2025-10 to 2026-09. What is missing in it
is left out: a message without readable content is still a message.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from shared.domain.content import (
    Content,
    Edit,
    Location,
    Media,
    Order,
    OrderedItem,
    Reaction,
    Reply,
    Revoke,
    SharedContact,
    SharedContacts,
    SystemNotice,
    Unsupported,
)
from shared.domain.identifiers import ContactId
from shared.providers.meta.envelope import contact_of
from shared.providers.meta.errors import code_of, detail_of
from shared.providers.reading import (
    amount,
    button_reply,
    degrees,
    first_object,
    interactive_reply,
    object_at,
    objects_at,
    text_at,
)

_REPLIES = ("button_reply", "list_reply", "nfm_reply")
#: The notices that give the contact another number or id; some still write the on-premises names.
_CHANGES = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})


#: What a contact wrote or pressed, what stands behind the button, and the rest.
Written = tuple[str | None, str | None, Content | None]

_NOTHING: Written = (None, None, None)


def read_content(name: str | None, message: Mapping[str, Any]) -> Written:
    """`name`: the message's type."""
    reader = _READERS.get(name)
    return _NOTHING if reader is None else reader(message)


def _only(content: Content) -> Written:
    return None, None, content


def _text(message: Mapping[str, Any]) -> Written:
    return text_at(object_at(message, "text"), "body"), None, None


def _media(name: str, message: Mapping[str, Any]) -> Written:
    media = object_at(message, name)
    if not media:
        return _NOTHING
    content = Media(
        media_id=text_at(media, "id"),
        url=text_at(media, "url"),
        mime_type=text_at(media, "mime_type"),
        sha256=text_at(media, "sha256"),
        caption=text_at(media, "caption"),
        filename=text_at(media, "filename"),
        is_voice=media.get("voice") is True,
        is_animated=media.get("animated") is True,
    )
    return _only(content)


def _location(message: Mapping[str, Any]) -> Written:
    place = object_at(message, "location")
    latitude, longitude = degrees(place.get("latitude")), degrees(place.get("longitude"))
    if latitude is None or longitude is None:
        return _NOTHING
    name, address = text_at(place, "name"), text_at(place, "address")
    return _only(Location(latitude=latitude, longitude=longitude, name=name, address=address))


def _contacts(message: Mapping[str, Any]) -> Written:
    cards = tuple(map(_card, objects_at(message, "contacts")))
    return _only(SharedContacts(contacts=cards)) if cards else _NOTHING


def _card(card: Mapping[str, Any]) -> SharedContact:
    name = object_at(card, "name")
    return SharedContact(
        name=text_at(name, "formatted_name") or text_at(name, "first_name"),
        phones=_texts(objects_at(card, "phones"), "phone"),
        emails=_texts(objects_at(card, "emails"), "email"),
    )


def _texts(items: Iterable[Mapping[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(text for item in items if (text := text_at(item, key)) is not None)


def _button(message: Mapping[str, Any]) -> Written:
    button = object_at(message, "button")
    return (*button_reply(button), Reply(type="quick_reply")) if button else _NOTHING


def _interactive(message: Mapping[str, Any]) -> Written:
    """A flow's answers are its fields; the text that comes with them is not the contact's."""
    interactive = object_at(message, "interactive")
    shown = (name for name in _REPLIES if object_at(interactive, name))
    name = next(shown, None) or text_at(interactive, "type")
    if name is None:
        return _NOTHING
    reply = object_at(interactive, name)
    content = Reply(
        type=name,
        description=text_at(reply, "description"),
        response=text_at(reply, "response_json"),
    )
    return (*interactive_reply(interactive), content)


def _order(message: Mapping[str, Any]) -> Written:
    order = object_at(message, "order")
    if not order:
        return _NOTHING
    items = tuple(_items(objects_at(order, "product_items")))
    content = Order(catalog_id=amount(order.get("catalog_id")), items=items)
    return text_at(order, "text"), None, content


def _items(items: Iterable[Mapping[str, Any]]) -> Iterator[OrderedItem]:
    for item in items:
        product_id = amount(item.get("product_retailer_id"))
        if product_id is not None:
            yield OrderedItem(
                product_id=product_id,
                quantity=amount(item.get("quantity")),
                price=amount(item.get("item_price")),
                currency=text_at(item, "currency"),
            )


def _reaction(message: Mapping[str, Any]) -> Written:
    reaction = object_at(message, "reaction")
    message_id = text_at(reaction, "message_id")
    if message_id is None:
        return _NOTHING
    return _only(Reaction(message_id=message_id, emoji=text_at(reaction, "emoji")))


def _edit(message: Mapping[str, Any]) -> Written:
    edit = object_at(message, "edit")
    edited = object_at(edit, "message")
    text = text_at(object_at(edited, "text"), "body") if edited.get("type") == "text" else None
    message_id = text_at(edit, "original_message_id")
    return text, None, None if message_id is None else Edit(message_id=message_id)


def _revoke(message: Mapping[str, Any]) -> Written:
    message_id = text_at(object_at(message, "revoke"), "original_message_id")
    return _NOTHING if message_id is None else _only(Revoke(message_id=message_id))


def _system(message: Mapping[str, Any]) -> Written:
    notice = object_at(message, "system")
    name = text_at(notice, "type")
    if name is None:
        return _NOTHING
    number = user_id = None
    if name in _CHANGES:
        number, user_id = _identity(notice)
    return _only(SystemNotice(type=name, new_number=number, new_user_id=user_id))


def _identity(notice: Mapping[str, Any]) -> tuple[ContactId | None, ContactId | None]:
    """Number and user id, whichever key they stand under."""
    named = (contact_of(notice.get(key)) for key in ("new_wa_id", "wa_id", "user_id"))
    found = [contact for contact in named if contact is not None]
    number = next((contact for contact in found if contact.phone_number is not None), None)
    return number, next((contact for contact in found if contact.phone_number is None), None)


def _unsupported(message: Mapping[str, Any]) -> Written:
    error = first_object(message.get("errors"))
    content = Unsupported(
        stands_for=text_at(object_at(message, "unsupported"), "type"),
        code=code_of(error),
        detail=detail_of(error) or None,
    )
    return _only(content)


_READERS: Mapping[str | None, Callable[[Mapping[str, Any]], Written]] = {
    "text": _text,
    **{name: partial(_media, name) for name in ("image", "video", "audio", "document", "sticker")},
    "location": _location,
    "contacts": _contacts,
    "button": _button,
    "interactive": _interactive,
    "order": _order,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
    "unsupported": _unsupported,
}
