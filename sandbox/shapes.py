"""What text from outside must look like before the sandbox believes it. Knows no provider and no state."""

import re
from typing import TypeGuard

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
#: Two letters of a country, a dot, up to 128 alphanumerics; parent ids carry "ENT." in between.
#: reference: Meta "Business-scoped user IDs", read 2026-02.
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


class ScriptError(Exception):
    """A control request, or the file of accounts, asks for something the sandbox cannot do."""


def is_e164(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _E164.fullmatch(value) is not None


def is_user_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _USER_ID.fullmatch(value) is not None


def is_text(value: object) -> TypeGuard[str]:
    """A string with at least one visible character."""
    return isinstance(value, str) and bool(value.strip())


def is_number(value: object) -> TypeGuard[int | float]:
    """A number of at least zero; `true` is not one, although Python thinks so."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def script_object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ScriptError("a JSON object is needed here")
    return value


def script_entries(document: object, key: str) -> list[dict[str, object]]:
    """The objects listed under `key`; raises `ScriptError` for any other shape."""
    entries = script_object(document).get(key)
    if not isinstance(entries, list):
        raise ScriptError(f"'{key}' must be a list")
    return [script_object(entry) for entry in entries]


def script_texts(raw: dict[str, object], names: set[str]) -> dict[str, str]:
    """`raw` as strings, if it has exactly these names; raises `ScriptError` naming the odd ones."""
    if odd := names.symmetric_difference(raw):
        raise ScriptError(f"missing or unknown: {', '.join(sorted(odd))}")
    texts = {name: value for name, value in raw.items() if is_text(value)}
    if empty := names.difference(texts):
        raise ScriptError(f"must be text and not empty: {', '.join(sorted(empty))}")
    return texts
