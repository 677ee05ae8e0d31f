"""CM.com's written forms: numbers with `00`, and JSON keys in any case ("Bulk SMS", read 2026-11)."""

import re
from collections.abc import Mapping
from typing import Any

from shared.domain.identifiers import PhoneNumber

_NOT_DIGITS = re.compile(r"[^0-9]")


def number_form(number: PhoneNumber) -> str:
    """`0031600000001`: no `+`, no spaces ("Shared features", read 2026-11)."""
    return "00" + number.digits


def digits_of(number: object) -> str:
    """`+31…`, `0031…` and `31…` as the same digits; empty when it is none of them."""
    return _NOT_DIGITS.sub("", number).removeprefix("00") if isinstance(number, str) else ""


def member(parent: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - whatever CM.com sent
    """The value at `name` (lower case) in any case; None when there is none."""
    value = parent.get(name)
    if value is not None:
        return value
    return next((item for key, item in parent.items() if key.lower() == name), None)


def member_object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = member(parent, name)
    return value if isinstance(value, dict) else {}
