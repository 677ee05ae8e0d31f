"""Reads a template that somebody creates or edits at Meta, and shows one as Meta's list does. Pure.

reference: Meta "Template components", "Template management", "Error codes", read 2025-12 and 2026-09.
"""

import re
from dataclasses import replace

from sandbox.registry import Entry
from sandbox.templates import Template

_NAME = re.compile(r"[a-z0-9_]{1,512}")
_VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
_CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
_FILES = ("IMAGE", "VIDEO", "DOCUMENT")
_FILLED = {"QUICK_REPLY": "quick_reply", "COPY_CODE": "copy_code", "OTP": "url"}
_PRESET = "*{{1}}* is your verification code."

Component = dict[str, object]


class TemplateError(Exception):
    """Why Meta does not take it, with the subcode of its table."""

    def __init__(self, subcode: int, message: str) -> None:
        self.subcode = subcode
        self.message = message
        super().__init__(message)


def read_new(account: str, body: dict[str, object]) -> Template:
    """A template as a creation describes it, in review. Raises TemplateError."""
    name, language = body.get("name"), body.get("language")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise TemplateError(2388040, "name: use lower-case letters, digits and underscores")
    if not isinstance(language, str) or not language:
        raise TemplateError(2388040, "language is missing")
    blank = Template(account=account, name=name, language=language, category="", body="-", status="PENDING")
    return read_content(blank, body)


def read_content(template: Template, body: dict[str, object]) -> Template:
    """The same with other content; what a call leaves out of `components` is gone. Raises TemplateError."""
    category = str(body.get("category", template.category)).upper()
    if category not in _CATEGORIES:
        raise TemplateError(2388040, "category is none of Meta's three")
    parts = components_of(body)
    text = _PRESET if category == "AUTHENTICATION" else _body_text(parts.get("BODY"))
    return replace(
        template,
        category=category,
        body=text,
        status="PENDING",
        header=_header(parts.get("HEADER")),
        buttons=tuple(_filled(button) for button in _buttons(parts.get("BUTTONS"))),
    )


def components_of(body: dict[str, object]) -> dict[str, Component]:
    listed = body.get("components")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise TemplateError(2388072, "components must be a list of objects")
    return {str(one.get("type")).upper(): one for one in listed}


def _body_text(component: Component | None) -> str:
    text = (component or {}).get("text")
    if component is None or not isinstance(text, str) or not text.strip():
        raise TemplateError(2388072, "the body has no text")
    variables = _VARIABLE.findall(text)
    if variables and (_VARIABLE.match(text.strip()) or text.strip().endswith("}}")):
        raise TemplateError(2388299, "a variable stands at the start or the end of the body")
    if variables and not _examples(component, "body_text", len(set(variables))):
        raise TemplateError(2388072, "an example is missing for a variable of the body")
    return text


def _examples(component: Component, field: str, wanted: int) -> bool:
    example = component.get("example")
    if not isinstance(example, dict):
        return False
    named = example.get(f"{field}_named_params")
    if isinstance(named, list):
        return len(named) == wanted
    numbered = example.get(field)
    inner = numbered[0] if isinstance(numbered, list) and numbered else None
    return isinstance(inner, list) and len(inner) == wanted


def _header(component: Component | None) -> str:
    if component is None:
        return ""
    kind = str(component.get("format", "")).upper()
    if kind in _FILES:
        example = component.get("example")
        handles = example.get("header_handle") if isinstance(example, dict) else None
        if not isinstance(handles, list) or not str(handles[0]).startswith("4:"):
            raise TemplateError(2388047, "the header needs a handle of an uploaded example")
        return kind.lower()
    text = component.get("text")
    if kind != "TEXT" or not isinstance(text, str):
        raise TemplateError(2388047, "the header's format is not known")
    return "text" if _VARIABLE.search(text) else ""


def _buttons(component: Component | None) -> list[Component]:
    listed = (component or {}).get("buttons", [])
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _filled(button: Component) -> str:
    kind = str(button.get("type")).upper()
    if kind == "URL":
        return "url" if _VARIABLE.search(str(button.get("url"))) else ""
    return _FILLED.get(kind, "")


def shown(template: Template, entry: Entry) -> dict[str, object]:
    """One row of the list."""
    components = entry.components
    if components is None:
        components = [{"type": "BODY", "text": template.body}]
    if template.category == "AUTHENTICATION":
        components = [_as_listed(one) for one in components]
    return {
        "id": str(entry.id),
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "components": components,
        "parameter_format": entry.parameter_format,
        "quality_score": {"score": entry.quality, "date": int(entry.changed_at)},
        "rejected_reason": entry.reason,
    }


def _as_listed(component: Component) -> Component:
    """A one-time code's text is WhatsApp's, and its button is listed as a URL."""
    kind = str(component.get("type")).upper()
    if kind == "BODY":
        return {**component, "text": _PRESET}
    if kind != "BUTTONS":
        return component
    return {
        **component,
        "buttons": [{**one, "type": "URL", "text": one.get("text", "Copy")} for one in _buttons(component)],
    }
