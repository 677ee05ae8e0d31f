"""What a request asks of a template: its name, the values that fill it, and where they do not fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.domain.session_content import Header, MediaLink
from shared.domain.template_parts import (
    ButtonFill,
    ButtonKind,
    ButtonPart,
    HeaderKind,
    HeaderPart,
    TemplateContent,
)
from shared.domain.template_text import clean_value, render, variables_of

#: Of what the contact reads; longer is refused with 132005. Meta, "Template components", read 2025-12.
MAX_BODY_LENGTH = 1024
MAX_HEADER_LENGTH = 60
MAX_URL_LENGTH = 2000
#: Of what a button copies. Meta, "Authentication templates" and "Template components", read 2025-12.
MAX_CODE_LENGTH = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateButton:
    #: From 0, as the template shows them.
    index: int
    fill: ButtonFill
    value: str


@dataclass(frozen=True, slots=True)
class Misfit:
    """One place where a request does not fit the template that it names."""

    #: As the request names it below the template: `variables.2`, `header`, `buttons.0`.
    field: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCall:
    """What a request asks for: a template by name, with its variables filled."""

    name: str
    language: str
    #: Variable name, or its number as text, to value.
    values: Mapping[str, str]
    header: Header | None = None
    buttons: tuple[TemplateButton, ...] = ()

    def fits(self, content: TemplateContent) -> bool:
        return not any(misfits(self, content))


def misfits(call: TemplateCall, content: TemplateContent) -> Iterator[Misfit]:
    """Every place where the values do not fill the template as it stands."""
    yield from _of_variables(call, content)
    yield from _of_code(call, content)
    yield from _of_header(call.header, content.header)
    yield from _of_buttons(call, content)


def _of_variables(call: TemplateCall, content: TemplateContent) -> Iterator[Misfit]:
    expected = ", ".join(content.variables) or "none"
    missing = [name for name in content.variables if name not in call.values]
    extra = [name for name in call.values if name not in content.variables]
    for name in missing:
        yield Misfit(f"variables.{name}", f"needs a value; the template's variables: {expected}")
    for name in extra:
        yield Misfit(f"variables.{name}", f"leave it out; the template's variables: {expected}")
    if missing or extra:
        return
    length = len(render(content.body, {name: clean_value(value) for name, value in call.values.items()}))
    if length > MAX_BODY_LENGTH:
        longest = max(content.variables, key=lambda name: len(call.values[name]), default="")
        mend = f"shorten it: the text would have {length} characters of {MAX_BODY_LENGTH}"
        yield Misfit(f"variables.{longest}", mend)


def _of_code(call: TemplateCall, content: TemplateContent) -> Iterator[Misfit]:
    """Of a one-time code, which the button copies out of the text."""
    if not any(part.kind is ButtonKind.ONE_TIME_CODE for part in content.buttons):
        return
    for name in content.variables:
        if len(clean_value(call.values.get(name, ""))) > MAX_CODE_LENGTH:
            yield Misfit(f"variables.{name}", f"a code has at most {MAX_CODE_LENGTH} characters")


def _of_header(given: Header | None, part: HeaderPart | None) -> Iterator[Misfit]:
    if part is None or not part.is_filled:
        if given is not None:
            yield Misfit("header", "leave it out: the template's header takes nothing")
    elif given is None:
        yield Misfit("header", f"needs {_wanted(part)}")
    elif part.kind is HeaderKind.TEXT and isinstance(given, str):
        length = len(render(part.text or "", dict.fromkeys(part.variables, clean_value(given))))
        if length > MAX_HEADER_LENGTH:
            yield Misfit("header", f"shorten it: the header would have {length} characters of 60")
    elif not isinstance(given, MediaLink) or given.kind.value != part.kind.value:
        yield Misfit("header", f"needs {_wanted(part)}")


def _wanted(part: HeaderPart) -> str:
    return "a text" if part.kind is HeaderKind.TEXT else f"a file of kind {part.kind}"


def _of_buttons(call: TemplateCall, content: TemplateContent) -> Iterator[Misfit]:
    given = {button.index: button for button in call.buttons}
    for index, part in enumerate(content.buttons):
        button = given.pop(index, None)
        if button is None:
            if part.needs is not None:
                yield Misfit(f"buttons.{index}", f"needs {part.needs} for the button {part.label!r}")
        elif button.fill is not part.may_take:
            takes = part.may_take or "nothing"
            yield Misfit(f"buttons.{index}", f"the button {part.label!r} takes {takes}")
        elif (length := _url_length(part, button.value)) > MAX_URL_LENGTH:
            mend = f"shorten it: the address would have {length} characters of {MAX_URL_LENGTH}"
            yield Misfit(f"buttons.{index}", mend)
    for index in given:
        yield Misfit(f"buttons.{index}", f"leave it out: the template has {len(content.buttons)} buttons")


def _url_length(part: ButtonPart, suffix: str) -> int:
    url = part.url or ""
    return len(render(url, dict.fromkeys(variables_of(url), suffix)))
