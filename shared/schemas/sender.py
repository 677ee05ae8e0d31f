"""Senders at the internal door: how one stands, and how it is halted."""

from marshmallow import fields, validate

from shared.schemas.strict import AnswerSchema, RequestSchema, time_text


class HaltSchema(RequestSchema):
    why = fields.String(required=True, validate=validate.Length(min=1, max=256))


class SenderLimitsSchema(AnswerSchema):
    throughput_per_second = fields.Float(required=True)
    window_margin_seconds = fields.Float(required=True)


class SenderSchema(AnswerSchema):
    alias = fields.String(required=True)
    provider = fields.String(required=True, validate=validate.OneOf(["meta", "cm"]))
    number = fields.String(required=True)
    business = fields.String(required=True)
    account = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["active", "halted"]))
    why = fields.String(required=True, allow_none=True)
    since = time_text(allow_none=True)
    limits = fields.Nested(SenderLimitsSchema(), required=True)


class SenderListSchema(AnswerSchema):
    items = fields.List(fields.Nested(SenderSchema()), required=True)
    next = fields.String(required=True, allow_none=True)
