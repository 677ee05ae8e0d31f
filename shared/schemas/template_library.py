"""Ready-made templates at the internal door: how the library's are shown, and how one is imported."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from shared.domain.consent import Category
from shared.domain.templates import Source
from shared.schemas.strict import AnswerSchema, HttpsLink, RequestSchema, word_of
from shared.schemas.template_call import LANGUAGE, TEMPLATE_NAME
from shared.schemas.template_parts import ButtonShownSchema, HeaderShownSchema

IMPORT_EXAMPLE: Mapping[str, Any] = {
    "sender": "shop",
    "source": "library",
    "name": "order_shipped",
    "language": "it",
    "as": "ordine_spedito",
    "url": "https://shop.example/track/{1}",
}


class LibraryQuerySchema(RequestSchema):
    language = fields.String(load_default=None, validate=LANGUAGE)


class ReadyMadeSchema(AnswerSchema):
    """A template of the library in one language, before it is anybody's."""

    name = fields.String(required=True)
    language = fields.String(required=True)
    about = fields.String(required=True, metadata={"description": "When to use it."})
    tag = fields.String(required=True)
    category = word_of(Category)
    providers = fields.List(fields.String(), required=True)
    variables = fields.List(
        fields.String(), required=True, metadata={"description": "What each variable of the body is."}
    )
    samples = fields.List(fields.String(), required=True)
    header = fields.Nested(HeaderShownSchema(), required=True, allow_none=True)
    body = fields.String(
        required=True,
        metadata={"description": "Of a one-time code the code alone: the words around it are WhatsApp's."},
    )
    footer = fields.String(required=True, allow_none=True)
    buttons = fields.List(fields.Nested(ButtonShownSchema()), required=True)


class ReadyMadeListSchema(AnswerSchema):
    items = fields.List(fields.Nested(ReadyMadeSchema()), required=True)
    next = fields.String(required=True, allow_none=True)


class ImportRequestSchema(RequestSchema):
    sender = fields.String(load_default=None)
    source = fields.String(
        required=True,
        validate=validate.OneOf([Source.LIBRARY.value, Source.PROVIDER.value]),
        metadata={
            "description": "`library`: comes with Finestra; `provider`: stands in the provider's account."
        },
    )
    name = fields.String(required=True, validate=TEMPLATE_NAME)
    language = fields.String(required=True, validate=LANGUAGE)
    own_name = fields.String(
        data_key="as",
        load_default=None,
        allow_none=True,
        validate=TEMPLATE_NAME,
        metadata={"description": "Its name with the sender; else the same. Of the library's only."},
    )
    url = HttpsLink(
        load_default=None,
        allow_none=True,
        metadata={"description": "Your address behind its link; without one it comes without the link."},
    )
