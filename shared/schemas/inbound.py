"""Inbound messages at the internal door: which one is meant, and what is done about it."""

from marshmallow import fields

from shared.schemas.strict import AnswerSchema, RequestSchema

EXAMPLE = {"typing": True}


class InboundQuerySchema(RequestSchema):
    sender = fields.String(
        load_default=None,
        metadata={"description": "Whom it was written to; left out: any sender that the key may use."},
    )


class ReadRequestSchema(RequestSchema):
    typing = fields.Boolean(
        load_default=False,
        metadata={"description": "Show the contact that an answer is being written, too."},
    )


class ReadMarkedSchema(AnswerSchema):
    id = fields.String(required=True)
    marked_read = fields.Boolean(required=True)
    typing = fields.Boolean(required=True)
