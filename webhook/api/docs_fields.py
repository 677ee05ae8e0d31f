"""The fields of a body, a parameter or an answer as rows to read, from their JSON schema.

What a schema refers to is told in its place, one step further in.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
Schemas = Mapping[str, Schema]
_BOUNDS = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "entries"),
    ("minimum", "maximum", ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    #: Of a parameter: `path`, `query` or `header`.
    place: str = ""
    #: Steps further in than the body itself.
    depth: int
    kind: str
    is_required: bool
    about: str
    limits: tuple[str, ...]
    allowed: tuple[str, ...]
    #: As JSON; None: there is none, or it is null, which is what being left out means.
    default: str | None
    examples: tuple[str, ...]


def fields_of(schema: Schema, schemas: Schemas, above: tuple[str, ...] = ()) -> Iterator[Field]:
    """`above`: the names of what it stands in, so that what holds itself has an end."""
    name, found = _resolved(schema, schemas)
    if name and name in above:
        return
    needed = frozenset(found.get("required", ()))
    for key, part in found.get("properties", {}).items():
        yield field_of(key, part, schemas, is_required=key in needed, depth=len(above))
        for inside in _inside(part):
            yield from fields_of(inside, schemas, (*above, name))


def field_of(
    name: str, schema: Schema, schemas: Schemas, *, is_required: bool, depth: int = 0, place: str = ""
) -> Field:
    default = schema.get("default")
    return Field(
        name=name,
        place=place,
        depth=depth,
        kind=_kind(schema, schemas),
        is_required=is_required,
        about=schema.get("description", ""),
        limits=tuple(_limits(schema)),
        allowed=tuple(str(value) for value in schema.get("enum", ()) if value is not None),
        default=None if default is None else _json(default),
        examples=tuple(map(_json, schema.get("examples", ()))),
    )


def _resolved(schema: Schema, schemas: Schemas) -> tuple[str, Schema]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return (name, schemas[name]) if name else ("", schema)


def _inside(schema: Schema) -> Iterator[Schema]:
    """What is told of it one step further in: the objects that it may be, or that its entries are."""
    if "$ref" in schema or "properties" in schema:
        yield schema
    for part in (*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, Mapping):
            yield from _inside(part)


def _kind(schema: Schema, schemas: Schemas) -> str:
    """Its types in words: `string or null`, `list of object`."""
    if "anyOf" in schema:
        kinds = [_kind(part, schemas) for part in schema["anyOf"]]
    elif "$ref" in schema:
        kinds = ["object"]
    else:
        types = schema.get("type", "string" if "enum" in schema else "anything")
        kinds = [types] if isinstance(types, str) else list(types)
        if "enum" in schema and None in schema["enum"] and "null" not in kinds:
            kinds.append("null")
    words = [f"list of {_kind(schema['items'], schemas)}" if k == "array" else k for k in kinds]
    form = f" ({schema['format']})" if "format" in schema else ""
    return " or ".join(dict.fromkeys(words)) + form


def _limits(schema: Schema) -> Iterator[str]:
    for least, most, of_what in _BOUNDS:
        low, high = schema.get(least), schema.get(most)
        if low is not None or high is not None:
            yield f"{_range(low, high)} {of_what}".strip()
    if "pattern" in schema:
        yield f"like {schema['pattern']}"


def _range(low: float | None, high: float | None) -> str:
    if high is None:
        return f"at least {low:,}"
    return f"at most {high:,}" if low is None else f"{low:,} to {high:,}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
