"""How a template looks in Redis, and back: its content field by field, and what was decided about it."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from shared.clock import from_ms
from shared.domain.consent import Category
from shared.domain.content import plain
from shared.domain.template_parts import ButtonKind, ButtonPart, HeaderKind, HeaderPart, TemplateContent
from shared.domain.templates import (
    Announcement,
    Approval,
    Gate,
    Source,
    Stop,
    Template,
    TemplateId,
    TemplateStatus,
)
from shared.observability import LogEvent, get_logger, place_of

#: Why WhatsApp's gate is not open yet although it said so: its content may be another than ours.
UNCOMPARED = "approved by WhatsApp, waiting for its content to be compared with ours"

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
        "provider_id": template.provider_id or "",
        "whatsapp_version": str(template.whatsapp_version or ""),
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


def readable_template(stored: Mapping[str, str]) -> Template | None:
    """One that cannot be read is as none, and told of: it takes nothing else along."""
    try:
        return load_template(stored)
    except (ValueError, KeyError, TypeError) as exc:
        named = ":".join(stored.get(part, "?") for part in ("account", "name", "language"))
        tell_unreadable(named, stored.get("version", ""), type(exc).__name__, place_of(exc))
        return None


@lru_cache(maxsize=1_000)
def tell_unreadable(named: str, _version: str, error: str, at: str) -> None:
    """Once in a process for each version: it is read for every claim and every scrape."""
    get_logger().error(LogEvent.BUG, template=named, error=error, at=at)


def load_template(stored: Mapping[str, str]) -> Template | None:
    if not stored:
        return None
    waiting = _waiting(stored)
    return Template(
        id=TemplateId(stored["account"], stored["name"], stored["language"]),
        category=Category(stored["category"]),
        gates={gate: Approval(stored[f"gate:{gate}"]) for gate in Gate} | waiting,
        reasons={gate: stored[f"reason:{gate}"] for gate in Gate if f"reason:{gate}" in stored}
        | dict.fromkeys(waiting, UNCOMPARED),
        stopped=stop.status if (stop := _load_stop(stored)) else None,
        original_category=Category(stored["original_category"]),
        tag=stored.get("tag"),
        source=Source(stored["source"]),
        version=int(stored["content_version"]),
        is_draft="draft" in stored and "told:gate:whatsapp" not in stored,
        provider_id=stored.get("provider_id"),
        whatsapp_version=int(stored["whatsapp_version"]) if "whatsapp_version" in stored else None,
        stop=stop,
        is_being_edited="editing" in stored,
        edits=tuple(from_ms(at) for at in stored.get("edits", "").split()),
        quality=stored.get("quality"),
        announced=_load_announcement(stored),
        **load_content(stored),
    )


def _waiting(stored: Mapping[str, str]) -> dict[Gate, Approval]:
    """An approval counts for the content that it is about (lua/parts/templates.lua says the same)."""
    is_approved = stored[f"gate:{Gate.WHATSAPP}"] == Approval.APPROVED
    is_about_ours = stored.get("whatsapp_version") == stored["content_version"]
    return {Gate.WHATSAPP: Approval.PENDING} if is_approved and not is_about_ours else {}


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


def _load_stop(stored: Mapping[str, str]) -> Stop | None:
    """The provider's word, or the one that an error of a send has said since."""
    if "error_stop" in stored:
        status, code, _, until = stored["error_stop"].split("|")
        ends = from_ms(until) if until else None
        return Stop(status=TemplateStatus(status), reason=code, is_by_error=True, until=ends)
    if "stopped" not in stored:
        return None
    over_at = stored.get("stopped_until")
    return Stop(
        status=TemplateStatus(stored["stopped"]),
        reason=stored.get("stopped_reason"),
        until=datetime.fromisoformat(over_at) if over_at else None,
    )


def _load_announcement(stored: Mapping[str, str]) -> Announcement | None:
    if "announced_category" not in stored:
        return None
    at = stored.get("announced_category_at")
    return Announcement(
        category=Category(stored["announced_category"]), at=datetime.fromisoformat(at) if at else None
    )
