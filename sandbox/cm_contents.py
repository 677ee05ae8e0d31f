"""What CM.com's gateway demands of one bubble of a conversation, and what the customer reads of it.

Keys arrive folded to lower case. What no page of CM.com's shows (stickers, captions, links to press,
reactions) is refused: our choice.
reference: CM.com "WhatsApp", "WhatsApp interactive messages", its SDKs and Postman collection, read 2026-11.
"""

import re
from collections.abc import Mapping

from sandbox.contents import (
    MAX_BODY,
    ContentError,
    check_text_header,
    https_link,
    members,
    read_body,
    read_buttons,
    read_cards,
    read_list,
    words,
)

_MAX_TEXT = 4096
#: By kind of file: the formats of CM.com's table; the endings of names are the common ones.
_FORMATS: Mapping[str, Mapping[str, set[str]]] = {
    "image": {"image/png": {"png"}, "image/jpeg": {"jpg", "jpeg"}},
    "audio": {
        "audio/aac": {"aac"},
        "audio/mp4": {"m4a", "mp4"},
        "audio/mpeg": {"mp3"},
        "audio/amr": {"amr"},
        "audio/ogg": {"ogg", "opus", "oga"},
    },
    "video": {"video/mp4": {"mp4"}},
    "document": {
        "text/plain": {"txt"},
        "application/pdf": {"pdf"},
        "application/msword": {"doc"},
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": {"docx"},
        "application/vnd.ms-powerpoint": {"ppt"},
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": {"pptx"},
        "application/vnd.ms-excel": {"xls"},
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {"xlsx"},
    },
}
_HEADER_FILES = ("image", "video", "document")
_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]+)?")


def read_bubble(value: object) -> str:
    """Raises `ContentError`. Text and media may stand in one bubble; all else stands alone."""
    bubble = members(value, "an item", set(), {"context", *_READERS})
    if "context" in bubble:
        context = members(bubble["context"], "context", {"message_id"})
        words(context["message_id"], "context.message_id", 512)
    kinds = set(bubble) - {"context"}
    if kinds != {"text", "media"} and len(kinds) != 1:
        raise ContentError("an item holds one kind of content")
    return "\n".join(filter(None, (_READERS[kind](bubble[kind]) for kind in sorted(kinds))))


def check_file(value: object, kinds: tuple[str, ...], where: str = "media") -> str:
    """The address must be public, and the name should end in what the type is; an audio needs no name."""
    file = members(value, where, {"mediauri", "mimetype"}, {"medianame"})
    https_link(file["mediauri"], f"{where}.mediaUri")
    formats = {mime: ends for kind in kinds for mime, ends in _FORMATS[kind].items()}
    endings = formats.get(str(file["mimetype"]))
    if endings is None:
        raise ContentError(f"{where}.mimeType is none of the formats of {', '.join(kinds)}")
    name = file.get("medianame")
    if name is None and str(file["mimetype"]).startswith("audio/"):
        return ""
    if words(name, f"{where}.mediaName", 1000).rpartition(".")[2].lower() not in endings:
        raise ContentError(f"{where}.mediaName does not end in what its mimeType says")
    return str(name)


def _read_text(value: object) -> str:
    return words(value, "text", _MAX_TEXT)


def _read_media(value: object) -> str:
    return check_file(value, tuple(_FORMATS))


def _read_location(value: object) -> str:
    place = members(value, "location", {"latitude", "longitude"}, {"label", "searchquery"})
    for name in ("latitude", "longitude"):
        if not _DEGREES.fullmatch(words(place[name], f"location.{name}", 30)):
            raise ContentError(f"location.{name} must be a number as a string")
    named = [words(place[key], f"location.{key}", 1000) for key in ("label", "searchquery") if key in place]
    return ", ".join(named) or f"{place['latitude']}, {place['longitude']}"


def _read_interactive(value: object) -> str:
    asked = members(value, "interactive", {"type", "body", "action"}, {"header", "footer"})
    readers = {"button": read_buttons, "list": read_list}
    kind = str(asked["type"])
    if kind not in readers:
        raise ContentError("interactive.type must be button or list here")
    if "header" in asked:
        _check_header(kind, asked["header"])
    titles = readers[kind](asked["action"])
    return "\n".join([read_body(asked, MAX_BODY), *(f"[{title}]" for title in titles)])


def _check_header(kind: str, header: object) -> None:
    file = header.get("type") if isinstance(header, dict) else None
    if file == "text":
        check_text_header(header)
    elif kind == "button" and file in _HEADER_FILES:
        asked = members(header, "interactive.header", {"type", "media"})
        check_file(asked["media"], (str(file),), "interactive.header.media")
    else:
        raise ContentError("interactive.header: a text, or a file above reply buttons")


_READERS = {
    "text": _read_text,
    "media": _read_media,
    "location": _read_location,
    "contacts": read_cards,
    "interactive": _read_interactive,
}
#: Beside text.
BUBBLE_KINDS = frozenset(_READERS) - {"text"}
