"""A JSON document at a door, whichever door: one spelling of it, and what is wrong with it by field."""

import json
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError

_CANONICAL = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canonical(document: object) -> bytes:
    """One spelling: a repeat may order its fields otherwise.

    Raises ValueError for what JSON or UTF-8 does not have: NaN, half a surrogate pair.
    """
    return _CANONICAL.encode(document).encode()


def read(schema: Schema, document: Any) -> tuple[Any, dict[str, list[str]]]:
    """What `schema` makes of a document, or None and its mistakes by field."""
    try:
        return schema.load(document), {}
    except ValidationError as exc:
        return None, flatten(exc.messages)


def flatten(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested messages by dotted field: `template.variables.2`."""
    if isinstance(messages, Mapping):
        flat: dict[str, list[str]] = {}
        for name, nested in messages.items():
            path = prefix if name == "_schema" else f"{prefix}.{name}".lstrip(".")
            for field, texts in flatten(nested, path).items():
                flat.setdefault(field, []).extend(texts)
        return flat
    texts = messages if isinstance(messages, list) else [messages]
    return {prefix or "body": [str(text) for text in texts]}
