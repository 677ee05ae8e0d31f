"""`/v1/messages`: accept one, say what would happen to one, show one."""

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from shared.acceptance import (
    Receipt,
    Refusal,
    RefusalCode,
    Submission,
    accept_one,
    fingerprint,
    place,
    refuse_mismatch,
    refuse_mistimed,
)
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.retelling import retell
from shared.schemas.message_answer import AcceptedSchema, DryRunSchema, ExplanationSchema, MessageSchema
from shared.schemas.message_request import (
    EXAMPLE,
    AcceptHeadersSchema,
    AcceptQuerySchema,
    Draft,
    MessageRequestSchema,
)
from webhook.api.blueprint import Blueprint, canonical_body
from webhook.api.context import began, caller, deps
from webhook.api.dry_run import dry_run
from webhook.api.message_view import view_accepted
from webhook.api.own_messages import own_message, view_own, why_away, why_halted
from webhook.errors import problem_of

blueprint = Blueprint("messages", __name__, description="Messages on their way out.")


@blueprint.route("/v1/messages", methods=["POST"])
@blueprint.guarded("messages", problems=tuple(map(Code, RefusalCode)))
@blueprint.body(MessageRequestSchema(), example=EXAMPLE)
@blueprint.arguments(AcceptQuerySchema(), location="query")
@blueprint.arguments(AcceptHeadersSchema(), location="headers")
@blueprint.alt_response(HTTPStatus.OK, schema=DryRunSchema(), description="With ?dry_run=true", success=True)
@blueprint.response(HTTPStatus.ACCEPTED, AcceptedSchema(), description="Accepted: it survives what comes")
def accept_message(draft: Draft, query: dict[str, Any], headers: dict[str, Any]) -> Response | dict[str, Any]:
    """Accept one message, or say what would happen to it."""
    if query["dry_run"]:
        return jsonify(DryRunSchema().dump(_dry_run(draft)))
    submission = Submission(
        draft=draft,
        idempotency_key=headers["idempotency_key"],
        fingerprint=fingerprint(canonical_body()),
        wants_facts=True,
    )
    receipt = accept_one(deps(), caller(), submission)
    if isinstance(receipt, Refusal):
        raise problem_of(receipt)
    if not receipt.is_repeat:
        began(receipt.accepted.message_id.value)
        _log_accepted(receipt)
    return view_accepted(receipt, deps().settings.configuration.policy)


@blueprint.route("/v1/messages/<message_id>")
@blueprint.guarded("messages", problems=(Code.NOT_FOUND,))
@blueprint.response(HTTPStatus.OK, MessageSchema())
def show_message(message_id: str) -> dict[str, Any]:
    """Show a message with its route, attempts and timeline."""
    return view_own(own_message(message_id).record)


@blueprint.route("/v1/messages/<message_id>/explain")
@blueprint.guarded("messages", problems=(Code.NOT_FOUND,))
@blueprint.response(HTTPStatus.OK, ExplanationSchema())
def explain_message(message_id: str) -> dict[str, Any]:
    """Say in sentences why a message went the way it went, where it stands and what to do."""
    record = own_message(message_id).record
    return {
        "id": record.id.value,
        "state": record.state,
        "sentences": retell(record, halted_why=why_halted(record), away_why=why_away(record)),
    }


def _dry_run(draft: Draft) -> dict[str, Any]:
    now = deps().clock.now()
    placed = place(deps().settings.configuration, caller(), draft)
    if isinstance(placed, Refusal):
        raise problem_of(placed)
    mistimed = refuse_mistimed(draft, now)
    if mistimed is not None:
        raise problem_of(mistimed)
    asked = draft.request(placed.sender, now)
    known = deps().messages.facts(placed.sender, asked)
    mismatch = refuse_mismatch(placed.sender, asked, known)
    if mismatch is not None:
        raise problem_of(mismatch)
    return dry_run(deps(), placed.sender, asked, known, now)


def _log_accepted(receipt: Receipt) -> None:
    get_logger().info(
        LogEvent.MESSAGE_ACCEPTED,
        message_id=receipt.accepted.message_id.value,
        sender=receipt.sender.alias,
        app=caller().name,
        priority=receipt.request.priority.name.lower(),
    )
