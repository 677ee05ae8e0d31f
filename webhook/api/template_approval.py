"""`/v1/templates/{name}/{language}/…`: submit, edit, delete, decide, resume, and what happened."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.configuration import AnySender, MetaSender
from shared.domain.template_tags import TAGS
from shared.domain.templates import Approval, Template, TemplateId
from shared.errors import UnreadableTemplateError
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.schemas.consent import SenderQuerySchema
from shared.schemas.template import (
    APPROVAL_EXAMPLE,
    ApprovalRequestSchema,
    TemplateContentSchema,
    TemplateSchema,
)
from shared.schemas.template_history import EDIT_EXAMPLE, TemplateHistorySchema, TemplateVersionsSchema
from shared.template_approval import TemplateDesk
from shared.template_hindrance import Hindered, Hindrance
from webhook.api.auth import sender_of_address
from webhook.api.blueprint import OF_A_TEMPLATE, Blueprint
from webhook.api.context import caller, deps
from webhook.api.deeds import note_deed
from webhook.api.template_view import template_at, view, view_content
from webhook.api.templates import content_of, refuse_unfit
from webhook.errors import ProblemError

blueprint = Blueprint("template_approval", __name__, description="How templates get approved.")

_PATH = "/v1/templates/<name>/<language>"
#: Of calls that ask the provider.
ASKING = (*OF_A_TEMPLATE, *map(Code, Hindrance))


@blueprint.route(f"{_PATH}/submit", methods=["POST"])
@blueprint.guarded("templates", problems=ASKING)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateSchema())
def submit_template(query: dict[str, Any], name: str, language: str) -> dict[str, Any]:
    """Hand it in for approval: at Meta by its API; at CM.com by hand, and the decision is recorded here."""
    sender = sender_of_address(query["sender"])
    template = template_at(sender, name, language)
    return _done(sender, template, "submit", lambda desk: desk.submit(template))


@blueprint.route(_PATH, methods=["PUT"])
@blueprint.guarded("templates", problems=(*ASKING, Code.TEMPLATE_LINT))
@blueprint.body(TemplateContentSchema(), example=EDIT_EXAMPLE)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateSchema())
def edit_template(values: dict[str, Any], query: dict[str, Any], name: str, language: str) -> dict[str, Any]:
    """Replace its content: one version more, to be approved again. What WhatsApp has is edited there."""
    sender = sender_of_address(query["sender"])
    template, tag = template_at(sender, name, language), values["tag"]
    new = replace(template, tag=tag, category=TAGS[tag], original_category=TAGS[tag], **content_of(values))
    refuse_unfit(new, sender)
    return _done(sender, template, "edit", lambda desk: desk.edit(template, new, TAGS[tag]))


@blueprint.route(_PATH, methods=["DELETE"])
@blueprint.guarded("templates", problems=ASKING)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.NO_CONTENT)
def delete_template(query: dict[str, Any], name: str, language: str) -> None:
    """Delete it, at Meta too; what is queued with it is refused, or goes with an alternate.

    One that cannot be read is forgotten here alone: the provider's list brings back what Meta has.
    """
    sender = sender_of_address(query["sender"])
    template_id = TemplateId(sender.account, name, language)
    try:
        template = template_at(sender, name, language)
    except UnreadableTemplateError:
        _do(sender, template_id, "delete", lambda desk: desk.forget(template_id))
    else:
        _do(sender, template_id, "delete", lambda desk: desk.delete(template))


@blueprint.route(f"{_PATH}/approval", methods=["POST"])
@blueprint.guarded("admin", problems=(*OF_A_TEMPLATE, Code.DECIDED_BY_PROVIDER, Code.TEMPLATE_EDITED))
@blueprint.body(ApprovalRequestSchema(), example=APPROVAL_EXAMPLE)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateSchema())
def approve_template(
    decision: dict[str, Any], query: dict[str, Any], name: str, language: str
) -> dict[str, Any]:
    """Record a decision by hand about one version of it, for providers that report none to us."""
    sender = sender_of_address(query["sender"])
    template = template_at(sender, name, language)
    if isinstance(sender, MetaSender):
        raise ProblemError(Code.DECIDED_BY_PROVIDER, "Meta's own word decides, by webhook and by sync.")
    gate, word = decision["gate"], Approval(decision["decision"])

    def decide(desk: TemplateDesk) -> Hindered | None:
        return desk.decide(template, gate, word, decision["reason"], decision["version"])

    return _done(sender, template, "decide", decide, gate=gate, decision=word)


@blueprint.route(f"{_PATH}/resume", methods=["POST"])
@blueprint.guarded("admin", problems=ASKING)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateSchema())
def resume_template(query: dict[str, Any], name: str, language: str) -> dict[str, Any]:
    """Let it go on: what an error stopped, what pacing paused, in the category that it has now."""
    sender = sender_of_address(query["sender"])
    template = template_at(sender, name, language)
    return _done(sender, template, "resume", lambda desk: desk.resume(template))


@blueprint.route(f"{_PATH}/history")
@blueprint.guarded("templates:read", "templates", problems=OF_A_TEMPLATE)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateHistorySchema())
def list_history(query: dict[str, Any], name: str, language: str) -> dict[str, Any]:
    """List who decided what about it, and when: the latest 200 lines, newest first."""
    sender = sender_of_address(query["sender"])
    template = template_at(sender, name, language)
    entries = deps().template_history.entries(sender.business, template.id)
    items = [
        {"at": rfc3339(one.at), "by": one.by, "event": one.event, "details": dict(one.details)}
        for one in entries
    ]
    return {"items": items, "next": None}


@blueprint.route(f"{_PATH}/versions")
@blueprint.guarded("templates:read", "templates", problems=OF_A_TEMPLATE)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateVersionsSchema())
def list_versions(query: dict[str, Any], name: str, language: str) -> dict[str, Any]:
    """List its contents, the one in force first; a message says which of them it used."""
    sender = sender_of_address(query["sender"])
    template = template_at(sender, name, language)
    items = [{"version": template.version, "replaced_at": None, **view_content(template)}]
    for one in deps().template_history.replaced(sender.business, template.id):
        replaced_at = rfc3339(one.replaced_at)
        items.append({"version": one.version, "replaced_at": replaced_at, **view_content(one.content)})
    return {"items": items, "next": None}


def _done(
    sender: AnySender,
    template: Template,
    action: str,
    do: Callable[[TemplateDesk], Hindered | None],
    **details: str,
) -> dict[str, Any]:
    _do(sender, template.id, action, do, **details)
    return view(template_at(sender, template.id.name, template.id.language), sender)


def _do(
    sender: AnySender,
    template_id: TemplateId,
    action: str,
    do: Callable[[TemplateDesk], Hindered | None],
    **details: str,
) -> None:
    hindered = do(TemplateDesk(deps(), sender, caller().name))
    if hindered is not None:
        raise problem_of_hindered(hindered)
    named = {"sender": sender.alias, "template": f"{template_id.name}/{template_id.language}", **details}
    note_deed(sender.business, f"template.{action}", details=named)
    get_logger().warning(LogEvent.TEMPLATE_CHANGED, action=action, **named)


def problem_of_hindered(hindered: Hindered) -> ProblemError:
    wait = hindered.retry_after
    headers = {"Retry-After": str(max(1, round(wait.total_seconds())))} if wait else {}
    return ProblemError(Code(hindered.code), hindered.detail, errors=hindered.errors, headers=headers)
