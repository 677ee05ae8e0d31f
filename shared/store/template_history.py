"""What happened to a template, line by line, and the contents that edits replaced."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis

from shared.clock import from_ms, to_ms
from shared.domain.template_parts import TemplateContent
from shared.domain.templates import Template, TemplateId
from shared.store.codec import dump
from shared.store.connection import translated
from shared.store.keys import Keys
from shared.store.template_codec import dump_content, load_content


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateEntry:
    """One line: who decided what, and when."""

    at: datetime
    #: An app by its key; `whatsapp`; `finestra` for what follows from an error.
    by: str
    #: registered, submitted, edited, decided, resumed, deleted; webhook, sync, error.
    event: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacedContent:
    """A content that an edit replaced."""

    version: int
    replaced_at: datetime
    content: TemplateContent


def dump_entry(entry: TemplateEntry | None) -> str:
    """A line as the scripts take it; '' for none."""
    if entry is None:
        return ""
    return dump({"at": to_ms(entry.at), "by": entry.by, "event": entry.event, "details": entry.details})


def dump_replaced(template: Template, now: datetime) -> str:
    """A content as it is kept once another stands in its place."""
    return dump({"at": to_ms(now), **{n: v for n, v in dump_content(template).items() if v}})


class TemplateHistory:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def entries(self, business: str, template_id: TemplateId) -> list[TemplateEntry]:
        """The newest first."""
        with translated(self._client):
            lines: Any = self._client.lrange(Keys(business).template_history(template_id), 0, -1)
        return [_load_entry(json.loads(line)) for line in lines]

    def replaced(self, business: str, template_id: TemplateId) -> list[ReplacedContent]:
        """The newest first; the one in force is not among them."""
        with translated(self._client):
            stored: Any = self._client.hgetall(Keys(business).template_contents(template_id))
        versions = sorted(stored.items(), key=lambda item: int(item[0]), reverse=True)
        return [_load_replaced(int(version), json.loads(text)) for version, text in versions]


def _load_entry(stored: Mapping[str, Any]) -> TemplateEntry:
    return TemplateEntry(
        at=from_ms(stored["at"]),
        by=stored["by"],
        event=stored["event"],
        details=stored.get("details") or {},
    )


def _load_replaced(version: int, stored: Mapping[str, Any]) -> ReplacedContent:
    content = TemplateContent(**load_content(stored))
    return ReplacedContent(version=version, replaced_at=from_ms(stored["at"]), content=content)
