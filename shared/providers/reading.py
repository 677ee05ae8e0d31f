"""Reading JSON from outside without trusting its shape: a value of the right type, or UnreadableError.

Every reader works on one update, so that a bad one costs nothing but itself.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.domain.events import UpdateSetAside

_LONGEST_TIMESTAMP = 12


class UnreadableError(Exception):
    """An update that cannot be read; the message is the reason it is counted under."""


def set_aside(reason: str, update: object) -> UpdateSetAside:
    """`update`: what to keep for later, as JSON in ASCII."""
    try:
        return UpdateSetAside(reason=reason, raw=json.dumps(update))
    except RecursionError:
        return UpdateSetAside(reason=reason, raw='"nested too deeply to keep"')


def object_at(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object at `key`; empty when there is none."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def text_at(parent: Mapping[str, Any], key: str) -> str | None:
    """The string at `key`; None when there is none, or an empty one."""
    value = parent.get(key)
    return storable(value) if value and isinstance(value, str) else None


def first_object(items: object) -> Mapping[str, Any]:
    if isinstance(items, list) and items and isinstance(items[0], dict):
        return items[0]
    return {}


def storable(text: str) -> str:
    """JSON may carry half of a surrogate pair, which UTF-8, and so the store, cannot."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number_text(value: object) -> str | None:
    """An integer, or digits in a string, as text without leading zeros; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_LONGEST_TIMESTAMP else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_TIMESTAMP:
        return None
    return str(int(text))


def moment(value: object) -> datetime:
    """Unix seconds, as a number or a string; never a guess."""
    seconds = number_text(value)
    if seconds is None:
        raise UnreadableError("bad_timestamp")
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableError("bad_timestamp") from None


def scalars(value: object) -> dict[str, Any]:
    """What of an object can be kept without looking: words, numbers, yes and no."""
    if not isinstance(value, dict):
        return {}
    return {
        storable(name): storable(item) if isinstance(item, str) else item
        for name, item in value.items()
        if isinstance(item, str | int | float)
    }


def button_reply(button: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Text and payload of a template's quick reply."""
    return text_at(button, "text"), text_at(button, "payload")


def interactive_reply(interactive: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Title and id of a pressed button or a list's row; a flow's reply has neither."""
    reply = object_at(interactive, "button_reply") or object_at(interactive, "list_reply")
    return text_at(reply, "title"), text_at(reply, "id")
