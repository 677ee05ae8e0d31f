"""Whether a request fits an approved template, and what the customer then reads.

Both providers send Meta's components, so both doors ask here. Only bodies have variables so far: a
parameter for a header or a button is one too many.
reference: Meta "Templates", "Template components" and "Error codes", read 2025-12 and 2026-09.
"""

import dataclasses
import re
from dataclasses import dataclass

from sandbox.refusals import Refusal
from sandbox.shapes import is_text, script_texts

_VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
_FORBIDDEN_IN_VALUE = re.compile(r"[\n\r\t]| {5,}")
_COMPONENT_TYPES = {"header", "body", "button"}
_UNSENDABLE = {"PAUSED": 132015, "DISABLED": 132016}
_MAX_RENDERED = 1024


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
    """A template out of its JSON; raises `ScriptError`."""
    return Template(**script_texts(raw, {entry.name for entry in dataclasses.fields(Template)}))


def fill(template: Template | None, components: object) -> str | Refusal:
    """The body with its values, or why the provider refuses. `template`: None if it does not exist."""
    parameters = read_parameters(components)
    if isinstance(parameters, Refusal):
        return parameters
    if template is None or template.status != "APPROVED":
        return _unsendable(template)
    return _misfit(template, parameters) or _render(template, parameters)


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
    if raw and component["type"] != "body":
        return _count_mismatch(str(component["type"]), len(raw), 0)
    return raw


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
