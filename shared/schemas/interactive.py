"""`interactive`: what a contact can press or choose, with WhatsApp's limits.

Meta, "Interactive messages", read 2025-10; CM.com, "WhatsApp interactive messages", read 2026-11.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from shared.domain.session_content import Buttons, Choice, LinkButton, MediaLink, ReplyButton, Row, Section
from shared.schemas.content import HeaderField
from shared.schemas.strict import HttpsLink, RequestSchema, ValueSchema, Words

MAX_FOOTER = 60
MAX_LABEL = 20
_MAX_BUTTONS = 3
_MAX_SECTIONS = 10
_MAX_ROWS = 10
_MAX_LIST_BODY = 4096
_MAX_OTHER_BODY = 1024
#: The same word in the languages that we ship with.
_LIST_LABEL = "Menu"


class InteractiveKind(StrEnum):
    BUTTONS = "buttons"
    LIST = "list"
    LINK = "link"


#: By kind: what it needs, and what it may have beside body, header and footer.
_NEEDS: Mapping[InteractiveKind, frozenset[str]] = {
    InteractiveKind.BUTTONS: frozenset({"buttons"}),
    InteractiveKind.LIST: frozenset({"sections"}),
    InteractiveKind.LINK: frozenset({"url"}),
}
_TAKES: Mapping[InteractiveKind, frozenset[str]] = {
    InteractiveKind.BUTTONS: frozenset({"buttons"}),
    InteractiveKind.LIST: frozenset({"sections", "label"}),
    InteractiveKind.LINK: frozenset({"url", "label"}),
}
_OWN = ("buttons", "sections", "url", "label")


class ReplyButtonSchema(ValueSchema):
    makes = ReplyButton
    id = Words(256, required=True, metadata={"description": "Comes back when it is pressed."})
    title = Words(20, required=True)


class RowSchema(ValueSchema):
    makes = Row
    id = Words(200, required=True, metadata={"description": "Comes back when it is chosen."})
    title = Words(24, required=True)
    description = Words(72, load_default=None)


class SectionSchema(ValueSchema):
    makes = Section
    title = Words(24, load_default=None)
    rows = fields.List(
        fields.Nested(RowSchema()), required=True, validate=validate.Length(min=1, max=_MAX_ROWS)
    )


class InteractiveSchema(RequestSchema):
    kind = fields.Enum(InteractiveKind, by_value=True, required=True)
    body = Words(_MAX_LIST_BODY, required=True, metadata={"description": "1,024 characters but for a list."})
    header = HeaderField()
    footer = Words(MAX_FOOTER, load_default=None)
    buttons = fields.List(
        fields.Nested(ReplyButtonSchema()),
        load_default=None,
        validate=validate.Length(min=1, max=_MAX_BUTTONS),
    )
    sections = fields.List(
        fields.Nested(SectionSchema()),
        load_default=None,
        validate=validate.Length(min=1, max=_MAX_SECTIONS),
    )
    url = HttpsLink(load_default=None, metadata={"format": "uri"})
    label = Words(
        MAX_LABEL,
        load_default=None,
        metadata={"description": "On the button of a list or a link; default: Menu, or the link's host."},
    )

    @validates_schema(skip_on_field_errors=True)
    def _check_kind(self, values: dict[str, Any], **kwargs: Any) -> None:
        kind = values["kind"]
        given = {name for name in _OWN if values[name] is not None}
        mistakes = {name: [f"{kind} needs it"] for name in _NEEDS[kind] - given}
        mistakes |= {name: [f"{kind} takes none"] for name in given - _TAKES[kind]}
        if kind is not InteractiveKind.LIST and len(values["body"]) > _MAX_OTHER_BODY:
            mistakes["body"] = [f"at most {_MAX_OTHER_BODY} characters beside {kind}"]
        if kind is not InteractiveKind.BUTTONS and isinstance(values["header"], MediaLink):
            mistakes["header"] = ["a file stands above buttons only; write a text"]
        if mistakes:
            raise ValidationError(mistakes)

    @validates_schema(skip_on_field_errors=True)
    def _check_choices(self, values: dict[str, Any], **kwargs: Any) -> None:
        buttons, sections = values["buttons"] or [], values["sections"] or []
        mistakes = {}
        if _repeat([button.title for button in buttons]) or _repeat([button.id for button in buttons]):
            mistakes["buttons"] = ["give each button an id and a title of its own"]
        rows = [row for section in sections for row in section.rows]
        if len(rows) > _MAX_ROWS:
            mistakes["sections"] = [f"at most {_MAX_ROWS} rows in all sections together"]
        elif _repeat([row.id for row in rows]):
            mistakes["sections"] = ["give each row an id of its own"]
        elif len(sections) > 1 and any(section.title is None for section in sections):
            mistakes["sections"] = ["give each section a title when there is more than one"]
        if mistakes:
            raise ValidationError(mistakes)

    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> Any:
        common = {name: values[name] for name in ("body", "header", "footer")}
        match values["kind"]:
            case InteractiveKind.BUTTONS:
                return Buttons(**common, buttons=tuple(values["buttons"]))
            case InteractiveKind.LIST:
                label = values["label"] or _LIST_LABEL
                return Choice(**common, label=label, sections=tuple(values["sections"]))
            case _:
                label = values["label"] or _host(values["url"])
                return LinkButton(**common, label=label, url=values["url"])


def _repeat(texts: Sequence[str]) -> bool:
    return len(set(texts)) < len(texts)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")[:MAX_LABEL]
