"""Buttons: how many of which kind, in which order, and what each may carry."""

from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from shared.domain.identifiers import InvalidIdentifierError, PhoneNumber
from shared.domain.lint.findings import Candidate, Finding, found
from shared.domain.template_parts import ButtonKind, ButtonPart
from shared.domain.template_text import VARIABLE, clean_value

#: All of these: Meta, "Template components", read 2025-12.
_MAX_BUTTONS = 10
_MAX_OF_KIND: Mapping[ButtonKind, int] = {
    ButtonKind.URL: 2,
    ButtonKind.PHONE: 1,
    ButtonKind.COPY_CODE: 1,
    ButtonKind.ONE_TIME_CODE: 1,
}
_MAX_LABEL = 25
_MAX_URL = 2000
_MAX_PHONE = 20
_MAX_CODE = 15
#: From so many on desktop clients show none.
_NOT_ON_DESKTOP = 4


def check_buttons(candidate: Candidate) -> Iterator[Finding]:
    buttons = candidate.content.buttons
    yield from _check_all(buttons)
    for index, button in enumerate(buttons):
        yield from _check_one(f"buttons.{index}", button)


def _check_all(buttons: tuple[ButtonPart, ...]) -> Iterator[Finding]:
    if len(buttons) > _MAX_BUTTONS:
        yield found("buttons_too_many", "buttons", f"at most {_MAX_BUTTONS}, of all kinds together")
    for kind, count in Counter(button.kind for button in buttons).items():
        most = _MAX_OF_KIND.get(kind, _MAX_BUTTONS)
        if count > most:
            yield found("buttons_too_many_of_kind", "buttons", f"at most {most} of kind {kind}")
    replies = [index for index, button in enumerate(buttons) if button.kind is ButtonKind.QUICK_REPLY]
    if replies and replies[-1] - replies[0] >= len(replies):
        yield found("buttons_mixed_order", "buttons", "put the quick replies together, first or last")
    if len(buttons) >= _NOT_ON_DESKTOP or 0 < len(replies) < len(buttons):
        mend = "with four buttons, or quick replies beside others, desktop clients show none"
        yield found("buttons_desktop", "buttons", mend)


def _check_one(field: str, button: ButtonPart) -> Iterator[Finding]:
    if not button.label.strip():
        yield found("button_label_empty", f"{field}.label", "say what pressing it does")
    if len(button.label) > _MAX_LABEL:
        yield found("button_label_too_long", f"{field}.label", f"at most {_MAX_LABEL} characters")
    if VARIABLE.search(button.label):
        yield found("variable_braces", f"{field}.label", "a label takes no variables")
    match button.kind:
        case ButtonKind.URL:
            yield from _check_url(field, button)
        case ButtonKind.PHONE:
            yield from _check_phone(field, button.phone or "")
        case ButtonKind.COPY_CODE:
            yield from _check_code(field, button)
        case _:
            pass


def _check_url(field: str, button: ButtonPart) -> Iterator[Finding]:
    url = button.url or ""
    if len(url) > _MAX_URL:
        yield found("button_url_too_long", f"{field}.url", f"at most {_MAX_URL} characters")
    if not _is_address(VARIABLE.sub("x", url)):
        yield found("button_url_form", f"{field}.url", "write an address that begins with https://")
    places = list(VARIABLE.finditer(url))
    if len(places) > 1 or (places and places[0].end() != len(url)):
        yield found("button_url_variable", f"{field}.url", "one variable at most, at the end of the address")
    if places and not clean_value(button.sample or ""):
        yield found("button_sample_missing", f"{field}.sample", "give a value for the variable")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = url.isprintable() and not any(letter in url for letter in ' {}"<>')
    return is_plain and parts.scheme in ("https", "http") and bool(parts.netloc)


def _check_phone(field: str, phone: str) -> Iterator[Finding]:
    if len(phone) > _MAX_PHONE:
        yield found("button_phone_too_long", f"{field}.phone", f"at most {_MAX_PHONE} characters")
    try:
        PhoneNumber.parse(phone)
    except InvalidIdentifierError:
        yield found("button_phone_form", f"{field}.phone", "write it as +390212345678")


def _check_code(field: str, button: ButtonPart) -> Iterator[Finding]:
    code = clean_value(button.sample or "")
    if not code:
        yield found("button_sample_missing", f"{field}.sample", "give an example of the code")
    if len(code) > _MAX_CODE:
        yield found("button_code_too_long", f"{field}.sample", f"at most {_MAX_CODE} characters")
