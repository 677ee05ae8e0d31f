"""`/v1/templates/in-use`: which templates are in use, and which of them cannot be sent."""

from http import HTTPStatus
from typing import Any

from shared.configuration import AnySender
from shared.domain.templates import Gate, Template, TemplateStatus
from shared.schemas.consent import SenderQuerySchema
from shared.schemas.template_history import TemplateUseListSchema
from webhook.api.auth import own_senders, sender_of_address
from webhook.api.blueprint import Blueprint
from webhook.api.context import deps

blueprint = Blueprint("template_use", __name__, description="Templates in use.")

_MISSING = "missing"


@blueprint.route("/v1/templates/in-use")
@blueprint.guarded("templates:read", "templates", problems=(HTTPStatus.NOT_FOUND,))
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateUseListSchema())
def list_in_use(query: dict[str, Any]) -> dict[str, Any]:
    """List what waiting messages and the last seven days name; what cannot be sent comes first."""
    senders = own_senders() if query["sender"] is None else [sender_of_address(query["sender"])]
    first = {(one.business, one.account): one for one in reversed(senders)}
    items = [item for sender in reversed(first.values()) for item in _of_account(sender)]
    return {"items": sorted(items, key=_order), "next": None}


def _of_account(sender: AnySender) -> list[dict[str, Any]]:
    held = {str(one.id): one for one in deps().templates.list(sender.business, sender.account)}
    apps = deps().settings.configuration.apps
    used = deps().template_use.of(sender.business, apps, now=deps().clock.now())
    found = []
    for named, use in used.items():
        account, name, language = named.split(":", 2)
        if account == sender.account:
            template = held.get(named)
            found.append(
                {
                    "sender": sender.alias,
                    "name": name,
                    "language": language,
                    "status": template.status if template else _MISSING,
                    "is_sendable": template is not None and _can_be_sent(template),
                    "why": template and _why(template),
                    "waiting": use.waiting,
                    "recent": use.recent,
                }
            )
    return found


def _can_be_sent(template: Template) -> bool:
    policy = deps().settings.configuration.policy
    is_refused = template.category in policy.refused_categories
    is_stopped = policy.stop_on_category_change and template.is_category_changed
    return template.status is TemplateStatus.APPROVED and not is_refused and not is_stopped


def _why(template: Template) -> str | None:
    if template.stop is not None:
        return template.stop.reason
    if template.is_category_changed:
        return f"WhatsApp has it as {template.category}"
    if template.status is TemplateStatus.APPROVED:
        return None if _can_be_sent(template) else f"policy refuses {template.category}"
    return next((template.reasons[gate] for gate in Gate if gate in template.reasons), None)


def _order(item: dict[str, Any]) -> tuple[Any, ...]:
    return item["is_sendable"], -item["waiting"], item["name"], item["language"], item["sender"]
