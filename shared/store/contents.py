"""How the free-form content of a request looks in Redis, and back: one word for its kind, and its fields."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.content import Location, plain
from shared.domain.session_content import (
    Buttons,
    Card,
    Cards,
    Choice,
    Email,
    EmojiReaction,
    Header,
    LinkButton,
    MediaKind,
    MediaLink,
    Phone,
    PostalAddress,
    ReplyButton,
    Row,
    Section,
    SessionContent,
    Text,
    Website,
)

Fields = Mapping[str, Any]


def dump_content(content: SessionContent) -> dict[str, Any]:
    return {_WORDS[type(content)]: plain(content)}


def kind_of(content: SessionContent) -> str:
    """Its word alone."""
    return _WORDS[type(content)]


def load_content(stored: Fields) -> SessionContent:
    ((word, fields),) = stored.items()
    return _LOADERS[word](fields)


def load_header(stored: str | Fields | None) -> Header | None:
    return load_media(stored) if isinstance(stored, Mapping) else stored


def load_media(fields: Fields) -> MediaLink:
    return MediaLink(**{**fields, "kind": MediaKind(fields["kind"])})


def _load_text(fields: Fields) -> Text:
    return Text(**fields)


def _load_buttons(fields: Fields) -> Buttons:
    buttons = tuple(ReplyButton(**button) for button in fields["buttons"])
    return Buttons(**{**fields, "header": load_header(fields.get("header")), "buttons": buttons})


def _load_choice(fields: Fields) -> Choice:
    sections = tuple(
        Section(title=section.get("title"), rows=tuple(Row(**row) for row in section["rows"]))
        for section in fields["sections"]
    )
    return Choice(**{**fields, "header": load_header(fields.get("header")), "sections": sections})


def _load_link(fields: Fields) -> LinkButton:
    return LinkButton(**{**fields, "header": load_header(fields.get("header"))})


def _load_location(fields: Fields) -> Location:
    return Location(**fields)


_PARTS: Mapping[str, Callable[..., Any]] = {
    "phones": Phone,
    "emails": Email,
    "addresses": PostalAddress,
    "urls": Website,
}


def _load_card(fields: Fields) -> Card:
    parts = {name: tuple(_PARTS[name](**each) for each in fields[name]) for name in _PARTS if name in fields}
    return Card(**{**fields, **parts})


def _load_cards(fields: Fields) -> Cards:
    return Cards(tuple(_load_card(card) for card in fields["cards"]))


def _load_reaction(fields: Fields) -> EmojiReaction:
    return EmojiReaction(**fields)


#: The words stand in Redis: a new kind gets a new one, and none ever changes its meaning.
_WORDS: Mapping[type, str] = {
    Text: "text",
    MediaLink: "media",
    Buttons: "buttons",
    Choice: "list",
    LinkButton: "link",
    Location: "location",
    Cards: "contacts",
    EmojiReaction: "reaction",
}
_LOADERS: Mapping[str, Callable[[Fields], SessionContent]] = {
    "text": _load_text,
    "media": load_media,
    "buttons": _load_buttons,
    "list": _load_choice,
    "link": _load_link,
    "location": _load_location,
    "contacts": _load_cards,
    "reaction": _load_reaction,
}
