"""A template as the internal door shows it, and the one that an address names."""

from typing import Any

from shared.clock import rfc3339
from shared.configuration import AnySender
from shared.domain.template_parts import TemplateContent
from shared.domain.templates import Gate, Stop, Template, TemplateId
from shared.problems import Code
from webhook.api.context import deps
from webhook.errors import ProblemError


def template_at(sender: AnySender, name: str, language: str) -> Template:
    template = deps().templates.get(sender.business, TemplateId(sender.account, name, language))
    if template is None:
        raise ProblemError(Code.UNKNOWN_TEMPLATE, "The sender's account has none of this name and language.")
    return template


def view(template: Template, sender: AnySender) -> dict[str, Any]:
    announced = template.announced
    return {
        "sender": sender.alias,
        "account": template.id.account,
        "name": template.id.name,
        "language": template.id.language,
        "tag": template.tag,
        "category": template.category,
        "is_category_changed": template.is_category_changed,
        "announced_category": announced and announced.category,
        **view_content(template),
        "source": template.source,
        "version": template.version,
        "status": template.status,
        "stop": template.stop and _view_stop(template.stop),
        "quality": template.quality,
        "provider_id": template.provider_id,
        "approval": {
            gate.value: {"state": template.gates[gate], "reason": template.reasons.get(gate)} for gate in Gate
        },
    }


def view_content(content: TemplateContent) -> dict[str, Any]:
    return {
        "body": content.body,
        "footer": content.footer,
        "samples": content.samples,
        "header": content.header,
        "buttons": content.buttons,
        "ttl_seconds": content.ttl_seconds,
        "variables": content.variables,
    }


def _view_stop(stop: Stop) -> dict[str, Any]:
    return {
        "reason": stop.reason,
        "by": "error" if stop.is_by_error else "whatsapp",
        "until": rfc3339(stop.until) if stop.until else None,
    }
