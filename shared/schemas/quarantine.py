"""What could not be read, at the internal door: in a list, shown whole, and what a replay did with it."""

from enum import StrEnum

from marshmallow import fields, validate

from shared.schemas.strict import AnswerSchema, RequestSchema, time_text, word_of

#: Milliseconds and a number within them; both fit into Redis' 64 bits.
ID_PATTERN = r"[0-9]{1,19}-[0-9]{1,19}"
EXAMPLE = {"reason": "unknown_type", "sender": "shop", "limit": 100}
_OF_REASON = {"description": "Only what was set aside for this reason."}
_OF_SENDER = {
    "description": "Only what came to this sender's address; needed if there are several businesses."
}
_MOST_LISTED = 500
_MOST_REPLAYED = 1000


class Outcome(StrEnum):
    """How the replay of an entry ended."""

    RECORDED = "recorded"
    SET_ASIDE_AGAIN = "set_aside_again"
    CUT = "cut"
    SENDER_GONE = "sender_gone"


def _entry_id(description: str) -> fields.String:
    return fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(rf"{ID_PATTERN}\Z", error="not the id of an entry"),
        metadata={"description": description},
    )


class QuarantineQuerySchema(RequestSchema):
    reason = fields.String(load_default=None, metadata=_OF_REASON)
    sender = fields.String(load_default=None, metadata=_OF_SENDER)
    before = _entry_id("`next` of the page before.")
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=_MOST_LISTED))


class ReplayRequestSchema(RequestSchema):
    reason = fields.String(load_default=None, allow_none=True, metadata=_OF_REASON)
    sender = fields.String(load_default=None, allow_none=True, metadata=_OF_SENDER)
    after = _entry_id("`next` of the answer before.")
    limit = fields.Integer(strict=True, load_default=100, validate=validate.Range(min=1, max=_MOST_REPLAYED))


class EntrySchema(AnswerSchema):
    id = fields.String(required=True)
    at = time_text(description="When it came.")
    sender = fields.String(required=True, metadata={"description": "Whose address it came to."})
    reason = fields.String(required=True)
    bytes = fields.Integer(required=True)
    cut = fields.Boolean(
        required=True, metadata={"description": "It was too large to keep whole and cannot be replayed."}
    )


class RawEntrySchema(EntrySchema):
    raw = fields.String(required=True, metadata={"description": "As it came; it may hold people."})


class EntryListSchema(AnswerSchema):
    items = fields.List(fields.Nested(EntrySchema()), required=True)
    next = fields.String(required=True, allow_none=True)


class ReplaySchema(AnswerSchema):
    id = fields.String(required=True)
    outcome = word_of(Outcome, description="Only what is recorded has left the quarantine.")
    updates = fields.Dict(
        required=True,
        metadata={
            "description": "How many of its updates ended how.",
            "additionalProperties": {"type": "integer"},
        },
    )
    reason = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why it is still set aside, the first of them."},
    )


class ReplayListSchema(AnswerSchema):
    items = fields.List(
        fields.Nested(ReplaySchema()), required=True, metadata={"description": "In the order they came."}
    )
    next = fields.String(required=True, allow_none=True)
