"""How a message, its route and its attempts look at the internal door."""

from marshmallow import fields

from shared.domain.message import MessageState
from shared.domain.routes import RouteKind, Rule
from shared.schemas.strict import AnswerSchema, time_text, word_of


class RouteSchema(AnswerSchema):
    kind = word_of(RouteKind)
    rule = word_of(Rule)
    decided_at = time_text()
    inputs = fields.Dict(required=True, metadata={"description": "What was seen when it was decided."})
    explanation = fields.String(required=True)
    template = fields.String(metadata={"description": "Name and language of the template that goes."})
    template_version = fields.Integer(metadata={"description": "Which of its contents."})
    until = fields.String(allow_none=True, metadata={"format": "date-time"})
    of = fields.String(allow_none=True, metadata={"description": "The rule of the route that waits."})


class LinksSchema(AnswerSchema):
    self = fields.String(required=True, metadata={"format": "uri-reference"})


class MessageFactsSchema(AnswerSchema):
    id = fields.String(required=True)
    state = word_of(MessageState)
    to = fields.String(required=True)
    sender = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True)
    accepted_at = time_text()
    expires_at = time_text()
    links = fields.Nested(LinksSchema(), required=True)


class AcceptedSchema(MessageFactsSchema):
    forecast = fields.Nested(
        RouteSchema(), required=True, metadata={"description": "The route as it would be now."}
    )


class ProviderRequestSchema(AnswerSchema):
    url = fields.String(required=True)
    json = fields.Dict(required=True)


class DryRunSchema(AnswerSchema):
    route = fields.Nested(RouteSchema(), required=True)
    request = fields.Nested(
        ProviderRequestSchema(),
        required=True,
        allow_none=True,
        metadata={"description": "What the provider would get; null when nothing would go now."},
    )
    would_change = fields.List(fields.String(), required=True)
    warnings = fields.List(
        fields.String(), required=True, metadata={"description": "Of a text that seems to promote; it goes."}
    )


class AttemptErrorSchema(AnswerSchema):
    code = fields.String(required=True)
    class_ = fields.String(required=True, data_key="class", attribute="class")
    detail = fields.String(allow_none=True, metadata={"description": "The provider's own words."})
    advice = fields.String(allow_none=True)


class AttemptSchema(AnswerSchema):
    number = fields.Integer(required=True)
    route = fields.Nested(RouteSchema(), required=True, allow_none=True)
    started_at = time_text(allow_none=True)
    ended_at = time_text(allow_none=True)
    outcome = fields.String(required=True, allow_none=True)
    error = fields.Nested(AttemptErrorSchema(), required=True, allow_none=True)
    provider_message_id = fields.String(required=True, allow_none=True)


_TIMELINE_ENTRY = {
    "type": "object",
    "properties": {"at": {"type": "string", "format": "date-time"}, "event": {"type": "string"}},
    "required": ["at", "event"],
}


class MessageSchema(MessageFactsSchema):
    app = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    waiting = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "sender_halted, provider_away or sender_paused."},
    )
    route = fields.Nested(RouteSchema(), required=True, allow_none=True)
    attempts = fields.List(fields.Nested(AttemptSchema()), required=True)
    timeline = fields.List(fields.Dict(metadata=_TIMELINE_ENTRY), required=True)
    pricing = fields.Dict(required=True, allow_none=True)
    provider_message_id = fields.String(required=True, allow_none=True)
    provider_hold = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why the provider keeps it back."},
    )
    nudge_for = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The content that waits for the answer to this."},
    )
    nudged_by = fields.String(
        required=True, allow_none=True, metadata={"description": "The template that asks for the answer."}
    )


class ExplanationSchema(AnswerSchema):
    id = fields.String(required=True)
    state = word_of(MessageState)
    sentences = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "In order of time: how it came, each attempt, where it stands, what to do."},
    )
