"""`/v1/templates`: register, list and show."""

from collections import defaultdict
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from shared.configuration import AnySender, CmSender
from shared.domain.lint import Finding, LintPolicy, lint
from shared.domain.template_tags import TAGS
from shared.domain.template_text import provider_form
from shared.domain.templates import Approval, Gate, Template, TemplateId
from shared.problems import Code
from shared.schemas.consent import SenderQuerySchema
from shared.schemas.template import (
    EXAMPLE,
    FindingsSchema,
    RegisteredSchema,
    TemplateListSchema,
    TemplateRequestSchema,
    TemplateSchema,
)
from shared.store.template_history import TemplateEntry
from webhook.api.auth import own_senders, sender_of_address, sender_of_body
from webhook.api.blueprint import OF_A_SENDER, OF_A_TEMPLATE, Blueprint
from webhook.api.context import caller, deps
from webhook.api.deeds import note_deed
from webhook.api.template_view import template_at, view
from webhook.errors import ProblemError

blueprint = Blueprint("templates", __name__, description="Templates and their two approvals.")


@blueprint.route("/v1/templates")
@blueprint.guarded("templates:read", "templates", problems=OF_A_SENDER)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateListSchema())
def list_templates(query: dict[str, Any]) -> dict[str, Any]:
    """List the templates of a sender, or of all that the key may use; by name and language."""
    senders = own_senders() if query["sender"] is None else [sender_of_address(query["sender"])]
    # Senders of one account share its templates: each is listed once, under the first of them.
    first = {(sender.business, sender.account): sender for sender in reversed(senders)}
    items = [
        view(template, sender)
        for sender in reversed(first.values())
        for template in deps().templates.list(sender.business, sender.account)
    ]
    return {"items": items, "next": None}


@blueprint.route("/v1/templates", methods=["POST"])
@blueprint.guarded("templates", problems=(Code.SENDER_NOT_ALLOWED, Code.TEMPLATE_EXISTS, Code.TEMPLATE_LINT))
@blueprint.body(TemplateRequestSchema(), example=EXAMPLE)
@blueprint.response(HTTPStatus.CREATED, RegisteredSchema())
def register_template(values: dict[str, Any]) -> dict[str, Any]:
    """Register a template; it is usable once both gates have approved it."""
    return register(sender_of_body(values["sender"]), values)


def register(sender: AnySender, values: dict[str, Any]) -> dict[str, Any]:
    """`values`: as TemplateRequestSchema reads them."""
    template = _template(sender, values)
    warnings = refuse_unfit(template, sender)
    entry = TemplateEntry(at=deps().clock.now(), by=caller().name, event="registered")
    if not deps().templates.create(sender.business, template, nonce=deps().new_nonce(), entry=entry):
        raise ProblemError(
            Code.TEMPLATE_EXISTS, "The sender's account has a template of this name and language."
        )
    named = f"{template.id.name}/{template.id.language}"
    note_deed(sender.business, "template.register", details={"sender": sender.alias, "template": named})
    return view(template_at(sender, template.id.name, template.id.language), sender) | {"warnings": warnings}


@blueprint.route("/v1/templates/lint", methods=["POST"])
@blueprint.guarded("templates:read", "templates", problems=(Code.SENDER_NOT_ALLOWED,))
@blueprint.body(TemplateRequestSchema(), example=EXAMPLE)
@blueprint.response(HTTPStatus.OK, FindingsSchema())
def lint_template(values: dict[str, Any]) -> dict[str, Any]:
    """Say what would be refused in a template, or may be; nothing is registered."""
    sender = sender_of_body(values["sender"])
    return {"findings": lint_of(_template(sender, values), sender)}


@blueprint.route("/v1/templates/<name>/<language>")
@blueprint.guarded("templates:read", "templates", problems=OF_A_TEMPLATE)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateSchema())
def show_template(query: dict[str, Any], name: str, language: str) -> dict[str, Any]:
    """Show a template and where its approvals stand."""
    sender = sender_of_address(query["sender"])
    return view(template_at(sender, name, language), sender)


def _template(sender: AnySender, values: dict[str, Any]) -> Template:
    category = TAGS[values["tag"]]
    return Template(
        id=TemplateId(sender.account, values["name"], values["language"]),
        tag=values["tag"],
        category=category,
        original_category=category,
        **content_of(values),
        source=values["source"],
        is_draft=True,
        gates={Gate.PROVIDER: _first_word(sender), Gate.WHATSAPP: Approval.PENDING},
        reasons={},
    )


def content_of(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a TemplateContent, variables in the provider's form."""
    header = values["header"]
    return {
        "header": header and replace(header, text=header.text and provider_form(header.text)),
        "body": provider_form(values["body"]),
        "footer": values["footer"] or None,
        "buttons": tuple(
            replace(button, url=button.url and provider_form(button.url)) for button in values["buttons"]
        ),
        "samples": tuple(values["samples"]),
        "ttl_seconds": values["ttl_seconds"],
    }


def _first_word(sender: AnySender) -> Approval:
    """At the provider's own gate: Meta has none beside WhatsApp's, CM.com's may be automatic."""
    if isinstance(sender, CmSender) and not sender.is_provider_approval_automatic:
        return Approval.PENDING
    return Approval.APPROVED


def refuse_unfit(template: Template, sender: AnySender) -> list[Finding]:
    """The warnings of the lint; its errors are refused, each with its code."""
    findings = lint_of(template, sender)
    errors: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for finding in findings:
        if finding.is_error:
            errors[finding.field].append({"code": finding.code, "mend": finding.mend})
    if errors:
        raise ProblemError(Code.TEMPLATE_LINT, "See errors; each has its lint code.", errors=dict(errors))
    return findings


def lint_of(template: Template, sender: AnySender) -> list[Finding]:
    policy = deps().settings.configuration.policy
    asked = LintPolicy(
        promotional=policy.promotional_content,
        provider=sender.provider,
        keyword_languages=policy.languages,
    )
    others = {
        f"{other.id.name}/{other.id.language}": other
        for other in deps().templates.list(sender.business, sender.account)
        if other.id != template.id
    }
    return lint(template.id.name, template.id.language, template.tag or "", template, asked, others)
