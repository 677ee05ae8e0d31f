"""`/v1/messages`: accept one, say what would happen to one, show one."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from shared.clock import from_ms, to_ms
from shared.configuration import AnySender, CmSender
from shared.domain.identifiers import InvalidIdentifierError, MessageId
from shared.domain.message import MessageRequest, MessageState
from shared.observability import LogEvent, get_logger
from shared.schemas.message_answer import AcceptedSchema, DryRunSchema, MessageSchema
from shared.schemas.message_request import (
    EXAMPLE,
    AcceptHeadersSchema,
    AcceptQuerySchema,
    Draft,
    MessageRequestSchema,
)
from shared.store.codec import Known
from shared.store.messages import (
    Acceptance,
    Accepted,
    KeyReused,
    MessageRecord,
    TemplateMismatch,
    template_ids,
)
from webhook.api.auth import sender_of_body
from webhook.api.blueprint import Blueprint, canonical_body
from webhook.api.context import caller, deps
from webhook.api.dry_run import dry_run
from webhook.api.message_view import view_accepted, view_message
from webhook.errors import Code, ProblemError

blueprint = Blueprint("messages", __name__, description="Messages on their way out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A draft with its sender and the time."""

    draft: Draft
    sender: AnySender
    now: datetime


@blueprint.route("/v1/messages", methods=["POST"])
@blueprint.guarded("messages")
@blueprint.body(MessageRequestSchema(), example=EXAMPLE)
@blueprint.arguments(AcceptQuerySchema(), location="query")
@blueprint.arguments(AcceptHeadersSchema(), location="headers")
@blueprint.alt_response(HTTPStatus.OK, schema=DryRunSchema(), description="With ?dry_run=true", success=True)
@blueprint.response(HTTPStatus.ACCEPTED, AcceptedSchema(), description="Accepted: it survives what comes")
def accept_message(draft: Draft, query: dict[str, Any], headers: dict[str, Any]) -> Response | dict[str, Any]:
    """Accept one message, or say what would happen to it."""
    sender = sender_of_body(draft.sender)
    # Whole milliseconds, as stored: a repeat is answered from what is stored.
    asked = _Asked(draft=draft, sender=sender, now=from_ms(to_ms(deps().clock.now())))
    _refuse_unsupported(asked)
    if query["dry_run"]:
        _refuse_mistimed(asked)
        request = draft.request(sender, asked.now)
        known = deps().messages.facts(sender, request)
        _refuse_mismatch(sender, request, known)
        return jsonify(DryRunSchema().dump(dry_run(deps(), sender, request, known, asked.now)))
    return _accept(asked, headers["idempotency_key"])


@blueprint.route("/v1/messages/<message_id>")
@blueprint.guarded("messages", problems=(HTTPStatus.NOT_FOUND,))
@blueprint.response(HTTPStatus.OK, MessageSchema())
def show_message(message_id: str) -> dict[str, Any]:
    """Show a message with its route, attempts and timeline."""
    record = _find(message_id)
    if record is None or not (record.app == caller().name or caller().may("admin")):
        raise ProblemError(Code.NOT_FOUND, "There is no such message of yours.")
    return view_message(record, is_sender_halted=_waits_for_halted_sender(record))


def _accept(asked: _Asked, idempotency_key: str | None) -> dict[str, Any]:
    if idempotency_key is None or not _is_repeat(asked, idempotency_key):
        _refuse_mistimed(asked)
    acceptance = Acceptance(
        message_id=deps().new_message_id(),
        app=caller().name,
        request=asked.draft.request(asked.sender, asked.now),
        idempotency_key=idempotency_key,
        fingerprint=hashlib.sha256(canonical_body()).hexdigest(),
    )
    answer = deps().messages.accept(asked.sender, acceptance, now=asked.now)
    match answer:
        case Accepted():
            return _answer_accepted(asked, acceptance, answer)
        case KeyReused():
            raise ProblemError(
                Code.IDEMPOTENCY_KEY_REUSED,
                "This Idempotency-Key came with another body in the last 24 hours.",
            )
        case TemplateMismatch():
            raise _mismatch(asked.sender, acceptance.request, answer)


def _answer_accepted(asked: _Asked, acceptance: Acceptance, accepted: Accepted) -> dict[str, Any]:
    if accepted.must_ring:
        deps().ring(asked.sender)
    if accepted.message_id == acceptance.message_id:
        get_logger().info(
            LogEvent.MESSAGE_ACCEPTED,
            message_id=accepted.message_id.value,
            sender=asked.sender.alias,
            app=acceptance.app,
            priority=acceptance.request.priority.name.lower(),
        )
    request = asked.draft.request(asked.sender, accepted.accepted_at)
    return view_accepted(request, accepted, asked.sender, deps().settings.configuration.policy)


def _is_repeat(asked: _Asked, idempotency_key: str) -> bool:
    """Whether a draft whose time has passed was accepted when it had not: then its answer stands."""
    if not asked.draft.mistakes(asked.now):
        return False
    return deps().messages.has_answered(asked.sender, caller().name, idempotency_key)


def _refuse_mistimed(asked: _Asked) -> None:
    mistakes = asked.draft.mistakes(asked.now)
    if mistakes:
        raise ProblemError(Code.INVALID_REQUEST, "See errors.", errors=mistakes)


def _refuse_unsupported(asked: _Asked) -> None:
    if isinstance(asked.sender, CmSender) and asked.draft.to.phone_number is None:
        text = "CM.com sends to phone numbers only; give the contact's number or another sender"
        raise ProblemError(Code.UNSUPPORTED_BY_PROVIDER, "See errors.", errors={"to": [text]})


def _refuse_mismatch(sender: AnySender, request: MessageRequest, known: Known) -> None:
    """What `accept` refuses by itself, for a dry run."""
    for call, template in zip(request.templates, known.templates, strict=True):
        if template is not None and not call.fits(template):
            raise _mismatch(sender, request, TemplateMismatch(str(template.id), template.variables))


def _mismatch(sender: AnySender, request: MessageRequest, mismatch: TemplateMismatch) -> ProblemError:
    ids = [str(template_id) for template_id in template_ids(sender, request)]
    index = ids.index(mismatch.template)
    field = "template.variables" if index == 0 else f"template.alternates.{index - 1}.variables"
    expected = ", ".join(mismatch.expected) or "none"
    return ProblemError(
        Code.TEMPLATE_MISMATCH, "See errors.", errors={field: [f"the template's variables: {expected}"]}
    )


def _find(text: str) -> MessageRecord | None:
    """An id does not say whose business it is; there are as many as are configured, mostly one."""
    try:
        message_id = MessageId.parse(text)
    except InvalidIdentifierError:
        return None
    businesses = {sender.business for sender in deps().settings.configuration.senders.values()}
    records = (deps().messages.get(business, message_id) for business in sorted(businesses))
    return next((record for record in records if record is not None), None)


def _waits_for_halted_sender(record: MessageRecord) -> bool:
    sender = deps().sender(record.request.sender)
    if record.state is not MessageState.QUEUED or sender is None:
        return False
    return deps().senders.get(sender).halted
