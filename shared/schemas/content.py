"""Free-form content as an app asks for it: each kind with WhatsApp's limits, and a mend for every mistake.

Meta, "Send messages" and the pages of each kind, read 2025-10 to 2025-11. Where it gives no limit, one of
ours keeps a request sane. What only one provider takes is asked in shared/providers/support.py.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from shared.domain.content import Location
from shared.domain.session_content import EmojiReaction, Header, MediaKind, MediaLink
from shared.schemas.strict import HttpsLink, RequestSchema, ValueSchema, Words

_MAX_CAPTION = 1024
_MAX_HEADER = 60
#: Ours: names, and the lines of a place.
_MAX_LINE = 256
_MAX_ID = 512
_MAX_EMOJI = 16
_HEADER_KINDS = (MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.DOCUMENT)
_WITHOUT_CAPTION = frozenset({MediaKind.AUDIO, MediaKind.STICKER})


class WhatsAppId(fields.String):
    """`wamid.…`: the id of a message at WhatsApp, not ours."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        written = super()._deserialize(value, attr, data, **kwargs)
        is_id = written.startswith("wamid.") and len(written) <= _MAX_ID and written.isprintable()
        if not is_id or " " in written:
            raise ValidationError("write WhatsApp's own id, wamid.…, as inbound.received shows it")
        return written


class _Degrees(fields.Float):
    """A number, not a text and not a truth value."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValidationError("write a number, in degrees")
        return super()._deserialize(value, attr, data, **kwargs)


class MediaSchema(ValueSchema):
    makes = MediaLink
    kind = fields.Enum(MediaKind, by_value=True, required=True)
    link = HttpsLink(required=True, metadata={"format": "uri", "description": "The provider fetches it."})
    caption = Words(_MAX_CAPTION, load_default=None)
    filename = Words(
        _MAX_LINE,
        load_default=None,
        metadata={"description": "Shown for documents; for CM.com its ending tells the type of any file."},
    )

    @validates_schema(skip_on_field_errors=True)
    def _check_caption(self, values: dict[str, Any], **kwargs: Any) -> None:
        if values["caption"] is not None and values["kind"] in _WITHOUT_CAPTION:
            raise ValidationError(
                {"caption": [f"a {values['kind']} takes none: send a text before or after"]}
            )


class HeaderField(fields.Field[Header]):
    """A text, `{"text": …}`, or an image, a video or a document."""

    def __init__(self, **more: Any) -> None:
        super().__init__(load_default=None, metadata=_HEADER_METADATA, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return HeaderTextSchema().load({"text": value})["text"]
        if isinstance(value, Mapping) and "text" in value:
            return HeaderTextSchema().load(value)["text"]
        if not isinstance(value, Mapping):
            raise ValidationError('a text, {"text": …}, or a file with kind and link')
        media: MediaLink = MediaSchema().load(value)
        if media.kind not in _HEADER_KINDS:
            raise ValidationError({"kind": [f"must be one of: {', '.join(_HEADER_KINDS)}"]})
        if media.caption is not None:
            raise ValidationError({"caption": ["a header takes none: write it into the body"]})
        return media


class HeaderTextSchema(RequestSchema):
    text = Words(_MAX_HEADER, required=True)


_HEADER_METADATA = {
    "description": "A text, or an image, a video or a document.",
    "anyOf": [
        {"type": "string", "maxLength": _MAX_HEADER},
        {
            "type": "object",
            "properties": {"text": {"type": "string", "maxLength": _MAX_HEADER}},
            "required": ["text"],
        },
        {
            "type": "object",
            "properties": {
                "kind": {"type": "string", "enum": [str(kind) for kind in _HEADER_KINDS]},
                "link": {"type": "string", "format": "uri"},
                "filename": {"type": "string"},
            },
            "required": ["kind", "link"],
        },
        {"type": "null"},
    ],
}


class LocationSchema(ValueSchema):
    makes = Location
    latitude = _Degrees(required=True, validate=validate.Range(-90, 90))
    longitude = _Degrees(required=True, validate=validate.Range(-180, 180))
    name = Words(_MAX_LINE, load_default=None)
    address = Words(_MAX_LINE, load_default=None)


class ReactionSchema(ValueSchema):
    makes = EmojiReaction
    message_id = WhatsAppId(required=True, metadata={"description": "The contact's message, wamid.…"})
    emoji = Words(_MAX_EMOJI, required=True)

    @validates_schema(skip_on_field_errors=True)
    def _check_emoji(self, values: dict[str, Any], **kwargs: Any) -> None:
        if values["emoji"].isascii() or any(character.isspace() for character in values["emoji"]):
            raise ValidationError({"emoji": ["write one emoji; to take a reaction back is not supported"]})
