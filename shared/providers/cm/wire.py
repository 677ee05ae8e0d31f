"""CM.com's written forms: numbers with `00`, and JSON keys in any case ("Bulk SMS", read 2026-11)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.domain.identifiers import ContactId, InvalidIdentifierError, PhoneNumber
from shared.providers.reading import UnreadableError, storable

_PUNCTUATION = re.compile(r"[\s\-().]")
#: Far deeper than anything documented, and far from what Python refuses to read.
_DEEPEST = 64


def number_form(number: PhoneNumber) -> str:
    """`0031600000001`: no `+`, no spaces ("Shared features", read 2026-11)."""
    return "00" + number.digits


def zoned_time(moment: datetime) -> str:
    """`2026-01-31 10:50:05+00:00`: without a zone it would be Dutch local time (CM.com's SDK, read 2026-11).

    Not the relative form: that knows whole minutes or hours only, and counts from whenever CM.com looks.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00:00")


def digits_of(number: object) -> str:
    """`+31…`, `0031…` and `31…` as the same digits; empty when it is none of them."""
    if not isinstance(number, str):
        return ""
    digits = _PUNCTUATION.sub("", number).removeprefix("+").removeprefix("00")
    return digits if digits.isascii() and digits.isdigit() else ""


def contact_of(number: object) -> ContactId | None:
    """Who stands behind a number in any of its forms; None when it is none."""
    try:
        return ContactId(PhoneNumber.from_digits(digits_of(number)).value)
    except InvalidIdentifierError:
        return None


def member(parent: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - whatever CM.com sent
    """The value at `name` as CM.com documents it, else in any case; None when there is none."""
    value = parent.get(name)
    if value is not None:
        return value
    wanted = name.lower()
    for key, item in parent.items():
        if item is not None and key.lower() == wanted:
            return item
    return None


def member_object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = member(parent, name)
    return value if isinstance(value, dict) else {}


def member_text(parent: Mapping[str, Any], name: str) -> str | None:
    """The string at `name`; None when there is none, or an empty one."""
    value = member(parent, name)
    return storable(value) if value and isinstance(value, str) else None


def in_lower_case(value: Any, levels: int = _DEEPEST) -> Any:  # noqa: ANN401 - as `member`
    """The value, each key of each object in it in lower case. Raise UnreadableError when it is too deep."""
    if not isinstance(value, dict | list):
        return value
    if levels == 0:
        raise UnreadableError("nested_too_deeply")
    if isinstance(value, list):
        return [in_lower_case(item, levels - 1) for item in value]
    return {key.lower(): in_lower_case(item, levels - 1) for key, item in value.items()}
