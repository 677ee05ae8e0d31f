"""What is kept of a person, at the internal door: erased, handed out, or gone by its time."""

from marshmallow import fields, validate

from shared.schemas.consent import ConsentSchema, IdentitiesSchema, WindowSchema
from shared.schemas.consents import ConsentWordSchema
from shared.schemas.strict import AnswerSchema, time_text


class ErasedSchema(AnswerSchema):
    """Nothing of the person stands in it."""

    erased = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "How much of each kind was removed; nothing for what there was not."},
    )
    cancelled = fields.Integer(required=True, metadata={"description": "Of the messages: had not left."})
    opt_out_kept = fields.Boolean(
        required=True, metadata={"description": "As a keyed hash, by which it stands again with the name."}
    )
    append_only_file = fields.String(
        required=True,
        validate=validate.OneOf(["rewriting", "later", "off"]),
        metadata={"description": "Until it is rewritten it holds what was removed; later: by itself, soon."},
    )


class NamesSchema(IdentitiesSchema):
    all = fields.List(fields.String(), required=True, metadata={"description": "Every spelling."})


class SenderWindowSchema(WindowSchema):
    sender = fields.String(required=True)


class CapSchema(AnswerSchema):
    category = fields.String(required=True)
    until = time_text(description="Until then the provider takes no templates for the contact.")
    code = fields.String(required=True)


class PersonRecordSchema(AnswerSchema):
    contact = fields.String(required=True)
    business = fields.String(required=True)
    exported_at = time_text()
    complete = fields.Boolean(
        required=True,
        metadata={"description": "False: without what belongs to other apps and senders; admin gets all."},
    )
    identities = fields.Nested(NamesSchema(), required=True)
    windows = fields.List(fields.Nested(SenderWindowSchema()), required=True)
    consent = fields.Nested(ConsentSchema(), required=True)
    consent_history = fields.List(fields.Nested(ConsentWordSchema()), required=True)
    caps = fields.List(fields.Nested(CapSchema()), required=True)
    messages = fields.List(
        fields.Dict(), required=True, metadata={"description": "As GET shows each, with its request."}
    )
    inbound = fields.List(fields.Dict(), required=True, metadata={"description": "What the contact wrote."})


class KeptSchema(AnswerSchema):
    kind = fields.String(required=True)
    count = fields.Integer(
        required=True, metadata={"description": "Of what has keys of its own: as the last walk saw it."}
    )
    oldest = time_text(allow_none=True)
    days = fields.Float(
        required=True, allow_none=True, metadata={"description": "How long it is kept; null: not by time."}
    )
    removed = fields.Integer(
        required=True, metadata={"description": "By the last walk; most ends by itself and is not counted."}
    )


class BusinessRetentionSchema(AnswerSchema):
    business = fields.String(required=True)
    last_run_at = time_text(allow_none=True)
    running = fields.Boolean(required=True)
    unfinished_erasures = fields.Integer(required=True)
    secret_keys_complete = fields.Boolean(
        required=True,
        metadata={"description": "False: a key is missing under which opt-outs of erased people were kept."},
    )
    kinds = fields.List(fields.Nested(KeptSchema()), required=True)


class RetentionSchema(AnswerSchema):
    items = fields.List(fields.Nested(BusinessRetentionSchema()), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "Always null."})
