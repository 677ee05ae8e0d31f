"""Senders at the internal door: how one stands, and how it is halted."""

from marshmallow import fields, validate

from shared.domain.halts import HaltKind, HaltSource
from shared.schemas.strict import AnswerSchema, Moment, RequestSchema, time_text, word_of


class HaltSchema(RequestSchema):
    why = fields.String(required=True, validate=validate.Length(min=1, max=256))
    kind = fields.Enum(HaltKind, by_value=True, load_default=HaltKind.ALL)
    until = Moment(load_default=None, allow_none=True)


class LimitsUsedSchema(AnswerSchema):
    throughput = fields.Float(
        required=True, metadata={"description": "Of what may go at once: 0 none, 1 all of it."}
    )
    messaging = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Contacts of the last 24 hours outside their windows; null: not watched."},
    )
    messaging_until = time_text(allow_none=True)


class SenderLimitsSchema(AnswerSchema):
    throughput_per_second = fields.Float(required=True)
    window_margin_seconds = fields.Float(required=True)
    pair_interval_seconds = fields.Float(required=True)
    pair_burst = fields.Integer(required=True)
    messaging_limit_per_day = fields.Integer(required=True)
    portfolio = fields.String(required=True)
    used = fields.Nested(LimitsUsedSchema(), required=True)


class SenderHaltSchema(AnswerSchema):
    kind = word_of(HaltKind)
    by = word_of(HaltSource)
    code = fields.String(required=True, allow_none=True, metadata={"description": "The provider's."})
    scope = fields.String(required=True, metadata={"description": "What it speaks of: sender, account, app."})
    why = fields.String(required=True)
    since = time_text(allow_none=True)
    until = time_text(allow_none=True)


class CircuitSchema(AnswerSchema):
    """Open while the provider is down: one message tries now and then."""

    state = fields.String(required=True, validate=validate.OneOf(["closed", "open"]))
    failures = fields.Integer(required=True, metadata={"description": "In a row."})
    why = fields.String(required=True, allow_none=True)
    since = time_text(allow_none=True)
    next_try_at = time_text(allow_none=True)


class SenderSchema(AnswerSchema):
    alias = fields.String(required=True)
    provider = fields.String(required=True, validate=validate.OneOf(["meta", "cm"]))
    number = fields.String(required=True)
    business = fields.String(required=True)
    account = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["active", "halted", "away"]))
    why = fields.String(required=True, allow_none=True)
    since = time_text(allow_none=True)
    until = time_text(allow_none=True)
    halts = fields.List(fields.Nested(SenderHaltSchema()), required=True)
    paused_until = time_text(allow_none=True)
    circuit = fields.Nested(CircuitSchema(), required=True)
    limits = fields.Nested(SenderLimitsSchema(), required=True)


class SenderListSchema(AnswerSchema):
    items = fields.List(fields.Nested(SenderSchema()), required=True)
    next = fields.String(required=True, allow_none=True)
