"""A template message as the Cloud API takes it: only the components that have something to fill.

Meta, "Templates", "Template components" and "Authentication templates", read 2025-10 to 2025-12.
"""

from typing import Any

from shared.domain.consent import Category
from shared.domain.routes import TemplateRoute
from shared.domain.session_content import Header
from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill
from shared.providers.meta.session import media_object
from shared.providers.parameters import filled_variables, is_number


def template_object(route: TemplateRoute) -> dict[str, Any]:
    template: dict[str, Any] = {"name": route.call.name, "language": {"code": route.call.language}}
    components = _components(route)
    return {**template, "components": components} if components else template


def _components(route: TemplateRoute) -> list[dict[str, Any]]:
    components: list[dict[str, Any]] = []
    if route.call.header is not None:
        components.append({"type": "header", "parameters": [_header(route.call.header)]})
    parameters = [_parameter(name, value) for name, value in filled_variables(route)]
    if parameters:
        components.append({"type": "body", "parameters": parameters})
    is_one_time = route.template.category is Category.AUTHENTICATION
    return components + [_button(button, is_one_time=is_one_time) for button in _buttons(route)]


def _parameter(name: str, value: str) -> dict[str, str]:
    parameter = {"type": "text", "text": value}
    return parameter if is_number(name) else {**parameter, "parameter_name": name}


def _header(header: Header) -> dict[str, Any]:
    if isinstance(header, str):
        return {"type": "text", "text": header}
    return {"type": header.kind, header.kind: media_object(header)}


def _buttons(route: TemplateRoute) -> tuple[TemplateButton, ...]:
    """A one-time code stands in the body and once more in the button, whether the request says so or not."""
    buttons, variables = route.call.buttons, filled_variables(route)
    if buttons or route.template.category is not Category.AUTHENTICATION or len(variables) != 1:
        return buttons
    return (TemplateButton(index=0, fill=ButtonFill.CODE, value=variables[0][1]),)


def _button(button: TemplateButton, *, is_one_time: bool) -> dict[str, Any]:
    """`index` is a text here. A one-time code fills its button as the end of an address."""
    match button.fill:
        case ButtonFill.PAYLOAD:
            kind, parameter = "quick_reply", {"type": "payload", "payload": button.value}
        case ButtonFill.CODE if not is_one_time:
            kind, parameter = "copy_code", {"type": "coupon_code", "coupon_code": button.value}
        case _:
            kind, parameter = "url", {"type": "text", "text": button.value}
    return {"type": "button", "sub_type": kind, "index": str(button.index), "parameters": [parameter]}
