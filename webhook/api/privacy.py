"""What is kept of a person: erased (`DELETE /v1/contacts/{contact}`), or handed out (`…/record`)."""

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.schemas.consent import SenderQuerySchema
from shared.schemas.privacy import ErasedSchema, PersonRecordSchema, RetentionSchema
from shared.store.codec import dump_request
from shared.store.erasure import NoSecretKeyError
from shared.store.message_record import MessageRecord
from shared.store.records import PersonRecord
from shared.store.retention import Kept
from webhook.api.auth import own_senders, sender_of_address
from webhook.api.blueprint import OF_A_SENDER, Blueprint
from webhook.api.consents import view_word
from webhook.api.contacts import parse_contact, view_consent, view_identities, view_window
from webhook.api.context import caller, deps
from webhook.api.deeds import note_deed
from webhook.api.message_view import view_message
from webhook.api.own_messages import businesses
from webhook.errors import ProblemError

blueprint = Blueprint("privacy", __name__, description="What is kept of people, and for how long.")


@blueprint.route("/v1/contacts/<contact>", methods=["DELETE"])
@blueprint.guarded("contacts", problems=(*OF_A_SENDER, Code.KEY_NOT_SET))
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, ErasedSchema())
def erase_contact(query: dict[str, Any], contact: str) -> dict[str, Any]:
    """Erase a person from all that the sender's business keeps; what has not left is cancelled.

    Safe to repeat, and to be repeated after a 503: then it goes on where it was.
    """
    business = sender_of_address(query["sender"]).business
    try:
        erased = deps().erasure.erase(business, parse_contact(contact), now=deps().clock.now())
    except NoSecretKeyError as exc:
        text = "Set FINESTRA_SECRET_KEY: without it an opt-out could not outlive the person."
        raise ProblemError(Code.KEY_NOT_SET, text) from exc
    details = {"contact_hash": erased.keyed_hash, "cancelled": erased.cancelled, **erased.counts}
    note_deed(business, "erase", done=1, details=details)
    get_logger().warning(LogEvent.CONTACT_ERASED, app=caller().name, business=business, erased=erased.counts)
    return {
        "erased": dict(erased.counts),
        "cancelled": erased.cancelled,
        "opt_out_kept": erased.is_suppressed,
        "append_only_file": erased.append_only_file,
    }


@blueprint.route("/v1/contacts/<contact>/record")
@blueprint.guarded("contacts", problems=OF_A_SENDER)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, PersonRecordSchema())
def export_contact(query: dict[str, Any], contact: str) -> dict[str, Any]:
    """Hand out what is kept of a person in the sender's business, texts included, as one document."""
    sender, asked, now = sender_of_address(query["sender"]), parse_contact(contact), deps().clock.now()
    record = deps().records.gather(sender.business, asked)
    senders = [each for each in own_senders() if each.business == sender.business]
    seen = {each.alias: deps().contacts.get(each, asked) for each in senders}
    known = seen[sender.alias]
    _, words = deps().consents.history(sender.business, asked)
    messages, inbound = _messages(record), [each for each in record.inbound if each["sender"] in seen]
    counts = {"messages": len(messages), "inbound": len(inbound)}
    note_deed(sender.business, "export", done=1, details=counts)
    get_logger().warning(LogEvent.CONTACT_EXPORTED, app=caller().name, business=sender.business, **counts)
    return {
        "contact": known.contact.value,
        "business": sender.business,
        "exported_at": rfc3339(now),
        "complete": caller().may("admin") and not caller().senders,
        "identities": {**view_identities(known), "all": list(record.names)},
        "windows": [{"sender": alias, **view_window(each.window, now)} for alias, each in seen.items()],
        "consent": view_consent(known.consent),
        "consent_history": [view_word(word) for word in words],
        "caps": [
            {"category": cap.category, "until": rfc3339(cap.until), "code": cap.code} for cap in record.caps
        ],
        "messages": messages,
        "inbound": inbound,
    }


@blueprint.route("/v1/retention")
@blueprint.guarded("admin")
@blueprint.response(HTTPStatus.OK, RetentionSchema())
def show_retention() -> dict[str, Any]:
    """Show what is kept of people, how old it is, and what the last walk removed."""
    states = {business: deps().retention.state(business) for business in businesses()}
    items = [
        {
            "business": business,
            "last_run_at": rfc3339(state.last_ended_at) if state.last_ended_at else None,
            "running": state.is_running,
            "unfinished_erasures": state.unfinished_erasures,
            "secret_keys_complete": state.has_all_keys,
            "kinds": [_kept(kept) for kept in state.kinds],
        }
        for business, state in states.items()
    ]
    return {"items": items, "next": None}


def _kept(kept: Kept) -> dict[str, Any]:
    return {
        "kind": kept.kind,
        "count": kept.count,
        "oldest": rfc3339(kept.oldest) if kept.oldest else None,
        "days": kept.limit / timedelta(days=1) if kept.limit is not None else None,
        "removed": kept.removed,
    }


def _messages(record: PersonRecord) -> list[dict[str, Any]]:
    """The caller's own; admin sees all."""
    return [
        _message(message)
        for message in record.messages
        if message.app == caller().name or caller().may("admin")
    ]


def _message(message: MessageRecord) -> dict[str, Any]:
    request = json.loads(dump_request(message.request))
    return {
        **view_message(message, waiting=None),
        "request": {**request, "expires_at": rfc3339(message.request.expires_at)},
    }
