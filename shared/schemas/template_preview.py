"""A preview at the internal door: values to try, and what a contact would see."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from shared.domain.session_content import MediaKind
from shared.domain.template_parts import ButtonKind
from shared.schemas.strict import AnswerSchema, word_of
from shared.schemas.template_call import FillSchema

PREVIEW_EXAMPLE: Mapping[str, Any] = {"variables": ["Anna", "991"]}


class PreviewRequestSchema(FillSchema):
    """What is left out is taken from the template's samples."""


class BubbleButtonSchema(AnswerSchema):
    kind = word_of(ButtonKind)
    label = fields.String(required=True)
    target = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The address, number or code behind it."},
    )


class BubbleSchema(AnswerSchema):
    """The parts as a contact sees them, still in WhatsApp's markup."""

    media = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": f"A file above the text: {', '.join(MediaKind)}."},
    )
    filename = fields.String(required=True, allow_none=True)
    header = fields.String(required=True, allow_none=True)
    body = fields.String(required=True)
    footer = fields.String(required=True, allow_none=True)
    buttons = fields.List(fields.Nested(BubbleButtonSchema()), required=True)


class MisfitSchema(AnswerSchema):
    field = fields.String(required=True)
    mend = fields.String(required=True)


class PreviewSchema(AnswerSchema):
    bubble = fields.Nested(BubbleSchema(), required=True)
    text = fields.String(required=True, metadata={"description": "The whole bubble as plain text."})
    html = fields.String(required=True, metadata={"description": "A page that looks like the bubble."})
    length = fields.Integer(required=True, metadata={"description": "Of the body; 1,024 at most."})
    misfits = fields.List(
        fields.Nested(MisfitSchema()),
        required=True,
        metadata={"description": "For which a message with these values would be refused."},
    )
