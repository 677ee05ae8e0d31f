"""Header and buttons of a template at the internal door. Lengths and places are the lint's business."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from shared.domain.template_parts import ButtonKind, ButtonPart, HeaderKind, HeaderPart
from shared.schemas.strict import AnswerSchema, ValueSchema, word_of

#: What each kind of button carries besides its label.
_CARRIES = {ButtonKind.URL: "url", ButtonKind.PHONE: "phone"}


class HeaderPartSchema(ValueSchema):
    makes = HeaderPart
    kind = fields.Enum(HeaderKind, by_value=True, required=True)
    text = fields.String(
        load_default=None, allow_none=True, metadata={"description": "Of a text; one variable at most."}
    )
    sample = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "A value for its variable, or the address of an example file."},
    )

    @validates_schema(skip_on_field_errors=True)
    def _check_text(self, values: dict[str, Any], **kwargs: Any) -> None:
        if (values["kind"] is HeaderKind.TEXT) != bool(values["text"]):
            raise ValidationError({"text": ["a text header needs it, a file takes none"]})


class ButtonPartSchema(ValueSchema):
    makes = ButtonPart
    kind = fields.Enum(ButtonKind, by_value=True, required=True)
    label = fields.String(required=True, metadata={"description": "What stands on it."})
    url = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "Of a url; a variable may stand at its end."},
    )
    phone = fields.String(load_default=None, allow_none=True, metadata={"description": "Of a phone, E.164."})
    sample = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "The end of the address, or a code to copy."},
    )

    @validates_schema(skip_on_field_errors=True)
    def _check_kind(self, values: dict[str, Any], **kwargs: Any) -> None:
        carried = _CARRIES.get(values["kind"])
        for name in ("url", "phone"):
            if (name == carried) != bool(values[name]):
                mend = f"a button of kind {values['kind']} {'needs it' if name == carried else 'takes none'}"
                raise ValidationError({name: [mend]})


class HeaderShownSchema(AnswerSchema):
    kind = word_of(HeaderKind)
    text = fields.String(required=True, allow_none=True)
    sample = fields.String(required=True, allow_none=True)


class ButtonShownSchema(AnswerSchema):
    kind = word_of(ButtonKind)
    label = fields.String(required=True)
    url = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    sample = fields.String(required=True, allow_none=True)
