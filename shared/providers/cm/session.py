"""Free-form content as one bubble of CM.com's conversation; None for what it is not known to take.

CM.com, "WhatsApp", "WhatsApp interactive messages", its SDKs and its Postman collection, read 2026-11.
"""

import posixpath
from collections.abc import Mapping
from typing import Any, assert_never
from urllib.parse import unquote, urlsplit

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

#: By the end of a file's name: the formats that CM.com lists for each kind ("WhatsApp", read 2026-11).
MIME_TYPES: Mapping[MediaKind, Mapping[str, str]] = {
    MediaKind.IMAGE: {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg"},
    MediaKind.AUDIO: {
        "aac": "audio/aac",
        "m4a": "audio/mp4",
        "mp3": "audio/mpeg",
        "amr": "audio/amr",
        "ogg": "audio/ogg",
        "opus": "audio/ogg",
    },
    MediaKind.VIDEO: {"mp4": "video/mp4"},
    MediaKind.DOCUMENT: {
        "txt": "text/plain",
        "pdf": "application/pdf",
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "ppt": "application/vnd.ms-powerpoint",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    },
}


def session_part(content: SessionContent, reply_to: str | None) -> dict[str, Any] | None:
    """`body` must not be empty beside a bubble (error 304); a plain text is nothing but `body`."""
    bubble = _bubble(content)
    if bubble is None:
        return None
    body = {"body": {"type": "auto", "content": _in_words(content)}}
    if isinstance(content, Text) and reply_to is None:
        return body
    quote = {} if reply_to is None else {"context": {"message_id": reply_to}}
    return {**body, "richContent": {"conversation": [{**bubble, **quote}]}}


def media_object(media: MediaLink) -> dict[str, str] | None:
    """None when neither file name nor address tells a type that CM.com takes for this kind."""
    endings = MIME_TYPES.get(media.kind, {})
    last = posixpath.basename(unquote(urlsplit(media.link).path))
    for name in (media.filename, last):
        ending = (name or "").rpartition(".")[2].lower()
        if ending in endings:
            return {
                "mediaName": _named(media.filename or last, ending),
                "mediaUri": media.link,
                "mimeType": endings[ending],
            }
    return None


def _named(name: str, ending: str) -> str:
    """A `mediaName` should end in what its type is."""
    return name if name.lower().endswith(f".{ending}") else f"{name}.{ending}"


def _bubble(content: SessionContent) -> dict[str, Any] | None:
    match content:
        case Text():
            return {"text": content.body}
        case MediaLink():
            media = media_object(content)
            return None if media is None else {"media": media}
        case Buttons():
            return _interactive("button", content, buttons_action(content))
        case Choice():
            return _interactive("list", content, list_action(content))
        case Location():
            return {"location": _location(content)}
        case Cards():
            return {"contacts": [card_object(card) for card in content.cards]}
        case LinkButton() | EmojiReaction():
            return None  # their form is UNCONFIRMED
    assert_never(content)


def _interactive(kind: str, content: Buttons | Choice, action: dict[str, Any]) -> dict[str, Any] | None:
    header = None if content.header is None else _header(content.header)
    if content.header is not None and header is None:
        return None
    interactive = given(
        type=kind,
        header=header,
        body={"text": content.body},
        footer=None if content.footer is None else {"text": content.footer},
        action=action,
    )
    return {"interactive": interactive}


def _header(header: Header) -> dict[str, Any] | None:
    if isinstance(header, str):
        return {"type": "text", "text": header}
    media = media_object(header)
    return None if media is None else {"type": header.kind, "media": media}


def _location(location: Location) -> dict[str, str]:
    """Numbers are written as texts."""
    return given(
        latitude=str(location.latitude),
        longitude=str(location.longitude),
        label=location.name,
        searchQuery=location.address,
    )


def _in_words(content: SessionContent) -> str:
    """What `body` says; the contact reads it nowhere, since no other channel is asked for."""
    match content:
        case Text() | Buttons() | Choice() | LinkButton():
            return content.body
        case MediaLink():
            return content.filename or content.kind
        case Location():
            return content.name or content.address or f"{content.latitude}, {content.longitude}"
        case Cards():
            return ", ".join(card.formatted_name for card in content.cards)
        case EmojiReaction():
            return content.emoji
    assert_never(content)
