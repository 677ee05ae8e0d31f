"""The texts of a template: where its variables are, how they are written, and how they are filled."""

import re
from collections.abc import Mapping
from functools import lru_cache

#: `{{1}}`, `{{ name }}` or with single braces, as CM.com's pages write them.
VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}|\{\s*(\w+)\s*\}", re.ASCII)


@lru_cache(maxsize=1024)
def variables_of(text: str) -> tuple[str, ...]:
    """The variables of a text in order of first appearance, each once."""
    names = (double or single for double, single in VARIABLE.findall(text))
    return tuple(dict.fromkeys(names))


def provider_form(text: str) -> str:
    """Write `{1}` and `{{ 1 }}` alike as the providers do, `{{1}}`."""
    return VARIABLE.sub(lambda match: "{{" + (match[1] or match[2]) + "}}", text)


def clean_value(value: str) -> str:
    """Collapse line breaks, tabs and runs of spaces: WhatsApp refuses them in values (132018)."""
    return " ".join(value.split())


def is_visible(value: str) -> bool:
    """Whether anything of it can be seen: blanks and joiners of no width alone are an empty value."""
    return any(one.isprintable() and not one.isspace() for one in value)


def render(text: str, values: Mapping[str, str]) -> str:
    """Fill a text. Every variable must be in `values`."""
    return VARIABLE.sub(lambda match: values[match[1] or match[2]], text)
