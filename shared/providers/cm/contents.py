"""What a contact sent through CM.com: which kind it is, its words, and what else it holds.

CM.com, "WhatsApp inbound" and "Incoming messages", read 2026-11. `custom` comes with its keys in lower case.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.content import Content, Media, Unread
from shared.domain.window import InboundKind
from shared.providers.cm.custom import READERS
from shared.providers.cm.wire import member_object, member_text
from shared.providers.reading import button_reply, interactive_reply, object_at, raw_of, text_at

_KINDS: Mapping[str | None, InboundKind] = {kind.value: kind for kind in InboundKind}
_FILE_KINDS: Mapping[str, InboundKind] = {
    "image": InboundKind.IMAGE,
    "video": InboundKind.VIDEO,
    "audio": InboundKind.AUDIO,
}
_MEDIA_KINDS = frozenset({*_FILE_KINDS.values(), InboundKind.DOCUMENT, InboundKind.STICKER})


def kind_of(message: Mapping[str, Any], custom: Mapping[str, Any]) -> InboundKind:
    """By what is there; by CM.com's word for it, which one live client shows; by the file's type."""
    for kind in READERS:
        if custom.get(kind):
            return kind
    named = _KINDS.get(text_at(custom, "message_type"))
    if file_of(message) is not None:
        return named if named in _MEDIA_KINDS else _kind_of_file(message)
    if named is not None:
        return named
    return InboundKind.TEXT if member_text(message, "text") else InboundKind.UNKNOWN


def file_of(message: Mapping[str, Any]) -> str | None:
    """The address of the file; without one, `media` is there with empty strings, or not at all."""
    return member_text(member_object(message, "media"), "mediaUri")


def words_of(
    kind: InboundKind, message: Mapping[str, Any], custom: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """Text and payload: what the contact wrote or pressed. Words beside a file are its caption."""
    has_file = kind in _MEDIA_KINDS or file_of(message) is not None
    written = None if has_file else member_text(message, "text")
    match kind:
        case InboundKind.BUTTON:
            text, payload = button_reply(object_at(custom, "button"))
        case InboundKind.INTERACTIVE:
            text, payload = interactive_reply(object_at(custom, "interactive"))
        case InboundKind.ORDER:
            text, payload = text_at(object_at(custom, "order"), "text"), None
        case _:
            return written, None
    return written or text, payload


def content_of(kind: InboundKind, message: Mapping[str, Any], custom: Mapping[str, Any]) -> Content | None:
    """None for text, and for what cannot be read: the message has come all the same."""
    if kind in _MEDIA_KINDS:
        return _media(kind, message)
    if kind is InboundKind.UNKNOWN:
        return Unread(raw=raw_of(message))
    read = READERS.get(kind)
    return read(custom) if read else None


def _kind_of_file(message: Mapping[str, Any]) -> InboundKind:
    """A sticker is WebP, a GIF a video."""
    written = member_text(member_object(message, "media"), "contentType") or ""
    mime_type = written.casefold().partition(";")[0].strip()
    if mime_type == "image/webp":
        return InboundKind.STICKER
    return _FILE_KINDS.get(mime_type.partition("/")[0], InboundKind.DOCUMENT)


def _media(kind: InboundKind, message: Mapping[str, Any]) -> Media:
    media = member_object(message, "media")
    return Media(
        url=member_text(media, "mediaUri"),
        mime_type=member_text(media, "contentType"),
        caption=member_text(message, "text"),
        filename=member_text(media, "title") if kind is InboundKind.DOCUMENT else None,
    )
