"""`/v1/templates/library`: the ready-made templates, and the import of one by its name."""

from dataclasses import fields
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from shared import library
from shared.configuration import AnySender, MetaSender
from shared.domain.template_parts import TemplateContent
from shared.domain.template_tags import TAGS
from shared.domain.templates import Source, TemplateId
from shared.library import ReadyMade
from shared.problems import Code
from shared.schemas.template import RegisteredSchema
from shared.schemas.template_library import (
    IMPORT_EXAMPLE,
    ImportRequestSchema,
    LibraryQuerySchema,
    ReadyMadeListSchema,
    ReadyMadeSchema,
)
from shared.template_hindrance import Hindered, Hindrance
from shared.template_import import NotThere, bring
from webhook.api.auth import sender_of_body
from webhook.api.blueprint import Blueprint
from webhook.api.context import deps
from webhook.api.deeds import note_deed
from webhook.api.template_approval import problem_of_hindered
from webhook.api.template_view import template_at, view
from webhook.api.templates import register
from webhook.errors import ProblemError

blueprint = Blueprint("template_library", __name__, description="Ready-made templates to import.")
_IMPORTING = (
    Code.SENDER_NOT_ALLOWED,
    Code.UNSUPPORTED_BY_PROVIDER,
    Code.TEMPLATE_EXISTS,
    Code.TEMPLATE_LINT,
    *map(Code, Hindrance),
)


@blueprint.route("/v1/templates/library")
@blueprint.guarded("templates:read", "templates")
@blueprint.arguments(LibraryQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, ReadyMadeListSchema())
def list_library(query: dict[str, Any]) -> dict[str, Any]:
    """List the templates that come with Finestra, by name and language."""
    return {"items": [_view(one) for one in library.ready_made(query["language"])], "next": None}


@blueprint.route("/v1/templates/library/<name>/<language>")
@blueprint.guarded("templates:read", "templates", problems=(Code.UNKNOWN_TEMPLATE,))
@blueprint.response(HTTPStatus.OK, ReadyMadeSchema())
def show_ready_made(name: str, language: str) -> dict[str, Any]:
    """Show one of them."""
    found = library.find(name, language)
    if found is None:
        raise ProblemError(Code.UNKNOWN_TEMPLATE, "The library has none of this name and language.")
    return _view(found)


@blueprint.route("/v1/templates/import", methods=["POST"])
@blueprint.guarded("templates", problems=_IMPORTING)
@blueprint.body(ImportRequestSchema(), example=IMPORT_EXAMPLE)
@blueprint.response(HTTPStatus.CREATED, RegisteredSchema())
def import_template(values: dict[str, Any]) -> dict[str, Any]:
    """Register a ready-made template by its name; like any other it has to be approved."""
    sender = sender_of_body(values["sender"])
    if values["source"] == Source.PROVIDER:
        return _from_provider(sender, values)
    found = _find(values["name"], values["language"])
    if sender.provider not in found.providers:
        mend = "WhatsApp's preset for one-time codes is known to work with Meta only"
        raise ProblemError(Code.UNSUPPORTED_BY_PROVIDER, "See errors.", errors={"name": [mend]})
    if values["url"] is not None and not found.has_link:
        raise _invalid("url", "leave it out: this template has no link")
    return register(sender, _registration(found, values))


def _registration(found: ReadyMade, values: dict[str, Any]) -> dict[str, Any]:
    """As `POST /v1/templates` would read it."""
    content = found.leading_to(values["url"])
    return {
        "name": values["own_name"] or found.name,
        "language": found.language,
        "tag": found.tag,
        "source": Source.LIBRARY,
        **{field.name: getattr(content, field.name) for field in fields(TemplateContent)},
    }


def _find(name: str, language: str) -> ReadyMade:
    found = library.find(name, language)
    if found is not None:
        return found
    if name in library.names():
        raise _invalid("language", f"the library has {', '.join(library.LANGUAGES)}")
    close = get_close_matches(name, library.names(), n=1)
    raise _invalid("name", f"not in the library; {_meant(close)}")


def _meant(close: list[str]) -> str:
    return f"did you mean {close[0]}?" if close else "GET /v1/templates/library lists what is"


def _from_provider(sender: AnySender, values: dict[str, Any]) -> dict[str, Any]:
    """No call of CM.com's is known that would hand one over (reference cm 7)."""
    name, language = values["name"], values["language"]
    if not isinstance(sender, MetaSender):
        mend = 'register it with POST /v1/templates and "source": "provider", with the text that CM.com shows'
        raise _invalid("source", mend)
    for field, given in (("as", values["own_name"]), ("url", values["url"])):
        if given is not None:
            raise _invalid(field, "leave it out: the provider's stands there as it is")
    if deps().templates.get(sender.business, TemplateId(sender.account, name, language)) is not None:
        raise ProblemError(
            Code.TEMPLATE_EXISTS, "The sender's account has a template of this name and language."
        )
    hindered = bring(deps(), sender, name, language)
    match hindered:
        case NotThere(field, mend):
            raise _invalid(field, mend)
        case Hindered():
            raise problem_of_hindered(hindered)
    details = {"sender": sender.alias, "template": f"{name}/{language}"}
    note_deed(sender.business, "template.import", details=details)
    return view(template_at(sender, name, language), sender) | {"warnings": []}


def _invalid(name: str, mend: str) -> ProblemError:
    return ProblemError(Code.INVALID_REQUEST, "See errors.", errors={name: [mend]})


def _view(one: ReadyMade) -> dict[str, Any]:
    content = one.content
    return {
        "name": one.name,
        "language": one.language,
        "about": one.about,
        "tag": one.tag,
        "category": TAGS[one.tag],
        "providers": one.providers,
        "variables": one.variables,
        "samples": content.samples,
        "header": content.header,
        "body": content.body,
        "footer": content.footer,
        "buttons": content.buttons,
    }
