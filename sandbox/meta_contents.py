"""What the Cloud API demands of each type of free-form content but text, and what the customer reads of it.

reference: Meta "Send messages" and the page of each type, read 2025-10 and 2025-11.
"""

from collections.abc import Callable, Mapping

from sandbox.contents import (
    MAX_BODY,
    MAX_LIST_BODY,
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
from sandbox.shapes import is_text

_MAX_CAPTION = 1024
_MAX_LABEL = 20
#: Beside the file itself.
_MEDIA_MEMBERS: Mapping[str, set[str]] = {
    "image": {"caption"},
    "video": {"caption"},
    "audio": {"voice"},
    "document": {"caption", "filename"},
    "sticker": set(),
}
_HEADER_FILES = {"image", "video", "document"}


def read_content(kind: str, value: object) -> str:
    """Raises `ContentError`. `kind` must be one of `READERS`."""
    return READERS[kind](value)


def check_file(kind: str, value: object, where: str, *, is_header: bool = False) -> str:
    """A file by id or by link, one of both; its caption."""
    may = _MEDIA_MEMBERS[kind] - ({"caption"} if is_header else set())
    file = members(value, where, set(), {"id", "link", *may})
    if ("id" in file) == ("link" in file):
        raise ContentError(f"{where}: give id or link")
    if "link" in file:
        https_link(file["link"], f"{where}.link")
    elif not is_text(file["id"]):
        raise ContentError(f"{where}.id must be a string")
    if "filename" in file:
        words(file["filename"], f"{where}.filename", 1000)
    return words(file["caption"], f"{where}.caption", _MAX_CAPTION) if "caption" in file else ""


def _media(kind: str) -> Callable[[object], str]:
    return lambda value: check_file(kind, value, kind)


def _read_location(value: object) -> str:
    place = members(value, "location", {"latitude", "longitude"}, {"name", "address"})
    for name, most in (("latitude", 90), ("longitude", 180)):
        degrees = place[name]
        if isinstance(degrees, bool) or not isinstance(degrees, int | float) or abs(degrees) > most:
            raise ContentError(f"location.{name} must be a number from -{most} to {most}")
    named = [words(place[key], f"location.{key}", 1000) for key in ("name", "address") if key in place]
    return ", ".join(named) or f"{place['latitude']}, {place['longitude']}"


def _read_reaction(value: object) -> str:
    """An empty emoji takes the reaction back: seen with vendors only."""
    reaction = members(value, "reaction", {"message_id", "emoji"})
    if not is_text(reaction["message_id"]) or not isinstance(reaction["emoji"], str):
        raise ContentError("reaction: message_id and emoji must be strings")
    return reaction["emoji"]


def _read_interactive(value: object) -> str:
    asked = members(value, "interactive", {"type", "body", "action"}, {"header", "footer"})
    kind = str(asked["type"])
    if kind not in _ACTIONS:
        raise ContentError(f"interactive.type must be one of {', '.join(_ACTIONS)}")
    if "header" in asked:
        _check_header(kind, asked["header"])
    body = read_body(asked, MAX_LIST_BODY if kind == "list" else MAX_BODY)
    return "\n".join([body, *(f"[{title}]" for title in _ACTIONS[kind](asked["action"]))])


def _check_header(kind: str, header: object) -> None:
    file = header.get("type") if isinstance(header, dict) else None
    if file == "text":
        check_text_header(header)
    elif kind == "button" and file in _HEADER_FILES:
        asked = members(header, "interactive.header", {"type", str(file)})
        check_file(str(file), asked[str(file)], f"interactive.header.{file}", is_header=True)
    else:
        raise ContentError("interactive.header: a text, or a file above reply buttons")


def _read_link(action: object) -> list[str]:
    asked = members(action, "action", {"name", "parameters"})
    if asked["name"] != "cta_url":
        raise ContentError("action.name must be cta_url")
    parameters = members(asked["parameters"], "action.parameters", {"display_text", "url"})
    https_link(parameters["url"], "action.parameters.url")
    return [words(parameters["display_text"], "action.parameters.display_text", _MAX_LABEL)]


_ACTIONS: Mapping[str, Callable[[object], list[str]]] = {
    "button": read_buttons,
    "list": read_list,
    "cta_url": _read_link,
}
READERS: Mapping[str, Callable[[object], str]] = {
    **{kind: _media(kind) for kind in _MEDIA_MEMBERS},
    "location": _read_location,
    "contacts": read_cards,
    "reaction": _read_reaction,
    "interactive": _read_interactive,
}
