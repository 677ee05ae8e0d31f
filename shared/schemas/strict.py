"""What the schemas of the internal door share: unknown fields are refused with a mend, texts parsed once."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import urlsplit

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_load, validate

from shared.domain.identifiers import ContactId, InvalidIdentifierError

MAX_LINK = 2000
_UNKNOWN = "unknown field"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class RequestSchema(Schema):
    """What comes in: what we do not know is a mistake, and the answer says what was probably meant."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": _UNKNOWN}  # noqa: RUF012 - marshmallow's own way

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        if not isinstance(error.messages, dict):
            return
        for name, texts in error.messages.items():
            if texts == [_UNKNOWN]:
                error.messages[name] = [f"{_UNKNOWN}; {self._mend(str(name))}"]

    def _mend(self, name: str) -> str:
        known = [field.data_key or key for key, field in self.load_fields.items()]
        close = get_close_matches(name, known, n=1)
        return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"


class ValueSchema(RequestSchema):
    """An object that becomes one value of the domain, field by field."""

    #: The value's class.
    makes: ClassVar[type]

    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> Any:
        parts = {name: tuple(each) if isinstance(each, list) else each for name, each in values.items()}
        return self.makes(**parts)


class AnswerSchema(Schema):
    """What goes out. More fields may come in later versions."""

    class Meta:
        unknown = EXCLUDE


class Words(fields.String):
    """A text of 1 to `most` characters that is not blank."""

    def __init__(self, most: int, **more: Any) -> None:
        super().__init__(validate=[validate.Length(min=1, max=most), _refuse_blank], **more)


def _refuse_blank(text: str) -> None:
    if text and not text.strip():
        raise ValidationError("must not be blank")


class HttpsLink(fields.String):
    """A public address; the provider or the contact opens it, not we."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        link = super()._deserialize(value, attr, data, **kwargs)
        if len(link) > MAX_LINK:
            raise ValidationError(f"at most {MAX_LINK} characters")
        if not _is_https(link):
            raise ValidationError("write an address that begins with https:// and holds no space or password")
        return link


def _is_https(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    is_plain = link.isprintable() and " " not in link and "@" not in parts.netloc
    return is_plain and parts.scheme == "https" and bool(parts.hostname)


class Contact(fields.String):
    """A phone number or a business-scoped user id."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return ContactId.parse(super()._deserialize(value, attr, data, **kwargs))
        except InvalidIdentifierError as exc:
            raise ValidationError(str(exc)) from exc


class Moment(fields.DateTime):
    """RFC 3339 with its offset, read as aware UTC in whole milliseconds; without an offset it is refused."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise ValidationError("write an RFC 3339 time with its offset, like 2026-11-22T10:15:30Z")
        try:
            # Upper case for Python 3.11, which knows no z; digits past the microsecond are cut.
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as exc:
            raise ValidationError("there is no such time") from exc
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def time_text(*, allow_none: bool = False, description: str | None = None) -> fields.String:
    """A time that goes out, already written."""
    metadata = {"format": "date-time"} | ({"description": description} if description else {})
    return fields.String(required=True, allow_none=allow_none, metadata=metadata)


def word_of(words: type[StrEnum], *, description: str | None = None, required: bool = True) -> fields.String:
    """One of an enumeration's words that goes out; what comes from the store is a plain text."""
    metadata = {"description": description} if description else {}
    return fields.String(
        required=required, validate=validate.OneOf([word.value for word in words]), metadata=metadata
    )
