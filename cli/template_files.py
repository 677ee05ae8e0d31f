"""Templates in files: TOML or JSON with the fields of `POST /v1/templates`, read without asking anybody."""

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cli.template_lines import Lines, json_lines, line_of, toml_lines
from shared.domain.template_parts import TemplateContent
from shared.schemas.documents import read
from shared.schemas.template import TemplateRequestSchema

_SCHEMA = TemplateRequestSchema()


@dataclass(frozen=True, slots=True)
class Entry:
    """One template of a file, as it stands there."""

    file: str
    #: Keys and indices that lead to it.
    place: tuple[str, ...]
    document: object
    lines: Lines

    def line_of(self, field: str) -> int:
        """Of a field that the body of a registration names so, or of what it would stand in."""
        return line_of(self.lines, (*self.place, *field.split(".")))

    def values(self) -> tuple[dict[str, Any], dict[str, list[str]]]:
        """What the API would read of it, and the mistakes by field."""
        return read(_SCHEMA, self.document)


def read_template(path: Path) -> tuple[dict[str, Any], TemplateContent]:
    """What stands in it, and its content. A ClickException names what is wrong by field."""
    document, _ = _parse(str(path), _text_of(path))
    values, mistakes = read(_SCHEMA, document)
    if mistakes:
        lines = [f"  {name}: {'; '.join(texts)}" for name, texts in mistakes.items()]
        raise click.ClickException("\n".join([f"{path} is no template:", *lines]))
    return values, content_of(values)


def read_entries(name: str) -> Iterator[Entry]:
    """The templates of a file: one, a list of them, or a list under `templates`; `-` is what is piped in.

    Raises a ClickException for what cannot be read.
    """
    text = sys.stdin.read() if name == "-" else _text_of(Path(name))
    document, lines = _parse(name, text)
    place: tuple[str, ...] = ()
    if isinstance(document, dict) and isinstance(document.get("templates"), list):
        place, document = ("templates",), document["templates"]
    if not isinstance(document, list):
        yield Entry(name, place, document, lines)
        return
    for index, each in enumerate(document):
        yield Entry(name, (*place, str(index)), each, lines)


def content_of(values: Mapping[str, Any]) -> TemplateContent:
    return TemplateContent(
        header=values["header"],
        body=values["body"],
        footer=values["footer"],
        buttons=tuple(values["buttons"]),
        samples=tuple(values["samples"]),
        ttl_seconds=values["ttl_seconds"],
    )


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as exc:
        raise click.ClickException(f"{path}: {exc}") from exc


def _parse(name: str, text: str) -> tuple[Any, Lines]:
    """By its ending; what is piped in says by its first sign what it is."""
    is_toml = name.endswith(".toml") or (name == "-" and not _looks_like_json(text))
    try:
        return (tomllib.loads(text), toml_lines(text)) if is_toml else (json.loads(text), json_lines(text))
    except (ValueError, RecursionError) as exc:
        raise click.ClickException(f"{name}: {exc}") from exc


def _looks_like_json(text: str) -> bool:
    """A list of JSON begins with `[` and an object, a table of TOML with `[` and a name."""
    signs = "".join(text[:1000].split())
    return signs.startswith(("{", "[{", "[]"))
