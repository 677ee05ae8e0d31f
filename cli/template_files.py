"""Templates in files: TOML or JSON with the fields of `POST /v1/templates`, read without asking anybody."""

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from shared.domain.template_parts import TemplateContent
from shared.schemas.documents import read
from shared.schemas.template import TemplateRequestSchema


def read_template(path: Path) -> tuple[dict[str, Any], TemplateContent]:
    """What stands in it, and its content. A ClickException names what is wrong by field."""
    values, mistakes = read(TemplateRequestSchema(), _document(path))
    if mistakes:
        lines = [f"  {name}: {'; '.join(texts)}" for name, texts in mistakes.items()]
        raise click.ClickException("\n".join([f"{path} is no template:", *lines]))
    content = TemplateContent(
        header=values["header"],
        body=values["body"],
        footer=values["footer"],
        buttons=tuple(values["buttons"]),
        samples=tuple(values["samples"]),
        ttl_seconds=values["ttl_seconds"],
    )
    return values, content


def _document(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as exc:
        raise click.ClickException(f"{path}: {exc}") from exc
