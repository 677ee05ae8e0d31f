"""Variables: how they are named, where they stand, and the sample of each."""

import re
from collections.abc import Iterator
from itertools import pairwise

from shared.domain.lint.findings import Candidate, Finding, found
from shared.domain.template_parts import TemplateContent
from shared.domain.template_text import VARIABLE, clean_value, variables_of

_NAMED = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
#: A brace, one of the three signs, the closing brace. Meta, "Template review", read 2025-12.
_SIGN = re.compile(r"\{\{?[^{}#$%]*[#$%][^{}]*\}\}?")
#: Meta's message for a run of spaces in a value: netflie/whatsapp-cloud-api issue 201.
_UNCLEAN = re.compile(r"[\n\r\t]| {5}")


def check_variables(candidate: Candidate) -> Iterator[Finding]:
    content = candidate.content
    header = (content.header and content.header.text) or ""
    yield from _check_names("body", content.variables)
    yield from _check_names("header.text", variables_of(header))
    yield from _check_formats(content.variables, variables_of(header))
    for field, text in (("body", content.body), ("header.text", header), ("footer", content.footer or "")):
        yield from _check_braces(field, text)
    # WhatsApp's own text of a one-time code may begin with it.
    if not candidate.is_authentication:
        yield from _check_places(content.body)
    yield from _check_samples(content)


def _check_names(field: str, names: tuple[str, ...]) -> Iterator[Finding]:
    numbered = [name for name in names if name.isdigit()]
    if numbered and len(numbered) != len(names):
        yield found("variables_mixed", field, "number all variables or name them all")
    elif numbered and set(numbered) != {str(number) for number in range(1, len(names) + 1)}:
        yield found("variables_not_sequential", field, "number variables from 1 without gaps")
    elif not numbered and any(not _NAMED.fullmatch(name) for name in names):
        yield found("variable_name", field, "name variables in lower case with underscores")
    elif not numbered and any(re.search(r"\d", name) for name in names):
        yield found("variable_name_digits", field, "a digit in a variable's name may be refused")


def _check_formats(body: tuple[str, ...], header: tuple[str, ...]) -> Iterator[Finding]:
    """A template has one format, Meta's `parameter_format`."""
    if body and header and body[0].isdigit() is not header[0].isdigit():
        yield found("variables_mixed", "header.text", "number all variables or name them all, as in the body")


def _check_braces(field: str, text: str) -> Iterator[Finding]:
    """What is none of our variables would be none of Meta's either."""
    rest = VARIABLE.sub("", text)
    if _SIGN.search(rest):
        yield found("variable_sign", field, "leave out #, $ and % inside the braces")
        rest = _SIGN.sub("", rest)
    if "{" in rest or "}" in rest:
        yield found("variable_braces", field, "write {1} or {name}, and no other braces")


def _check_places(body: str) -> Iterator[Finding]:
    places = list(VARIABLE.finditer(body))
    if not places:
        return
    if not body[: places[0].start()].strip() or not body[places[-1].end() :].strip():
        yield found("variable_at_edge", "body", "put words before the first variable and after the last")
    if any(not body[left.end() : right.start()].strip() for left, right in pairwise(places)):
        yield found("variables_touch", "body", "put words between two variables")
    words, needed = len(re.findall(r"\w+", VARIABLE.sub(" ", body))), 2 * len(places) + 1
    if words < needed:
        mend = f"{len(places)} variables in {words} words may be too many: use {needed} words or more"
        yield found("variables_many", "body", mend)


def _check_samples(content: TemplateContent) -> Iterator[Finding]:
    samples, names = content.samples, content.variables
    if len(samples) != len(names):
        yield found("samples_missing", "samples", f"give {len(names)}, one for each variable")
    if any(not clean_value(sample) for sample in samples):
        yield found("sample_empty", "samples", "a sample must not be empty")
    if any(_UNCLEAN.search(sample) for sample in samples):
        yield found("sample_spaces", "samples", "write it on one line, without tabs and runs of spaces")
