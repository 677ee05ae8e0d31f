"""The audit at the internal door: who did what with messages and contacts."""

from marshmallow import fields, validate

from shared.schemas.strict import AnswerSchema, RequestSchema, time_text

MOST_ENTRIES = 500
PLACE_PATTERN = r"^[0-9]{1,20}-[0-9]{1,20}\Z"


class AuditQuerySchema(RequestSchema):
    business = fields.String(load_default=None, metadata={"description": "Needed where there are several."})
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MOST_ENTRIES))
    after = fields.String(
        load_default=None,
        validate=validate.Regexp(PLACE_PATTERN, error="take `next` of the page before"),
        metadata={"description": "`next` of the page before."},
    )


class AuditEntrySchema(AnswerSchema):
    id = fields.String(required=True)
    at = time_text()
    app = fields.String(required=True, metadata={"description": "Whose key it was."})
    request_id = fields.String(required=True)
    action = fields.String(
        required=True,
        metadata={"description": "cancel, retry, resolve, erase, export; sender.halt, template.submit, …"},
    )
    message_id = fields.String(required=True, allow_none=True)
    filter = fields.Dict(required=True, allow_none=True, metadata={"description": "In bulk: what was named."})
    done = fields.Integer(required=True, metadata={"description": "With how many it was done."})
    details = fields.Dict(required=True)


class AuditListSchema(AnswerSchema):
    items = fields.List(
        fields.Nested(AuditEntrySchema()), required=True, metadata={"description": "Newest first."}
    )
    next = fields.String(required=True, allow_none=True)
