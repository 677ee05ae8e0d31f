"""What WhatsApp would refuse in a new template, as far as it can be known before asking."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.domain.template_call import MAX_BODY_LENGTH
from shared.domain.template_text import VARIABLE, clean_value, variables_of

MAX_FOOTER_LENGTH = 60
_NAME = re.compile(r"[a-z0-9_]{1,512}", re.ASCII)
_NAMED_VARIABLE = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule of the lint that a template breaks."""

    code: str
    field: str
    mend: str


def lint(name: str, body: str, footer: str | None, samples: Sequence[str]) -> list[Finding]:
    """What WhatsApp would refuse in a new template, as far as it can be known before asking.

    Meta, "Template components", "Template review" (read 2025-12); CM.com, "WhatsApp templates".
    """
    return [*_lint_name(name), *_lint_text(body, footer), *_lint_variables(body, samples)]


def _lint_name(name: str) -> list[Finding]:
    if _NAME.fullmatch(name):
        return []
    mend = "use 1 to 512 lower-case letters, digits and underscores"
    return [Finding("name_format", "name", mend)]


def _lint_text(body: str, footer: str | None) -> list[Finding]:
    found = []
    if not body.strip():
        found.append(Finding("body_empty", "body", "write a text"))
    if len(body) > MAX_BODY_LENGTH:
        found.append(Finding("body_too_long", "body", f"shorten {len(body)} characters to {MAX_BODY_LENGTH}"))
    if footer is not None and len(footer) > MAX_FOOTER_LENGTH:
        found.append(Finding("footer_too_long", "footer", f"at most {MAX_FOOTER_LENGTH} characters"))
    if footer is not None and variables_of(footer):
        found.append(Finding("footer_variable", "footer", "a footer takes no variables"))
    return found


def _lint_variables(body: str, samples: Sequence[str]) -> list[Finding]:
    names = variables_of(body)
    found = [*_lint_names(names), *_lint_braces(body), *_lint_places(body)]
    if len(samples) != len(names):
        found.append(Finding("samples_missing", "samples", f"give {len(names)}, one for each variable"))
    if any(not clean_value(sample) for sample in samples):
        found.append(Finding("sample_empty", "samples", "a sample must not be empty"))
    return found


def _lint_names(names: tuple[str, ...]) -> list[Finding]:
    numbered = [name for name in names if name.isdigit()]
    if numbered and len(numbered) != len(names):
        return [Finding("variables_mixed", "body", "number all variables or name them all")]
    if numbered and set(numbered) != {str(number) for number in range(1, len(names) + 1)}:
        return [Finding("variables_not_sequential", "body", "number variables from 1 without gaps")]
    if not numbered and any(not _NAMED_VARIABLE.fullmatch(name) for name in names):
        return [Finding("variable_name", "body", "name variables in lower case with underscores")]
    return []


def _lint_braces(body: str) -> list[Finding]:
    """Braces must match and hold one name: what is none of our variables would be none of Meta's either."""
    rest = VARIABLE.sub("", body)
    if "{" in rest or "}" in rest:
        return [Finding("variable_braces", "body", "write {1} or {name}, and no other braces")]
    return []


def _lint_places(body: str) -> list[Finding]:
    places = list(VARIABLE.finditer(body))
    if not places:
        return []
    found = []
    if not body[: places[0].start()].strip() or not body[places[-1].end() :].strip():
        found.append(
            Finding("variable_at_edge", "body", "put words before the first variable and after the last")
        )
    gaps = pairwise(places)
    if any(not body[left.end() : right.start()].strip() for left, right in gaps):
        found.append(Finding("variables_touch", "body", "put words between two variables"))
    return found
