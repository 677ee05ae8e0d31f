"""How a template looks in Redis, and back: its content field by field, and what was decided about it."""

import json
from collections.abc import Mapping
from typing import Any

from shared.domain.consent import Category
from shared.domain.content import plain
from shared.domain.template_parts import ButtonKind, ButtonPart, HeaderKind, HeaderPart, TemplateContent
from shared.domain.templates import Approval, Gate, Source, Template, TemplateId, TemplateStatus

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dump_template(template: Template) -> dict[str, str]:
    """The fields of its hash; '' deletes one."""
    gates = {f"gate:{gate}": str(template.gates.get(gate, Approval.PENDING)) for gate in Gate}
    return {
        **gates,
        **dump_content(template),
        "account": template.id.account,
        "name": template.id.name,
        "language": template.id.language,
        "category": template.category,
        "original_category": template.original_category or template.category,
        "tag": template.tag or "",
        "source": template.source,
        "draft": "1" if template.is_draft else "",
    }


def dump_content(content: TemplateContent) -> dict[str, str]:
    """What an edit replaces; '' deletes a field."""
    return {
        "header": "" if content.header is None else _ENCODER.encode(plain(content.header)),
        "body": content.body,
        "footer": content.footer or "",
        "buttons": _ENCODER.encode(plain(content.buttons)) if content.buttons else "",
        "samples": _ENCODER.encode(content.samples),
        "ttl_seconds": "" if content.ttl_seconds is None else str(content.ttl_seconds),
    }


def load_template(stored: Mapping[str, str]) -> Template | None:
    if not stored:
        return None
    return Template(
        id=TemplateId(stored["account"], stored["name"], stored["language"]),
        category=Category(stored["category"]),
        gates={gate: Approval(stored[f"gate:{gate}"]) for gate in Gate},
        reasons={gate: stored[f"reason:{gate}"] for gate in Gate if f"reason:{gate}" in stored},
        stopped=_load_stopped(stored),
        original_category=Category(stored["original_category"]),
        tag=stored.get("tag"),
        source=Source(stored["source"]),
        version=int(stored["content_version"]),
        is_draft="draft" in stored and "told:gate:whatsapp" not in stored,
        **load_content(stored),
    )


def load_content(stored: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a TemplateContent."""
    ttl = stored.get("ttl_seconds")
    return {
        "header": _load_header(stored.get("header")),
        "body": stored["body"],
        "footer": stored.get("footer"),
        "buttons": tuple(_load_button(button) for button in json.loads(stored.get("buttons", "[]"))),
        "samples": tuple(json.loads(stored["samples"])),
        "ttl_seconds": None if ttl is None else int(ttl),
    }


def _load_header(stored: str | None) -> HeaderPart | None:
    if stored is None:
        return None
    fields = json.loads(stored)
    return HeaderPart(**{**fields, "kind": HeaderKind(fields["kind"])})


def _load_button(fields: Mapping[str, Any]) -> ButtonPart:
    return ButtonPart(**{**fields, "kind": ButtonKind(fields["kind"])})


def _load_stopped(stored: Mapping[str, str]) -> TemplateStatus | None:
    """The provider's word, or the one that an error of a send has said since."""
    word = stored.get("error_stop", "").partition("|")[0] or stored.get("stopped")
    return TemplateStatus(word) if word else None
