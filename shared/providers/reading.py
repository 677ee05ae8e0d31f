"""Reading JSON from outside without trusting its shape: a value of the right type, or UnreadableError.

Every reader works on one update, so that a bad one costs nothing but itself.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from shared.domain.events import UpdateSetAside

_LONGEST_RAW = 16 * 1024
_LONGEST_TIMESTAMP = 12

# What `details` keeps of an object that nobody has looked into.
_DEEPEST = 4
_MOST_MEMBERS = 32
_LONGEST_NAME = 64
_LONGEST_WORDS = 500
_LARGEST_NUMBER = 10**18
_MOST_DETAILS = 8_000


class UnreadableError(Exception):
    """An update that cannot be read; the message is the reason it is counted under."""


def set_aside(reason: str, update: object) -> UpdateSetAside:
    """`update`: what to keep for later, as JSON in ASCII."""
    try:
        return UpdateSetAside(reason=reason, raw=json.dumps(update))
    except RecursionError:
        return UpdateSetAside(reason=reason, raw='"nested too deeply to keep"')


def raw_of(update: object) -> str:
    """As it came, as JSON in ASCII, as far as it is worth keeping beside what was read of it."""
    try:
        return json.dumps(update)[:_LONGEST_RAW]
    except RecursionError:
        return '"nested too deeply to keep"'


def object_at(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object at `key`; empty when there is none."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def text_at(parent: Mapping[str, Any], key: str) -> str | None:
    """The string at `key`; None when there is none, or an empty one."""
    value = parent.get(key)
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else storable(value)


def objects_at(parent: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects in the list at `key`; what else is in it is left out."""
    items = parent.get(key)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


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
    number = _integer(value)
    return None if number is None else str(number)


def moment(value: object) -> datetime:
    """Unix seconds, as a number or a string; never a guess."""
    seconds = _integer(value)
    if seconds is None:
        raise UnreadableError("bad_timestamp")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableError("bad_timestamp") from None


def moment_if_any(value: object) -> datetime | None:
    """As `moment`; None where an update can do without."""
    try:
        return moment(value)
    except UnreadableError:
        return None


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        return int(text) if len(text) <= _LONGEST_TIMESTAMP and text.isascii() and text.isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < 10**_LONGEST_TIMESTAMP else None


def amount(value: object) -> str | None:
    """A quantity or a price as it was written: providers write them as numbers and as text."""
    if isinstance(value, str):
        return storable(value) or None
    return str(value) if _is_number(value) else None


def degrees(value: object) -> float | None:
    """A coordinate, as a number or as text; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def scalars(value: object) -> dict[str, Any]:
    """What of an object can be kept without looking: words, numbers, yes and no."""
    if not isinstance(value, dict):
        return {}
    return {
        storable(name): storable(item) if isinstance(item, str) else item
        for name, item in value.items()
        if isinstance(item, str | bool) or _is_number(item)
    }


def details(value: Mapping[str, Any]) -> dict[str, Any]:
    """What an object of any shape says, for people to read: bounded in depth, width and length."""
    kept: dict[str, Any] = _bounded(value, _DEEPEST)
    if len(json.dumps(kept)) <= _MOST_DETAILS:
        return kept
    return scalars(kept)


def _bounded(value: object, depth: int) -> Any:  # noqa: ANN401 - JSON
    """None for what is neither a word nor a number, nor a list or object of them."""
    if isinstance(value, str):
        return storable(value[:_LONGEST_WORDS])
    if isinstance(value, bool) or _is_number(value):
        return value
    if depth == 0:
        return None
    if isinstance(value, dict):
        items = ((storable(name[:_LONGEST_NAME]), _bounded(item, depth - 1)) for name, item in value.items())
        return {name: item for name, item in islice(items, _MOST_MEMBERS) if item is not None}
    if isinstance(value, list):
        return [
            item for item in (_bounded(item, depth - 1) for item in value[:_MOST_MEMBERS]) if item is not None
        ]
    return None


def _is_number(value: object) -> bool:
    """Not yes or no, and nothing that JSON or a double cannot hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _LARGEST_NUMBER  # false for NaN, too


def button_reply(button: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Text and payload of a template's quick reply."""
    return text_at(button, "text"), text_at(button, "payload")


def interactive_reply(interactive: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Title and id of a pressed button or a list's row; a flow's reply has neither."""
    reply = object_at(interactive, "button_reply") or object_at(interactive, "list_reply")
    return text_at(reply, "title"), text_at(reply, "id")
