"""A contact at the internal door: its window, its consent and how an app records a decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from marshmallow import fields, post_load, validate

from shared.domain.consent import DEFAULT_CATEGORIES, Category, ConsentRecord, ConsentStatus
from shared.domain.message import MessageState
from shared.schemas.strict import AnswerSchema, Moment, RequestSchema, time_text, word_of

EXAMPLE: Mapping[str, Any] = {
    "status": "opted_in",
    "source": "checkout",
    "evidence": "order-991, box ticked",
    "at": "2026-11-20T09:30:00Z",
    "categories": ["utility"],
}
UNKNOWN = "unknown"
_STATUSES = (*ConsentStatus, UNKNOWN)
#: Clocks of apps run ahead a little.
_CLOCK_TOLERANCE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDecision:
    """What an app says that a contact decided."""

    status: ConsentStatus
    #: None: now.
    at: datetime | None
    source: str
    evidence: str | None
    categories: tuple[Category, ...]

    def mistakes(self, now: datetime) -> dict[str, list[str]]:
        """What only the clock can say is wrong, by field."""
        is_ahead = self.at is not None and self.at > now + _CLOCK_TOLERANCE
        return {"at": ["must not be in the future"]} if is_ahead else {}

    def record(self, now: datetime) -> ConsentRecord:
        at = min(self.at or now, now).replace(microsecond=0)
        return ConsentRecord(status=self.status, at=at, source=self.source, evidence=self.evidence)


class SenderQuerySchema(RequestSchema):
    sender = fields.String(
        load_default=None, metadata={"description": "May be left out when the key may use exactly one."}
    )


class ConsentRequestSchema(RequestSchema):
    status = fields.Enum(ConsentStatus, by_value=True, required=True)
    source = fields.String(load_default="api", validate=validate.Length(min=1, max=256))
    evidence = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=4096))
    at = Moment(
        load_default=None,
        metadata={"description": "When the contact decided; default now, counted in whole seconds."},
    )
    categories = fields.List(
        fields.Enum(Category, by_value=True),
        load_default=None,
        validate=validate.Length(min=1),
        metadata={"description": "Default: an opt-in covers utility and authentication, an opt-out all."},
    )

    @post_load
    def _make(self, values: dict[str, Any], **_kwargs: Any) -> Any:
        return self._decision(values)

    def _decision(self, values: dict[str, Any]) -> ConsentDecision:
        categories = values.pop("categories") or DEFAULT_CATEGORIES[values["status"]]
        return ConsentDecision(categories=tuple(dict.fromkeys(categories)), **values)


class CategoryConsentSchema(AnswerSchema):
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    at = time_text(allow_none=True)
    source = fields.String(required=True, allow_none=True)
    evidence = fields.String(required=True, allow_none=True)


class CategoriesSchema(AnswerSchema):
    utility = fields.Nested(CategoryConsentSchema(), required=True)
    marketing = fields.Nested(CategoryConsentSchema(), required=True)
    authentication = fields.Nested(CategoryConsentSchema(), required=True)


class ConsentSchema(AnswerSchema):
    status = fields.String(
        required=True,
        validate=validate.OneOf(_STATUSES),
        metadata={"description": "That of utility; see categories."},
    )
    categories = fields.Nested(CategoriesSchema(), required=True)


class RecordedConsentSchema(ConsentSchema):
    contact = fields.String(required=True)
    changed = fields.Boolean(
        required=True, metadata={"description": "False: something newer stands, and nothing changed."}
    )


class WindowSchema(AnswerSchema):
    open = fields.Boolean(required=True)
    last_inbound_at = time_text(allow_none=True)
    expires_at = time_text(allow_none=True)
    #: Begin of the attempt that the provider refused: newer than the last message means closed.
    refused_at = time_text(allow_none=True)
    remaining_seconds = fields.Integer(required=True)


class IdentitiesSchema(AnswerSchema):
    phone_number = fields.String(required=True, allow_none=True)
    whatsapp_number = fields.String(
        required=True, allow_none=True, metadata={"description": "What is sent to, as WhatsApp spells it."}
    )
    user_id = fields.String(required=True, allow_none=True)


class LatestSchema(AnswerSchema):
    direction = fields.String(required=True, validate=validate.OneOf(["outbound", "inbound"]))
    id = fields.String(required=True)
    at = time_text()
    state = word_of(MessageState, description="Of an outbound message.", required=False)
    kind = fields.String(metadata={"description": "Of an inbound message."})


class ContactSchema(AnswerSchema):
    contact = fields.String(required=True)
    sender = fields.String(required=True)
    window = fields.Nested(WindowSchema(), required=True)
    consent = fields.Nested(ConsentSchema(), required=True)
    identities = fields.Nested(IdentitiesSchema(), required=True)
    latest = fields.List(
        fields.Nested(LatestSchema()), required=True, metadata={"description": "Newest first, no texts."}
    )
