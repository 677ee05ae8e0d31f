"""Templates at the internal door: how one is registered, decided about, and shown."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from shared.domain.consent import Category
from shared.domain.lint import Level
from shared.domain.template_tags import TAGS
from shared.domain.templates import Approval, Gate, Source, TemplateStatus
from shared.schemas.strict import AnswerSchema, RequestSchema, word_of
from shared.schemas.template_call import LANGUAGE
from shared.schemas.template_parts import (
    ButtonPartSchema,
    ButtonShownSchema,
    HeaderPartSchema,
    HeaderShownSchema,
)

EXAMPLE: Mapping[str, Any] = {
    "sender": "shop",
    "name": "conferma_ordine",
    "language": "it",
    "tag": "UTILITY",
    "body": "Salve {1}, abbiamo ricevuto il tuo ordine {2}. Ti scriviamo appena parte.",
    "samples": ["Anna", "991"],
    "header": None,
    "footer": None,
    "buttons": [],
    "ttl_seconds": None,
}
APPROVAL_EXAMPLE: Mapping[str, Any] = {
    "gate": "whatsapp",
    "decision": "approved",
    "reason": None,
    "version": 1,
}


class TemplateContentSchema(RequestSchema):
    """`body`, `footer` and `samples` are judged by the lint, which has a code for each mistake."""

    tag = fields.String(required=True, validate=validate.OneOf(list(TAGS)))
    body = fields.String(required=True, metadata={"description": "Variables as {1} or {{1}}, or named."})
    samples = fields.List(fields.String(), load_default=list)
    footer = fields.String(load_default=None, allow_none=True)
    header = fields.Nested(HeaderPartSchema(), load_default=None, allow_none=True)
    buttons = fields.List(fields.Nested(ButtonPartSchema()), load_default=list)
    ttl_seconds = fields.Integer(strict=True, load_default=None, allow_none=True)


class TemplateRequestSchema(TemplateContentSchema):
    """`name` too is judged by the lint."""

    sender = fields.String(load_default=None)
    name = fields.String(required=True, metadata={"pattern": "^[a-z0-9_]{1,512}$"})
    language = fields.String(required=True, validate=LANGUAGE)
    source = fields.Enum(
        Source,
        by_value=True,
        load_default=Source.OWN,
        metadata={"description": "`provider`: the provider has it ready; `library`: comes with Finestra."},
    )


class ApprovalRequestSchema(RequestSchema):
    gate = fields.Enum(Gate, by_value=True, required=True)
    decision = fields.String(
        required=True, validate=validate.OneOf([Approval.APPROVED.value, Approval.REJECTED.value])
    )
    reason = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=1024))
    version = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=1),
        metadata={
            "description": "Of the content that the decision is about: another than the one in force is 409 "
            "`template_edited`. Left out, it is about the one in force when the request comes."
        },
    )


class GateSchema(AnswerSchema):
    state = word_of(Approval)
    reason = fields.String(required=True, allow_none=True)


class GatesSchema(AnswerSchema):
    provider = fields.Nested(GateSchema(), required=True)
    whatsapp = fields.Nested(GateSchema(), required=True)


class TemplateShownSchema(AnswerSchema):
    """What a template is made of."""

    body = fields.String(required=True, metadata={"description": "Variables in the provider's form, {{1}}."})
    footer = fields.String(required=True, allow_none=True)
    samples = fields.List(fields.String(), required=True)
    variables = fields.List(fields.String(), required=True)
    header = fields.Nested(HeaderShownSchema(), required=True, allow_none=True)
    buttons = fields.List(fields.Nested(ButtonShownSchema()), required=True)
    ttl_seconds = fields.Integer(required=True, allow_none=True)


class StopSchema(AnswerSchema):
    reason = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "WhatsApp's word, or the code of the error."},
    )
    by = fields.String(required=True, metadata={"description": "`whatsapp` or `error`."})
    until = fields.String(
        required=True,
        allow_none=True,
        metadata={"format": "date-time", "description": "When it is expected to end by itself."},
    )


class TemplateSchema(TemplateShownSchema):
    """A template and where its approvals stand."""

    sender = fields.String(required=True)
    account = fields.String(required=True)
    name = fields.String(required=True)
    language = fields.String(required=True)
    tag = fields.String(required=True, allow_none=True)
    category = word_of(Category)
    is_category_changed = fields.Boolean(
        required=True, metadata={"description": "WhatsApp has it as another than it was registered as."}
    )
    announced_category = fields.String(
        required=True, allow_none=True, metadata={"description": "What WhatsApp will make of it."}
    )
    status = word_of(TemplateStatus)
    stop = fields.Nested(
        StopSchema(), required=True, allow_none=True, metadata={"description": "Why it is paused or worse."}
    )
    quality = fields.String(required=True, allow_none=True)
    provider_id = fields.String(required=True, allow_none=True)
    source = word_of(Source)
    version = fields.Integer(
        required=True, metadata={"description": "Of its content; a message says which it used."}
    )
    approval = fields.Nested(GatesSchema(), required=True)


class FindingSchema(AnswerSchema):
    code = fields.String(required=True, metadata={"description": "Stable: programs match on it."})
    level = word_of(Level, description="`error` is refused at registration.")
    field = fields.String(required=True, metadata={"description": "As the body names it: `buttons.2.url`."})
    mend = fields.String(required=True)
    source = fields.String(required=True, metadata={"description": "Whose rule it is."})


class FindingsSchema(AnswerSchema):
    findings = fields.List(fields.Nested(FindingSchema()), required=True)


class RegisteredSchema(TemplateSchema):
    """A template that was registered, and what may be wrong with it all the same."""

    warnings = fields.List(fields.Nested(FindingSchema()), required=True)


class TemplateListSchema(AnswerSchema):
    items = fields.List(fields.Nested(TemplateSchema()), required=True)
    next = fields.String(required=True, allow_none=True)
