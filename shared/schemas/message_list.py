"""Lists of messages: what may be asked for, and what stands in a list. No text of a message does."""

from typing import Any

from marshmallow import ValidationError, fields, validate

from shared.domain.message import MessageState
from shared.schemas.message_answer import AttemptErrorSchema, MessageFactsSchema
from shared.schemas.strict import AnswerSchema, Contact, RequestSchema, time_text

MOST_LISTED = 500
MAX_REFERENCE_LENGTH = 256


class States(fields.String):
    """States of messages, comma between."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        names = [name for name in super()._deserialize(value, attr, data, **kwargs).split(",") if name]
        unknown = [name for name in names if name not in set(MessageState)]
        if unknown:
            known = ", ".join(MessageState)
            raise ValidationError(f"there is no state {', '.join(unknown)}; known here: {known}")
        return frozenset(map(MessageState, names))


class MessageQuerySchema(RequestSchema):
    to = Contact(load_default=None, metadata={"description": "The latest of this contact."})
    state = States(load_default=frozenset(), metadata={"description": "One or several, comma between."})
    reference = fields.String(load_default=None, validate=validate.Length(min=1, max=MAX_REFERENCE_LENGTH))
    sender = fields.String(load_default=None)
    app = fields.String(load_default=None, metadata={"description": "For an admin: only this app's."})
    reason = fields.String(load_default=None, metadata={"description": "Why it ended, like no_opt_in."})
    code = fields.String(load_default=None, metadata={"description": "Of the last attempt's error."})
    any_code = fields.String(
        load_default=None,
        metadata={"description": "Of any attempt's error, also where a later attempt went well."},
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MOST_LISTED))
    after = fields.String(load_default=None, metadata={"description": "`next` of the page before."})


class ListedMessageSchema(MessageFactsSchema):
    app = fields.String(required=True)
    state_at = time_text(description="When it came to its state.")
    reason = fields.String(required=True, allow_none=True)
    attempts = fields.Integer(required=True, metadata={"description": "How many there were."})
    error = fields.Nested(AttemptErrorSchema(), required=True, allow_none=True)
    advice = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What to do about one that failed, was refused, expired or is in doubt."},
    )


class MessageListSchema(AnswerSchema):
    items = fields.List(
        fields.Nested(ListedMessageSchema()),
        required=True,
        metadata={
            "description": "Newest first: by acceptance, or where `state` decides, by when they came to it."
        },
    )
    next = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "For `after`; a page may be short, even empty, and still have one."},
    )
