"""A template's content as the components of Meta's template API, and back: pure, nothing is asked here.

Meta, "Template components" and "Message templates" (reference meta 6.1, 6.7), read 2025-10 to 2025-12;
"Copy code authentication templates", read 2026-11: of a one-time code only the wishes are sent, the text is
WhatsApp's preset, and its button is listed as a URL.
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.domain.consent import Category
from shared.domain.template_parts import ButtonKind, ButtonPart, HeaderKind, HeaderPart, TemplateContent
from shared.domain.template_text import provider_form, variables_of
from shared.providers.parameters import is_number
from shared.providers.reading import UnreadableError, objects_at, text_at

_BUTTON_KINDS: Mapping[str, ButtonKind] = {
    "QUICK_REPLY": ButtonKind.QUICK_REPLY,
    "URL": ButtonKind.URL,
    "PHONE_NUMBER": ButtonKind.PHONE,
    "COPY_CODE": ButtonKind.COPY_CODE,
    "OTP": ButtonKind.ONE_TIME_CODE,
}
_BUTTON_TYPES = {kind: word for word, kind in _BUTTON_KINDS.items()}
#: Meta writes the label of this one itself.
_COPY_LABEL = "Copy code"
_SENTENCE_END = re.compile(r"[.!?]\s+\S")
_MINUTES = re.compile(r"\d+")


def parameter_format(content: TemplateContent) -> str:
    header = content.header.variables if content.header else ()
    return "NAMED" if any(not is_number(name) for name in (*content.variables, *header)) else "POSITIONAL"


def components_of(content: TemplateContent, category: Category) -> list[dict[str, Any]]:
    """What `components` of a creation or an edit holds; a file in the header needs its handle."""
    if category is Category.AUTHENTICATION:
        return _preset(content)
    components = [_header(content.header)] if content.header else []
    components.append(_body(content))
    if content.footer:
        components.append({"type": "FOOTER", "text": content.footer})
    if content.buttons:
        buttons = [_button(button) for button in content.buttons]
        components.append({"type": "BUTTONS", "buttons": buttons})
    return components


def _preset(content: TemplateContent) -> list[dict[str, Any]]:
    """A second sentence stands for the advice not to share the code, minutes in the footer for its life."""
    is_advised = _SENTENCE_END.search(content.body) is not None
    components: list[dict[str, Any]] = [{"type": "BODY", "add_security_recommendation": is_advised}]
    minutes = _MINUTES.search(content.footer or "")
    if minutes:
        components.append({"type": "FOOTER", "code_expiration_minutes": int(minutes[0])})
    labels = [button.label for button in content.buttons if button.kind is ButtonKind.ONE_TIME_CODE]
    button = {"type": "OTP", "otp_type": "COPY_CODE", **({"text": labels[0]} if labels else {})}
    return [*components, {"type": "BUTTONS", "buttons": [button]}]


def _header(header: HeaderPart) -> dict[str, Any]:
    component: dict[str, Any] = {"type": "HEADER", "format": header.kind.upper()}
    if header.kind is not HeaderKind.TEXT:
        return {**component, "example": {"header_handle": [header.sample or ""]}}
    component["text"] = header.text
    if not header.variables:
        return component
    sample, name = header.sample or "", header.variables[0]
    if is_number(name):
        return {**component, "example": {"header_text": [sample]}}
    named = [{"param_name": name, "example": sample}]
    return {**component, "example": {"header_text_named_params": named}}


def _body(content: TemplateContent) -> dict[str, Any]:
    component: dict[str, Any] = {"type": "BODY", "text": content.body}
    if not content.variables:
        return component
    pairs = list(zip(content.variables, content.samples, strict=False))
    if all(is_number(name) for name in content.variables):
        numbered = sorted(pairs, key=lambda pair: int(pair[0]))
        return {**component, "example": {"body_text": [[sample for _, sample in numbered]]}}
    named = [{"param_name": name, "example": sample} for name, sample in pairs]
    return {**component, "example": {"body_text_named_params": named}}


def _button(button: ButtonPart) -> dict[str, Any]:
    made: dict[str, Any] = {"type": _BUTTON_TYPES[button.kind]}
    if button.kind is ButtonKind.COPY_CODE:
        return {**made, "example": button.sample or ""}
    made["text"] = button.label
    if button.url:
        made["url"] = button.url
    if button.phone:
        made["phone_number"] = button.phone
    return {**made, "example": [button.sample or ""]} if variables_of(button.url or "") else made


def content_of(listed: Mapping[str, Any], category: Category) -> TemplateContent:
    """The content of a template as the list shows it. Raise UnreadableError for what we cannot send."""
    header, body, footer = None, None, None
    buttons: tuple[ButtonPart, ...] = ()
    for component in objects_at(listed, "components"):
        match (text_at(component, "type") or "").upper():
            case "HEADER":
                header = _read_header(component)
            case "BODY":
                body = component
            case "FOOTER":
                footer = text_at(component, "text")
            case "BUTTONS":
                found = objects_at(component, "buttons")
                buttons = tuple(_read_button(button, category) for button in found)
            case other:
                raise UnreadableError(f"unsupported_component: {other.lower()[:40]}")
    text = text_at(body or {}, "text")
    if body is None or text is None:
        raise UnreadableError("no_body")
    return TemplateContent(
        header=header,
        body=provider_form(text),
        footer=footer,
        buttons=buttons,
        samples=_samples(body, provider_form(text)),
    )


def _read_header(component: Mapping[str, Any]) -> HeaderPart:
    word = (text_at(component, "format") or "TEXT").lower()
    if word not in {kind.value for kind in HeaderKind}:
        raise UnreadableError(f"unsupported_header: {word[:40]}")
    kind, text = HeaderKind(word), text_at(component, "text")
    if kind is not HeaderKind.TEXT:
        return HeaderPart(kind=kind)
    if text is None:
        raise UnreadableError("header_without_text")
    samples = _examples(component, "header_text")
    return HeaderPart(kind=kind, text=provider_form(text), sample=next(iter(samples.values()), None))


def _read_button(button: Mapping[str, Any], category: Category) -> ButtonPart:
    word = (text_at(button, "type") or "").upper()
    kind = _BUTTON_KINDS.get(word)
    if kind is None:
        raise UnreadableError(f"unsupported_button: {word.lower()[:40]}")
    if category is Category.AUTHENTICATION and kind in {ButtonKind.URL, ButtonKind.COPY_CODE}:
        return ButtonPart(kind=ButtonKind.ONE_TIME_CODE, label=text_at(button, "text") or _COPY_LABEL)
    url = text_at(button, "url")
    return ButtonPart(
        kind=kind,
        label=text_at(button, "text") or _COPY_LABEL,
        url=provider_form(url) if url and kind is ButtonKind.URL else None,
        phone=text_at(button, "phone_number") if kind is ButtonKind.PHONE else None,
    )


def _samples(body: Mapping[str, Any], text: str) -> tuple[str, ...]:
    """One a variable, or none at all: half of them would belong to the wrong ones."""
    names, given = variables_of(text), _examples(body, "body_text")
    samples = [given.get(name) for name in names]
    return tuple(sample for sample in samples if sample) if all(samples) else ()


def _examples(component: Mapping[str, Any], field: str) -> dict[str, str]:
    """By variable; numbered ones stand in order, `body_text` in a list within the list."""
    example = component.get("example")
    if not isinstance(example, dict):
        return {}
    named = objects_at(example, f"{field}_named_params")
    if named:
        return {text_at(one, "param_name") or "": text_at(one, "example") or "" for one in named}
    items = example.get(field)
    items = items[0] if isinstance(items, list) and items and isinstance(items[0], list) else items
    found = items if isinstance(items, list) else []
    return {str(n): value for n, value in enumerate(found, start=1) if isinstance(value, str)}
