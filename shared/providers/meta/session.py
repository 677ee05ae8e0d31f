"""Free-form content as the Cloud API takes it: its `type`, the object of that name, and what it quotes.

Meta, "Send messages" and the pages of each kind, read 2025-10 to 2025-11.
"""

from typing import Any, assert_never

from shared.domain.content import Location
from shared.domain.session_content import (
    Buttons,
    Cards,
    Choice,
    EmojiReaction,
    Header,
    LinkButton,
    MediaKind,
    MediaLink,
    SessionContent,
    Text,
)
from shared.providers.forms import buttons_action, card_object, given, list_action


def session_part(content: SessionContent, reply_to: str | None) -> dict[str, Any]:
    kind, body = _typed(content)
    quote = {} if reply_to is None else {"context": {"message_id": reply_to}}
    return {**quote, "type": kind, kind: body}


def media_object(media: MediaLink) -> dict[str, str]:
    """A file name is shown for documents only."""
    filename = media.filename if media.kind is MediaKind.DOCUMENT else None
    return given(link=media.link, caption=media.caption, filename=filename)


def _typed(content: SessionContent) -> tuple[str, Any]:
    match content:
        case Text():
            return "text", {"body": content.body}
        case MediaLink():
            return content.kind, media_object(content)
        case Buttons() | Choice() | LinkButton():
            return "interactive", _interactive(content)
        case Location():
            return "location", given(
                latitude=content.latitude,
                longitude=content.longitude,
                name=content.name,
                address=content.address,
            )
        case Cards():
            return "contacts", [card_object(card) for card in content.cards]
        case EmojiReaction():
            return "reaction", {"message_id": content.message_id, "emoji": content.emoji}
    assert_never(content)


def _interactive(content: Buttons | Choice | LinkButton) -> dict[str, Any]:
    kind, action = _action(content)
    return given(
        type=kind,
        header=None if content.header is None else _header(content.header),
        body={"text": content.body},
        footer=None if content.footer is None else {"text": content.footer},
        action=action,
    )


def _action(content: Buttons | Choice | LinkButton) -> tuple[str, dict[str, Any]]:
    match content:
        case Buttons():
            return "button", buttons_action(content)
        case Choice():
            return "list", list_action(content)
        case LinkButton():
            parameters = {"display_text": content.label, "url": content.url}
            return "cta_url", {"name": "cta_url", "parameters": parameters}
    assert_never(content)


def _header(header: Header) -> dict[str, Any]:
    if isinstance(header, str):
        return {"type": "text", "text": header}
    return {"type": header.kind, header.kind: media_object(header)}
