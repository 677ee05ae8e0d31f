"""Meta's template API: create, list with paging, edit, delete, un-pause. Approvals come by control calls.

reference: Meta "Template management" and "Template pacing", read 2025-12 and 2026-09.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request

from sandbox.accounts import MetaAccount
from sandbox.faults import Fault
from sandbox.graph import VERSION, bearer_accounts, graph_error, refuse_unseen
from sandbox.misbehaviour import before_answering
from sandbox.template_reading import TemplateError, components_of, read_content, read_new, shown
from sandbox.templates import Template
from sandbox.world import World

_EDITABLE = {"APPROVED", "REJECTED", "PAUSED"}
_DAY = 24 * 60 * 60
_EXISTS, _NOT_EDITABLE, _NOT_FOUND = 2388024, 2388039, 33


@dataclass(frozen=True, slots=True)
class TemplateDoor:
    """Answers for every WhatsApp Business Account of the world."""

    world: World

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("templates", __name__)
        edge = "/<version>/<account_id>/message_templates"
        for method, view in (("GET", self.list), ("POST", self.create), ("DELETE", self.delete)):
            blueprint.add_url_rule(edge, endpoint=f"templates_{method}", view_func=view, methods=[method])
        blueprint.add_url_rule("/<version>/<int:template_id>", view_func=self.edit, methods=["POST"])
        blueprint.add_url_rule(
            "/<version>/<int:template_id>/unpause", view_func=self.unpause, methods=["POST"]
        )
        blueprint.register_error_handler(TemplateError, _refused)
        blueprint.register_error_handler(_AnsweredError, lambda error: error.answer)
        return blueprint

    def list(self, version: str, account_id: str) -> Response:
        self._authorise(version, account_id)
        name, limit = request.args.get("name"), int(request.args.get("limit", "25"))
        start = int(request.args.get("after", "0"))
        found = [one for one in self.world.templates_of(account_id) if name is None or name in one.name]
        page = [shown(one, self.world.registry.entry(one)) for one in found[start : start + limit]]
        end = start + len(page)
        paging: dict[str, object] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(found):
            paging["next"] = f"{request.base_url}?after={end}"
        return jsonify(data=page, paging=paging)

    def create(self, version: str, account_id: str) -> Response:
        account, body = self._authorise(version, account_id), _body()
        fault = self.world.take_fault(account.number)
        if fault is not None and fault.refuses_unseen:
            return refuse_unseen(fault)
        template = read_new(account_id, body)
        if self.world.template(account_id, template.name, template.language) is not None:
            raise TemplateError(_EXISTS, "Content in this language already exists")
        self._put(template, body)
        before_answering(fault, self.world)
        number = self.world.registry.id_of(template)
        return jsonify(id=str(number), status=template.status, category=template.category)

    def edit(self, version: str, template_id: int) -> Response:
        template, body = self._template(version, template_id), _body()
        entry, now = self.world.registry.entry(template), self.world.now()
        if template.status not in _EDITABLE:
            raise TemplateError(_NOT_EDITABLE, f"a template that is {template.status} cannot be edited")
        edited = read_content(template, body)
        edits = entry.edits
        if template.status == "APPROVED":
            if edited.category != template.category:
                raise TemplateError(_NOT_EDITABLE, "the category of an approved template cannot change")
            if edits and now - edits[-1] < _DAY:
                raise TemplateError(_NOT_EDITABLE, "an approved template can be edited once in 24 hours")
            edits = (*edits, now)
        self._put(edited, body)
        self.world.registry.note(edited, edits=edits, now=now)
        before_answering(self._fault(edited), self.world)
        return jsonify(success=True)

    def delete(self, version: str, account_id: str) -> Response:
        self._authorise(version, account_id)
        number, name = request.args.get("hsm_id"), request.args.get("name")
        found = [
            one
            for one in self.world.templates_of(account_id)
            if one.name == name and number in {None, str(self.world.registry.id_of(one))}
        ]
        if not found:
            raise TemplateError(_NOT_FOUND, "no such template")
        for one in found:
            if one.status == "DISABLED":
                raise TemplateError(_NOT_EDITABLE, "a disabled template cannot be deleted")
            self.world.drop_template(one)
            self.world.registry.drop(one)
        return jsonify(success=True)

    def unpause(self, version: str, template_id: int) -> Response:
        template = self._template(version, template_id)
        if template.status != "PAUSED":
            return jsonify(success=False, reason="the template is not paused")
        self.world.put_templates([replace(template, status="APPROVED")])
        return jsonify(success=True)

    def _fault(self, template: Template) -> Fault | None:
        """The next one of the account's first number."""
        own = [one for one in self.world.meta_accounts() if one.business_account_id == template.account]
        return self.world.take_fault(own[0].number)

    def _put(self, template: Template, body: dict[str, object]) -> None:
        self.world.put_templates([template])
        self.world.registry.note(
            template,
            components=list(components_of(body).values()),
            parameter_format=str(body.get("parameter_format", "POSITIONAL")),
            reason="NONE",
            now=self.world.now(),
        )

    def _authorise(self, version: str, account_id: str) -> MetaAccount:
        allowed = bearer_accounts(self.world)
        if isinstance(allowed, Response):
            raise _AnsweredError(allowed)
        found = [one for one in allowed if one.business_account_id == account_id]
        if not found or not VERSION.fullmatch(version):
            raise TemplateError(_NOT_FOUND, f"Object with ID '{account_id}' does not exist")
        return found[0]

    def _template(self, version: str, template_id: int) -> Template:
        allowed = bearer_accounts(self.world)
        if isinstance(allowed, Response):
            raise _AnsweredError(allowed)
        for account in allowed if VERSION.fullmatch(version) else []:
            for one in self.world.templates_of(account.business_account_id):
                if self.world.registry.id_of(one) == template_id:
                    return one
        raise TemplateError(_NOT_FOUND, f"Object with ID '{template_id}' does not exist")


class _AnsweredError(Exception):
    """The answer is known already."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        super().__init__()


def _body() -> dict[str, object]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise TemplateError(2388072, "the body must be a JSON object")
    return body


def _refused(error: TemplateError) -> Response:
    return graph_error(HTTPStatus.BAD_REQUEST, "OAuthException", 100, error.message, subcode=error.subcode)
