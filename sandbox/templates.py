"""Whether a request fits an approved template, and what the customer then reads.

Both providers send Meta's components, so both doors ask here; what fills a header and buttons is read in
components.py.
reference: Meta "Templates", "Template components" and "Error codes", read 2025-12 and 2026-09.
"""

import dataclasses
import re
from dataclasses import dataclass

from sandbox.components import CheckFile, Filled, read_filled
from sandbox.contents import ContentError
from sandbox.refusals import Refusal
from sandbox.shapes import ScriptError, is_text, script_texts

_VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
_FORBIDDEN_IN_VALUE = re.compile(r"[\n\r\t]| {5,}")
_COMPONENT_TYPES = {"header", "body", "button"}
_UNSENDABLE = {"PAUSED": 132015, "DISABLED": 132016}
_MAX_RENDERED = 1024
_HEADERS = ("text", "image", "video", "document")
_BUTTONS = ("url", "quick_reply", "copy_code", "")
_FILLED = {"header", "buttons"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template in one language."""

    #: The WhatsApp Business Account's id, or the template namespace at CM.com.
    account: str
    name: str
    language: str
    category: str
    #: With {{1}} or {{first_name}} where values go.
    body: str
    status: str
    #: What a request must put above: "text", "image", "video" or "document"; "" for nothing.
    header: str = ""
    #: What a request may fill, by index: "url", "quick_reply" or "copy_code"; "" for nothing.
    buttons: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """Each variable once, in order of appearance."""
        return tuple(dict.fromkeys(_VARIABLE.findall(self.body)))

    @property
    def is_named(self) -> bool:
        return any(not name.isdigit() for name in self.variables)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value for one variable; `name` only if the request gave one."""

    name: str | None
    value: str


def parse_template(raw: dict[str, object]) -> Template:
    """A template out of its JSON, in which header and buttons may be missing; raises `ScriptError`."""
    rest = {name: value for name, value in raw.items() if name not in _FILLED}
    names = {entry.name for entry in dataclasses.fields(Template)} - _FILLED
    header, buttons = raw.get("header", ""), raw.get("buttons", [])
    if header not in {"", *_HEADERS}:
        raise ScriptError(f"header must be one of {', '.join(_HEADERS)}")
    if not isinstance(buttons, list) or not all(button in _BUTTONS for button in buttons):
        raise ScriptError(f"buttons must be a list of {', '.join(_BUTTONS)}")
    return Template(**script_texts(rest, names), header=str(header), buttons=tuple(buttons))


def fill(template: Template | None, components: object, check_file: CheckFile) -> str | Refusal:
    """The body with its values, or why the provider refuses. `template`: None if it does not exist."""
    parameters = read_parameters(components)
    if isinstance(parameters, Refusal):
        return parameters
    try:
        filled = read_filled(components, check_file)
    except ContentError as error:
        return Refusal(code=100, details=f"template.components: {error}")
    if template is None or template.status != "APPROVED":
        return _unsendable(template)
    return _misfit(template, parameters) or _unfilled(template, filled) or _render(template, parameters)


def _unfilled(template: Template, filled: Filled) -> Refusal | None:
    """Quick replies need no payload: it is their label then. All else that has a variable needs its value."""
    given, wanted = int(filled.header is not None), int(template.header != "")
    if given != wanted:
        return _count_mismatch("header", given, wanted)
    if filled.header is not None and filled.header != template.header:
        return Refusal(code=132012, details=f"header: expected {template.header}, received {filled.header}")
    for index, kind in filled.buttons.items():
        if index >= len(template.buttons) or template.buttons[index] != kind:
            return _count_mismatch(f"button at index {index} of sub type {kind}", 1, 0)
    for index, kind in enumerate(template.buttons):
        if kind not in {"quick_reply", ""} and index not in filled.buttons:
            return _count_mismatch(f"button at index {index} of sub type {kind}", 0, 1)
    return None


def read_parameters(components: object) -> list[Parameter] | Refusal:
    """The parameters of the body, strictly. None for `components` means that there are none."""
    if not isinstance(components, list | None):
        return Refusal(code=100, details="template.components must be an array")
    parameters: list[Parameter] = []
    for component in components or []:
        raw = _body_parameters(component)
        if isinstance(raw, Refusal):
            return raw
        for one in raw:
            parameter = _read_parameter(one)
            if isinstance(parameter, Refusal):
                return parameter
            parameters.append(parameter)
    return parameters


def _body_parameters(component: object) -> list[object] | Refusal:
    if not isinstance(component, dict) or str(component.get("type")) not in _COMPONENT_TYPES:
        return Refusal(code=100, details="template.components: 'type' must be header, body or button")
    raw = component.get("parameters", [])
    if not isinstance(raw, list):
        return Refusal(code=100, details="template.components: 'parameters' must be an array")
    return raw if component["type"] == "body" else []


def _read_parameter(raw: object) -> Parameter | Refusal:
    if not isinstance(raw, dict):
        return Refusal(code=100, details="template.components: a parameter must be an object")
    value = _value_of(raw)
    if isinstance(value, Refusal):
        return value
    if not is_text(value):
        return Refusal(code=131008, details="Parameter of type text is missing text value")
    if _FORBIDDEN_IN_VALUE.search(value):
        # Reported with 100 as well as with 132018: UNCONFIRMED, the newer code is our choice.
        return Refusal(
            code=132018,
            details="Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        )
    name = raw.get("parameter_name")
    return Parameter(name=name if is_text(name) else None, value=value)


def _value_of(raw: dict[str, object]) -> object:
    match raw.get("type"):
        case "text":
            return raw.get("text")
        case "currency" | "date_time" as kind:
            inner = raw.get(kind)
            return inner.get("fallback_value") if isinstance(inner, dict) else None
        case _:
            return Refusal(code=100, details="template.components: unknown 'type' of a body parameter")


def _unsendable(template: Template | None) -> Refusal:
    if template is None:
        return Refusal(code=132001, details="template name does not exist in the translation")
    code = _UNSENDABLE.get(template.status, 132001)
    return Refusal(code=code, details=f"template {template.name} is {template.status} in {template.language}")


def _count_mismatch(component: str, given: int, expected: int) -> Refusal:
    details = (
        f"{component}: number of localizable_params ({given}) does not match the expected number of params"
    )
    return Refusal(code=132000, details=f"{details} ({expected})")


def _misfit(template: Template, parameters: list[Parameter]) -> Refusal | None:
    if len(parameters) != len(template.variables):
        return _count_mismatch("body", len(parameters), len(template.variables))
    names = {parameter.name for parameter in parameters}
    # The codes for names that are missing or wrong are UNCONFIRMED; 100 and 132012 are our choice.
    if template.is_named and None in names:
        return Refusal(code=100, details="Parameter name is missing or empty")
    if template.is_named and names != set(template.variables):
        return Refusal(code=132012, details="parameter_name does not match the variables of the template")
    if not template.is_named and names - {None}:
        return Refusal(code=132012, details="parameter_name given for a template with positional variables")
    return None


def _render(template: Template, parameters: list[Parameter]) -> str | Refusal:
    values = {
        parameter.name or str(position): parameter.value
        for position, parameter in enumerate(parameters, start=1)
    }
    text = _VARIABLE.sub(lambda variable: values[variable[1]], template.body)
    if len(text) > _MAX_RENDERED:
        return Refusal(code=132005, details=f"the translated text is {len(text)} characters long")
    return text
