"""`/v1/contacts`: the window and the consent of a contact; apps record here what a contact decided."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.configuration import AnySender
from shared.domain.consent import Category, Consent, ConsentRecord
from shared.domain.identifiers import ContactId, InvalidIdentifierError, MessageId
from shared.domain.window import Window
from shared.problems import Code
from shared.schemas.consent import (
    EXAMPLE,
    UNKNOWN,
    ConsentDecision,
    ConsentRequestSchema,
    ContactSchema,
    RecordedConsentSchema,
    SenderQuerySchema,
)
from shared.store.contacts import ContactRecord
from webhook.api.auth import sender_of_address
from webhook.api.blueprint import OF_A_SENDER, Blueprint
from webhook.api.context import caller, deps
from webhook.errors import ProblemError

blueprint = Blueprint("contacts", __name__, description="WhatsApp users as a sender sees them.")


@blueprint.route("/v1/contacts/<contact>")
@blueprint.guarded("contacts:read", "contacts", problems=OF_A_SENDER)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, ContactSchema())
def show_contact(query: dict[str, Any], contact: str) -> dict[str, Any]:
    """Show a contact; one who is unknown has a closed window and no consent."""
    sender = sender_of_address(query["sender"])
    record = deps().contacts.get(sender, parse_contact(contact))
    return {
        "contact": record.contact.value,
        "sender": sender.alias,
        "window": view_window(record.window, deps().clock.now()),
        "consent": view_consent(record.consent),
        "identities": view_identities(record),
        "latest": _latest(sender, record),
    }


@blueprint.route("/v1/contacts/<contact>/consent", methods=["PUT"])
@blueprint.guarded("contacts", problems=OF_A_SENDER)
@blueprint.body(ConsentRequestSchema(), example=EXAMPLE)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, RecordedConsentSchema())
def record_consent(decision: ConsentDecision, query: dict[str, Any], contact: str) -> dict[str, Any]:
    """Record what a contact decided; the answer shows what stands."""
    sender = sender_of_address(query["sender"])
    parsed, now = parse_contact(contact), deps().clock.now()
    if mistakes := decision.mistakes(now):
        raise ProblemError(Code.INVALID_REQUEST, "See errors.", errors=mistakes)
    changed = deps().contacts.set_consent(
        sender, parsed, decision.record(now), decision.categories, now=now, app=caller().name
    )
    standing = deps().contacts.get(sender, parsed).consent
    return {"contact": parsed.value, "changed": changed > 0, **view_consent(standing)}


def parse_contact(text: str) -> ContactId:
    """`{contact}` of an address."""
    try:
        return ContactId.parse(text)
    except InvalidIdentifierError as exc:
        errors = {"contact": [str(exc)]}
        raise ProblemError(Code.INVALID_REQUEST, "See errors.", errors=errors) from exc


def view_window(window: Window, now: datetime) -> dict[str, Any]:
    return {
        "open": window.is_open(now),
        "last_inbound_at": _time(window.last_inbound_at),
        "expires_at": _time(window.expires_at),
        "refused_at": _time(window.refused_at),
        "remaining_seconds": int(window.remaining(now).total_seconds()),
    }


def view_consent(consent: Consent) -> dict[str, Any]:
    categories = {category.value: _category(consent.records.get(category)) for category in Category}
    return {"status": categories[Category.UTILITY]["status"], "categories": categories}


def _category(record: ConsentRecord | None) -> dict[str, str | None]:
    if record is None:
        return {"status": UNKNOWN, "at": None, "source": None, "evidence": None}
    return {
        "status": record.status,
        "at": rfc3339(record.at),
        "source": record.source,
        "evidence": record.evidence,
    }


def view_identities(record: ContactRecord) -> dict[str, str | None]:
    """A number, the number that WhatsApp answers to where it is another, and the business-scoped id."""
    number = record.contact.phone_number
    proven = record.address.phone_number if record.address else None
    user_id = record.user_id or (record.contact if number is None else None)
    return {
        "phone_number": number.value if number else None,
        "whatsapp_number": proven.value if proven else None,
        "user_id": user_id.value if user_id else None,
    }


def _latest(sender: AnySender, record: ContactRecord) -> list[Mapping[str, str]]:
    """Of this sender, and of what left only the caller's own; admin sees all. No texts."""
    messages = deps().messages.get_all(sender.business, [MessageId(id_) for id_ in record.outbound_ids])
    outbound = [
        {
            "direction": "outbound",
            "id": message.id.value,
            "state": message.state,
            "at": rfc3339(message.accepted_at),
        }
        for message in messages
        if message.request.sender == sender.alias and (message.app == caller().name or caller().may("admin"))
    ]
    inbound = [
        {"direction": "inbound", "id": item["id"], "kind": item["kind"], "at": item["at"]}
        for item in record.inbound
        if item["sender"] == sender.alias
    ]
    return sorted([*outbound, *inbound], key=lambda item: item["at"], reverse=True)


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
