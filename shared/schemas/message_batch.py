"""Many messages in one body, each read by itself: what is wrong with one costs the others nothing."""

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from shared.schemas.documents import read
from shared.schemas.message_answer import LinksSchema
from shared.schemas.message_request import EXAMPLE as MESSAGE
from shared.schemas.message_request import MessageRequestSchema, idempotency_key
from shared.schemas.strict import AnswerSchema, RequestSchema

MOST_MESSAGES = 1_000
_KEY = "idempotency_key"

EXAMPLE: Mapping[str, Any] = {"messages": [{**MESSAGE, _KEY: "order-991-ready"}]}


class BatchMessageSchema(MessageRequestSchema):
    """An entry as it is documented."""

    idempotency_key = idempotency_key()


class _KeySchema(Schema):
    class Meta:
        unknown = EXCLUDE

    idempotency_key = idempotency_key()


_KEY_SCHEMA = _KeySchema()


class _Unread(fields.Nested):
    """Documented as what it nests, and handed on as it came."""

    def _deserialize(self, value: Any, *_arguments: Any, **_more: Any) -> Any:
        return value


class BatchSchema(RequestSchema):
    messages = fields.List(
        _Unread(BatchMessageSchema()), required=True, validate=validate.Length(min=1, max=MOST_MESSAGES)
    )


class BatchResultSchema(AnswerSchema):
    """Both kinds of result: what was accepted, or the problem it would have been alone."""

    status = fields.Integer(required=True, metadata={"description": "202: accepted; else of the problem."})
    id = fields.String()
    state = fields.String()
    to = fields.String()
    sender = fields.String()
    reference = fields.String(allow_none=True)
    accepted_at = fields.String(metadata={"format": "date-time"})
    expires_at = fields.String(metadata={"format": "date-time"})
    links = fields.Nested(LinksSchema())
    code = fields.String(metadata={"description": "Of a problem, as are type, title, detail and errors."})
    type = fields.String()
    title = fields.String()
    detail = fields.String()
    errors = fields.Dict()


class BatchAnswerSchema(AnswerSchema):
    results = fields.List(
        fields.Nested(BatchResultSchema()),
        required=True,
        metadata={"description": "In the order of the messages."},
    )


def split_entry(entry: Any) -> tuple[Any, str | None, dict[str, list[str]]]:
    """The message of an entry, its key, and what is wrong with the key."""
    if not isinstance(entry, dict) or _KEY not in entry:
        return entry, None, {}
    values, mistakes = read(_KEY_SCHEMA, entry)
    message = {name: value for name, value in entry.items() if name != _KEY}
    return message, None if mistakes else values[_KEY], mistakes
