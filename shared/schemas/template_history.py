"""What happened to templates, at the internal door: history, versions, readings of the list."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from shared.schemas.strict import AnswerSchema, time_text
from shared.schemas.template import EXAMPLE, TemplateShownSchema

EDIT_EXAMPLE: Mapping[str, Any] = {
    name: value for name, value in EXAMPLE.items() if name not in {"sender", "name", "language"}
}


class TemplateEntrySchema(AnswerSchema):
    at = time_text()
    by = fields.String(
        required=True, metadata={"description": "An app, `whatsapp`, or `finestra` after an error."}
    )
    event = fields.String(
        required=True,
        metadata={
            "description": "registered, submitted, edited, decided, resumed, unpaused, category_accepted, "
            "deleted; webhook, sync, error."
        },
    )
    details = fields.Dict(required=True, metadata={"description": "What is another since; '' is gone."})


class TemplateHistorySchema(AnswerSchema):
    items = fields.List(fields.Nested(TemplateEntrySchema()), required=True)
    next = fields.String(required=True, allow_none=True)


class TemplateVersionSchema(TemplateShownSchema):
    version = fields.Integer(required=True)
    replaced_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


class TemplateVersionsSchema(AnswerSchema):
    items = fields.List(fields.Nested(TemplateVersionSchema()), required=True)
    next = fields.String(required=True, allow_none=True)


class UnreadSchema(AnswerSchema):
    name = fields.String(required=True)
    language = fields.String(required=True)
    reason = fields.String(required=True)


class SyncSchema(AnswerSchema):
    sender = fields.String(required=True)
    account = fields.String(required=True)
    started_at = time_text()
    ended_at = time_text()
    complete_at = fields.String(
        required=True,
        allow_none=True,
        metadata={"format": "date-time", "description": "When one last came to its end."},
    )
    failed_with = fields.String(
        required=True, allow_none=True, metadata={"description": "The provider's code."}
    )
    advice = fields.String(required=True, allow_none=True)
    listed = fields.Integer(required=True)
    imported = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    unread = fields.List(
        fields.Nested(UnreadSchema()),
        required=True,
        metadata={"description": "What could not be read; what is held of it stays in service."},
    )


class SyncListSchema(AnswerSchema):
    items = fields.List(fields.Nested(SyncSchema()), required=True)
    next = fields.String(required=True, allow_none=True)


class TemplateUseSchema(AnswerSchema):
    sender = fields.String(required=True)
    name = fields.String(required=True)
    language = fields.String(required=True)
    status = fields.String(required=True, metadata={"description": "As of a template, or `missing`."})
    is_sendable = fields.Boolean(required=True)
    why = fields.String(required=True, allow_none=True)
    since = time_text(allow_none=True, description="Of one that cannot be sent, where it is known.")
    waiting = fields.Integer(required=True, metadata={"description": "Messages that wait and name it."})
    recent = fields.Integer(required=True, metadata={"description": "Accepted in the last seven days."})


class TemplateUseListSchema(AnswerSchema):
    items = fields.List(fields.Nested(TemplateUseSchema()), required=True)
    next = fields.String(required=True, allow_none=True)
