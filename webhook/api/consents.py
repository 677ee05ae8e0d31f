"""`/v1/consents`: the consent ledger of a business, and how the consent of one contact came to be."""

from base64 import b64decode, urlsafe_b64encode
from collections import Counter
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from shared.clock import rfc3339
from shared.domain.consent import Category, Consent, ConsentRecord, ConsentWord
from shared.domain.identifiers import ContactId
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.schemas.consent import ConsentDecision, SenderQuerySchema
from shared.schemas.consents import (
    EXAMPLE,
    ConsentBatchAnswerSchema,
    ConsentBatchSchema,
    ConsentEntrySchema,
    ConsentHistorySchema,
    ConsentPageQuerySchema,
    ConsentPageSchema,
)
from shared.schemas.documents import read
from shared.store.consents import Decision
from webhook.api.auth import sender_of_address
from webhook.api.blueprint import OF_A_SENDER, Blueprint
from webhook.api.contacts import parse_contact
from webhook.api.context import caller, deps
from webhook.errors import ProblemError

blueprint = Blueprint("consents", __name__, description="Who agreed to what, and when.")

_ENTRY = ConsentEntrySchema()


@blueprint.route("/v1/consents/batch", methods=["POST"])
@blueprint.guarded("contacts", problems=OF_A_SENDER)
@blueprint.body(ConsentBatchSchema(), example=EXAMPLE)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, ConsentBatchAnswerSchema())
def record_consents(batch: dict[str, Any], query: dict[str, Any]) -> Response:
    """Record up to 1,000 decisions of contacts; each is recorded or refused by itself, in the same order."""
    sender, now = sender_of_address(query["sender"]), deps().clock.now()
    read_entries = [_read(entry, now) for entry in batch["consents"]]
    decisions = [each for each in read_entries if isinstance(each, Decision)]
    changed = iter(deps().consents.record_all(sender, decisions, now=now))
    results = [
        {"result": "recorded" if next(changed) else "unchanged"}
        if isinstance(each, Decision)
        else {"result": "refused", "errors": each}
        for each in read_entries
    ]
    outcomes = Counter(str(result["result"]) for result in results)
    get_logger().info(LogEvent.CONSENTS_RECORDED, app=caller().name, outcomes=dict(outcomes))
    return jsonify({"results": results})


@blueprint.route("/v1/consents")
@blueprint.guarded("contacts:read", "contacts", problems=OF_A_SENDER)
@blueprint.arguments(ConsentPageQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, ConsentPageSchema())
def list_consents(query: dict[str, Any]) -> dict[str, Any]:
    """List what stands for every contact of the sender's business, by contact."""
    sender = sender_of_address(query["sender"])
    after = _parse_cursor(query["cursor"]) if query["cursor"] else None
    page = deps().consents.page(sender.business, after=after, limit=query["limit"])
    items = [{"contact": contact.value, "consents": _standing(consent)} for contact, consent in page.consents]
    return {"items": items, "next": _cursor(page.next) if page.next else None}


@blueprint.route("/v1/contacts/<contact>/consent/history")
@blueprint.guarded("contacts:read", "contacts", problems=OF_A_SENDER)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, ConsentHistorySchema())
def show_history(query: dict[str, Any], contact: str) -> dict[str, Any]:
    """Show every word about the consent of a contact, also those that changed nothing."""
    sender = sender_of_address(query["sender"])
    found, words = deps().consents.history(sender.business, parse_contact(contact))
    return {"contact": found.value, "items": [view_word(word) for word in words], "next": None}


def _read(entry: Any, now: datetime) -> Decision | dict[str, list[str]]:  # noqa: ANN401 - JSON is anything
    """A decision, or its mistakes by field."""
    loaded, mistakes = read(_ENTRY, entry)
    if mistakes:
        return mistakes
    decision: ConsentDecision = loaded.decision
    if mistakes := decision.mistakes(now):
        return mistakes
    return Decision(
        contact=loaded.contact,
        record=decision.record(now),
        categories=decision.categories,
        by="import",
        app=caller().name,
    )


def _standing(consent: Consent) -> list[dict[str, Any]]:
    """What was said of several categories in one breath stands as one."""
    said: dict[ConsentRecord, list[Category]] = {}
    for category, record in consent.records.items():
        said.setdefault(record, []).append(category)
    return [
        {
            "status": record.status,
            "categories": categories,
            "source": record.source,
            "evidence": record.evidence,
            "at": rfc3339(record.at),
        }
        for record, categories in said.items()
    ]


def view_word(word: ConsentWord) -> dict[str, Any]:
    return {
        "status": word.status,
        "at": rfc3339(word.at),
        "recorded_at": rfc3339(word.recorded_at),
        "categories": word.categories,
        "changed": word.changed,
        "source": word.source,
        "evidence": word.evidence,
        "by": word.app if word.by == "api" and word.app else word.by,
        "app": word.app,
        "sender": word.sender,
    }


def _cursor(contact: ContactId) -> str:
    """Addresses get into logs; a number must not."""
    return urlsafe_b64encode(contact.value.encode()).decode()


def _parse_cursor(text: str) -> ContactId:
    try:
        return ContactId(b64decode(text.encode(), altchars=b"-_", validate=True).decode())
    except ValueError as exc:
        errors = {"cursor": ["take `next` of the page before"]}
        raise ProblemError(Code.INVALID_REQUEST, "See errors.", errors=errors) from exc
