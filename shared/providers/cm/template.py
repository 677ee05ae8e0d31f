"""A template message as CM.com takes it: Meta's components, with CM.com's own form of media.

CM.com, "WhatsApp templates" and its SDKs, read 2026-11.
"""

from typing import Any

from shared.configuration import CmSender
from shared.domain.routes import TemplateRoute
from shared.domain.session_content import Header
from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill
from shared.domain.template_text import render
from shared.providers.cm.session import media_object
from shared.providers.parameters import filled_variables


def template_part(sender: CmSender, route: TemplateRoute) -> dict[str, Any] | None:
    """None for what it is not known to take. `body` must not be empty even beside a template: error 304."""
    components = _components(route)
    if components is None:
        return None
    template: dict[str, Any] = {
        "namespace": sender.template_namespace,
        "element_name": route.call.name,
        "language": {"policy": "deterministic", "code": route.call.language},
    }
    if components:
        template["components"] = components
    text = render(route.template.body, dict(filled_variables(route)))
    return {
        "body": {"type": "auto", "content": text.strip() or route.call.name},
        "richContent": {"conversation": [{"template": {"whatsapp": template}}]},
    }


def _components(route: TemplateRoute) -> list[dict[str, Any]] | None:
    components: list[dict[str, Any] | None] = []
    if route.call.header is not None:
        components.append(_header(route.call.header))
    parameters = [{"type": "text", "text": value} for _, value in filled_variables(route)]
    if parameters:
        components.append({"type": "body", "parameters": parameters})
    components += [_button(button) for button in route.call.buttons]
    known = [component for component in components if component is not None]
    return known if len(known) == len(components) else None


def _header(header: Header) -> dict[str, Any] | None:
    if isinstance(header, str):
        return {"type": "header", "parameters": [{"type": "text", "text": header}]}
    media = media_object(header)
    return media and {"type": "header", "parameters": [{"type": header.kind, "media": media}]}


def _button(button: TemplateButton) -> dict[str, Any] | None:
    """`index` is a number here. The form of one-time codes and coupons is UNCONFIRMED."""
    if button.fill is ButtonFill.CODE:
        return None
    if button.fill is ButtonFill.PAYLOAD:
        kind, parameter = "quick_reply", {"type": "payload", "payload": button.value}
    else:
        kind, parameter = "url", {"type": "text", "text": button.value}
    return {"type": "button", "sub_type": kind, "index": button.index, "parameters": [parameter]}
