"""The feed of events at the internal door, and how callbacks stand."""

from typing import Any

from marshmallow import ValidationError, fields, validate

from shared.domain.notices import EVENT_TYPES
from shared.schemas.strict import AnswerSchema, RequestSchema, time_text

MOST_EVENTS = 500
LONGEST_WAIT_SECONDS = 30


class _Types(fields.String):
    """Names of types, comma between; `message.*` for all of a kind."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        names = [name for name in super()._deserialize(value, attr, data, **kwargs).split(",") if name]
        chosen = {type_ for name in names for type_ in _types_of(name)}
        return frozenset(chosen)


def _types_of(name: str) -> list[str]:
    found = [type_ for type_ in EVENT_TYPES if type_ == name or f"{type_.partition('.')[0]}.*" == name]
    if not found:
        raise ValidationError(f"there is no type {name}; known here: {', '.join(EVENT_TYPES)}")
    return found


class EventQuerySchema(RequestSchema):
    after = fields.String(
        load_default="",
        metadata={"description": "`next` of the page before; without it, from the beginning."},
    )
    types = _Types(
        load_default=frozenset(),
        metadata={"description": "Only these, comma between; `message.*` for all of a kind."},
    )
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=MOST_EVENTS))
    wait = fields.Float(
        load_default=0.0,
        validate=validate.Range(min=0, max=LONGEST_WAIT_SECONDS),
        metadata={"description": "Seconds to wait for the first event when there is none."},
    )


class EventSchema(AnswerSchema):
    id = fields.String(required=True, metadata={"description": "The same as `webhook-id` of a callback."})
    type = fields.String(required=True, validate=validate.OneOf(list(EVENT_TYPES)))
    timestamp = time_text()
    data = fields.Dict(required=True)


class EventListSchema(AnswerSchema):
    items = fields.List(
        fields.Nested(EventSchema()), required=True, metadata={"description": "Oldest first."}
    )
    next = fields.String(
        required=True,
        metadata={"description": "For `after`; also when nothing was found: ask again with it."},
    )


class CallbackSchema(AnswerSchema):
    app = fields.String(required=True)
    business = fields.String(required=True)
    waiting = fields.Integer(
        required=True, metadata={"description": "Contacts with events that were not pushed yet."}
    )
    parked = fields.Integer(required=True, metadata={"description": "Events that were given up."})
    failures_in_a_row = fields.Integer(required=True)
    last_reason = fields.String(required=True, allow_none=True)
    last_failed_at = time_text(allow_none=True)
    failing_since = time_text(allow_none=True, description="When the first of those in a row failed.")
    parked_since = time_text(allow_none=True, description="When the oldest of them was given up.")


class CallbackListSchema(AnswerSchema):
    items = fields.List(fields.Nested(CallbackSchema()), required=True)
    next = fields.String(required=True, allow_none=True)


class ParkedSchema(AnswerSchema):
    id = fields.String(required=True)
    type = fields.String(required=True)
    business = fields.String(required=True)
    reason = fields.String(required=True)
    at = time_text(description="When it was given up.")


class ParkedListSchema(AnswerSchema):
    items = fields.List(fields.Nested(ParkedSchema()), required=True)
    next = fields.String(required=True, allow_none=True)


class RetriedSchema(AnswerSchema):
    app = fields.String(required=True)
    retried = fields.Integer(required=True)
