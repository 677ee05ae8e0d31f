"""How an error looks at the internal door (RFC 9457); only documentation, webhook/errors.py writes it."""

from marshmallow import fields

from shared.schemas.strict import AnswerSchema

_ENTRY = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"code": {"type": "string"}, "mend": {"type": "string"}},
            "required": ["code", "mend"],
        },
    ]
}


class ProblemSchema(AnswerSchema):
    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "Stable; match on it."})
    instance = fields.String(required=True, metadata={"format": "uri-reference"})
    errors = fields.Dict(
        metadata={
            "description": "By field, as the body names it; of the lint: its code and mend.",
            "additionalProperties": {"type": "array", "items": _ENTRY},
        }
    )
