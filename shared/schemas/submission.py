"""What the Celery door refused, at the internal door: in a list, and shown whole."""

from marshmallow import fields, validate

from shared.schemas.quarantine import ID_PATTERN
from shared.schemas.strict import AnswerSchema, RequestSchema, time_text

_MOST_LISTED = 500
_OF_SENDER = {"description": "Any sender of the business; needed if there are several businesses."}


class SubmissionQuerySchema(RequestSchema):
    reason = fields.String(
        load_default=None, metadata={"description": "Only what was refused for this reason."}
    )
    sender = fields.String(load_default=None, metadata=_OF_SENDER)
    before = fields.String(
        load_default=None,
        validate=validate.Regexp(rf"{ID_PATTERN}\Z", error="not the id of an entry"),
        metadata={"description": "`next` of the page before."},
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=_MOST_LISTED))


class SubmissionSchema(AnswerSchema):
    id = fields.String(required=True)
    at = time_text(description="When it was refused.")
    app = fields.String(required=True, metadata={"description": "Empty: it named none that we know."})
    sender = fields.String(required=True, metadata={"description": "Empty: it named none that we know."})
    reason = fields.String(required=True)
    bytes = fields.Integer(required=True)
    cut = fields.Boolean(required=True, metadata={"description": "It was too large to keep whole."})


class RawSubmissionSchema(SubmissionSchema):
    errors = fields.Dict(required=True, metadata={"description": "What is wrong with it, by field."})
    raw = fields.String(required=True, metadata={"description": "As it came; it may hold people."})


class SubmissionListSchema(AnswerSchema):
    items = fields.List(fields.Nested(SubmissionSchema()), required=True)
    next = fields.String(required=True, allow_none=True)
