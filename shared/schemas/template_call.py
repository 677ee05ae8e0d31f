"""A template as a message asks for it: name, language, variables filled, and alternates."""

import re
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from shared.domain.template_call import MAX_CODE_LENGTH, TemplateButton, TemplateCall
from shared.domain.template_parts import ButtonFill
from shared.domain.template_text import clean_value, is_visible
from shared.schemas.content import HeaderField
from shared.schemas.strict import MAX_LINK, RequestSchema, Words

_MAX_ALTERNATES = 9
_MAX_BUTTONS = 10
#: Ours: as long as the id of a reply button.
_MAX_PAYLOAD = 256
#: No text of WhatsApp's is longer.
_MAX_VALUE_LENGTH = 4096
_VARIABLE_NAME = re.compile(r"\w+", re.ASCII)

TEMPLATE_NAME = validate.Regexp(
    r"^[a-z0-9_]{1,512}\Z", error="use lower-case letters, digits and underscores"
)
LANGUAGE = validate.Regexp(
    r"^[A-Za-z]{2,3}(_[A-Za-z0-9]{2,8})*\Z", error="write the provider's code, like it or en_US"
)


class _Variables(fields.Field[dict[str, str]]):
    """A list for numbered variables, an object for named ones; values cleaned as WhatsApp wants them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        match value:
            case list():
                named = {str(number): each for number, each in enumerate(value, 1)}
            case dict():
                named = value
            case _:
                raise ValidationError("a list for numbered variables, an object for named ones")
        mistakes = {name: [text] for name, each in named.items() if (text := _mistake(name, each))}
        if mistakes:
            raise ValidationError(mistakes)
        return {name: clean_value(each) for name, each in named.items()}


def _mistake(name: str, value: object) -> str | None:
    if not _VARIABLE_NAME.fullmatch(name):
        return "name variables with letters, digits and underscores"
    if not isinstance(value, str):
        return "write the value as a text, in quotes"
    if len(value) > _MAX_VALUE_LENGTH:
        return f"at most {_MAX_VALUE_LENGTH} characters"
    return None if is_visible(value) else "must not be empty: WhatsApp refuses it"


class AddressEnd(Words):
    """What follows in an address: neither a space nor a line break can stand there."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        written = super()._deserialize(value, attr, data, **kwargs)
        if not written.isprintable() or " " in written:
            raise ValidationError("write it as it stands in an address: %20 for a space")
        return written


class TemplateButtonSchema(RequestSchema):
    """What fills one button; those that take nothing are left out."""

    index = fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(min=0, max=_MAX_BUTTONS - 1),
        metadata={"description": "From 0, in the order of the template's buttons."},
    )
    url_suffix = AddressEnd(
        MAX_LINK, load_default=None, metadata={"description": "The variable end of its address."}
    )
    payload = Words(
        _MAX_PAYLOAD, load_default=None, metadata={"description": "Comes back when it is pressed."}
    )
    code = Words(
        MAX_CODE_LENGTH,
        load_default=None,
        metadata={"description": "What it copies: a one-time or a coupon code."},
    )

    @validates_schema(skip_on_field_errors=True)
    def _check_one(self, values: dict[str, Any], **kwargs: Any) -> None:
        if sum(values[fill] is not None for fill in ButtonFill) != 1:
            raise ValidationError(f"give one of {', '.join(ButtonFill)}")

    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> TemplateButton:
        fill = next(fill for fill in ButtonFill if values[fill] is not None)
        return TemplateButton(index=values["index"], fill=fill, value=values[fill])


class FillSchema(RequestSchema):
    """What fills a template, whichever it is."""

    variables = _Variables(
        load_default=dict,
        metadata={
            "description": "A list for numbered variables, an object for named ones.",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ],
        },
    )

    header = HeaderField()
    buttons = fields.List(
        fields.Nested(TemplateButtonSchema()),
        load_default=list,
        validate=validate.Length(max=_MAX_BUTTONS),
        metadata={"description": "For each button that takes a value."},
    )

    @validates_schema(skip_on_field_errors=True)
    def _check_buttons(self, values: dict[str, Any], **kwargs: Any) -> None:
        places = [button.index for button in values["buttons"]]
        if len(set(places)) < len(places):
            raise ValidationError({"buttons": ["give each button, by its index, once"]})


def call_of(values: dict[str, Any], name: str, language: str) -> TemplateCall:
    """`values`: as FillSchema reads them."""
    header = values["header"]
    return TemplateCall(
        name=name,
        language=language,
        values=values["variables"],
        header=clean_value(header) if isinstance(header, str) else header,
        buttons=tuple(values["buttons"]),
    )


class TemplateCallSchema(FillSchema):
    name = fields.String(required=True, validate=TEMPLATE_NAME)
    language = fields.String(required=True, validate=LANGUAGE)

    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> Any:
        return call_of(values, values["name"], values["language"])


class TemplateWithAlternatesSchema(TemplateCallSchema):
    alternates = fields.List(
        fields.Nested(TemplateCallSchema()),
        load_default=list,
        validate=validate.Length(max=_MAX_ALTERNATES),
        metadata={"description": "Other templates, in order, for when this one is not approved."},
    )

    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> Any:
        return (super()._make(values), *values["alternates"])
