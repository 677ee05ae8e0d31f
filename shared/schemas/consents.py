"""The consent ledger at the internal door: histories, many decisions in one body, all of them in pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, post_load, validate

from shared.domain.consent import Category, ConsentStatus
from shared.domain.identifiers import ContactId
from shared.schemas.consent import ConsentDecision, ConsentRequestSchema
from shared.schemas.strict import AnswerSchema, Contact, Moment, RequestSchema, time_text

MOST_CONSENTS = 1_000

EXAMPLE: Mapping[str, Any] = {
    "consents": [
        {
            "contact": "+393331234567",
            "status": "opted_in",
            "source": "checkout",
            "evidence": "order-991, box ticked",
            "at": "2026-11-20T09:30:00Z",
            "categories": ["utility"],
        }
    ]
}


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    contact: ContactId
    decision: ConsentDecision


class ConsentEntrySchema(ConsentRequestSchema):
    """An entry as it is documented. Its time must be known: what comes twice must not be newer for it."""

    contact = Contact(required=True, metadata={"description": "Number or business-scoped id."})
    source = fields.String(load_default="import", validate=validate.Length(min=1, max=256))
    at = Moment(required=True, metadata={"description": "When the contact decided."})

    @post_load
    def _make(self, values: dict[str, Any], **_kwargs: Any) -> ConsentEntry:
        return ConsentEntry(values.pop("contact"), self._decision(values))


class _Unread(fields.Nested):
    """Documented as what it nests, and handed on as it came."""

    def _deserialize(self, value: Any, *_arguments: Any, **_more: Any) -> Any:
        return value


class ConsentBatchSchema(RequestSchema):
    consents = fields.List(
        _Unread(ConsentEntrySchema()), required=True, validate=validate.Length(min=1, max=MOST_CONSENTS)
    )


class ConsentResultSchema(AnswerSchema):
    result = fields.String(
        required=True,
        validate=validate.OneOf(["recorded", "unchanged", "refused"]),
        metadata={"description": "unchanged: the same or something newer stands."},
    )
    errors = fields.Dict(metadata={"description": "Of a refused one: the mends, by field."})


class ConsentBatchAnswerSchema(AnswerSchema):
    results = fields.List(
        fields.Nested(ConsentResultSchema()),
        required=True,
        metadata={"description": "In the order of the consents."},
    )


class ConsentWordSchema(AnswerSchema):
    status = fields.String(
        required=True,
        validate=validate.OneOf([*ConsentStatus, "resumed"]),
        metadata={"description": "resumed: WhatsApp's own stop was lifted."},
    )
    at = time_text(description="When the contact decided.")
    recorded_at = time_text()
    categories = fields.List(fields.String(), required=True)
    changed = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The categories that it changed; the others had something newer."},
    )
    source = fields.String(required=True)
    evidence = fields.String(required=True, allow_none=True)
    by = fields.String(
        required=True,
        metadata={"description": "An app's name, import, keyword, user_preferences or provider_error."},
    )
    app = fields.String(required=True, allow_none=True, metadata={"description": "Whose key it was."})
    sender = fields.String(required=True, metadata={"description": "What it came by; it counts for all."})


class ConsentHistorySchema(AnswerSchema):
    contact = fields.String(required=True)
    items = fields.List(
        fields.Nested(ConsentWordSchema()),
        required=True,
        metadata={"description": "The latest 200, newest first."},
    )
    next = fields.String(required=True, allow_none=True, metadata={"description": "Always null."})


class ConsentPageQuerySchema(RequestSchema):
    sender = fields.String(load_default=None)
    cursor = fields.String(load_default=None, metadata={"description": "`next` of the page before."})
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=MOST_CONSENTS))


class StandingConsentSchema(AnswerSchema):
    """What was said in one breath: an import takes it as it is."""

    status = fields.String(required=True, validate=validate.OneOf(list(ConsentStatus)))
    categories = fields.List(
        fields.String(validate=validate.OneOf(list(Category))), required=True, validate=validate.Length(min=1)
    )
    source = fields.String(required=True)
    evidence = fields.String(required=True, allow_none=True)
    at = time_text()


class ContactConsentSchema(AnswerSchema):
    contact = fields.String(required=True)
    consents = fields.List(fields.Nested(StandingConsentSchema()), required=True)


class ConsentPageSchema(AnswerSchema):
    items = fields.List(
        fields.Nested(ContactConsentSchema()), required=True, metadata={"description": "By contact."}
    )
    next = fields.String(required=True, allow_none=True, metadata={"description": "For `cursor`."})
