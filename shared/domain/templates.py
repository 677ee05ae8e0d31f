"""Templates: identity, variables, the two approvals, and whether a request fits.

Knows what a template is and what makes one usable; not where it is stored nor how a provider spells it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from shared.domain.consent import Category
from shared.domain.session_content import Header

MAX_BODY_LENGTH = 1024
MAX_FOOTER_LENGTH = 60
_NAME = re.compile(r"[a-z0-9_]{1,512}", re.ASCII)
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}|\{\s*(\w+)\s*\}", re.ASCII)
_NAMED_VARIABLE = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


class TemplateStatus(StrEnum):
    """Where a template stands; every status of a provider maps onto one."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"
    ARCHIVED = "archived"


class Gate(StrEnum):
    """Who has to approve."""

    PROVIDER = "provider"
    WHATSAPP = "whatsapp"


class Approval(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TemplateId:
    """`account`: Meta's business account id, or CM.com's template namespace; shared by its senders."""

    account: str
    name: str
    language: str

    def __str__(self) -> str:
        return f"{self.account}:{self.name}:{self.language}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    id: TemplateId
    category: Category
    #: Variables in the provider's form, `{{1}}` or `{{name}}`.
    body: str
    footer: str | None = None
    samples: tuple[str, ...] = ()
    gates: Mapping[Gate, Approval]
    #: Reasons of rejections, by gate.
    reasons: Mapping[Gate, str]
    #: Set by the provider beside the gates: paused, disabled, archived.
    stopped: TemplateStatus | None = None
    #: The category at registration, when the provider has moved it since.
    original_category: Category | None = None
    #: As registered, for imports of older sets of categories; what counts is `category`.
    tag: str | None = None

    @property
    def status(self) -> TemplateStatus:
        decisions = {self.gates.get(gate, Approval.PENDING) for gate in Gate}
        if Approval.REJECTED in decisions:
            return TemplateStatus.REJECTED
        if self.stopped is not None:
            return self.stopped
        if decisions == {Approval.APPROVED}:
            return TemplateStatus.APPROVED
        return TemplateStatus.SUBMITTED

    @property
    def variables(self) -> tuple[str, ...]:
        return variables_of(self.body)

    @property
    def is_category_changed(self) -> bool:
        return self.original_category is not None and self.original_category is not self.category

    def as_session_text(self, call: "TemplateCall") -> str | None:
        """What the contact would read, as one text; None unless it is approved, utility and text only."""
        is_usable = self.status is TemplateStatus.APPROVED and self.category is Category.UTILITY
        if not is_usable or call.header is not None or call.buttons or not call.fits(self):
            return None
        text = render(self.body, call.values)
        return f"{text}\n\n{self.footer}" if self.footer else text


class ButtonFill(StrEnum):
    """What of a template's button a request fills."""

    #: The variable end of its address.
    URL_SUFFIX = "url_suffix"
    #: What comes back when it is pressed.
    PAYLOAD = "payload"
    #: What is copied when it is pressed.
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateButton:
    #: From 0, as the template shows them.
    index: int
    fill: ButtonFill
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCall:
    """What a request asks for: a template by name, with its variables filled."""

    name: str
    language: str
    #: Variable name, or its number as text, to value.
    values: Mapping[str, str]
    header: Header | None = None
    buttons: tuple[TemplateButton, ...] = ()

    def fits(self, template: Template) -> bool:
        return set(self.values) == set(template.variables)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule of the lint that a template breaks."""

    code: str
    field: str
    mend: str


@lru_cache(maxsize=1024)
def variables_of(body: str) -> tuple[str, ...]:
    """The variables of a body in order of first appearance, each once."""
    names = (double or single for double, single in _VARIABLE.findall(body))
    return tuple(dict.fromkeys(names))


def provider_form(body: str) -> str:
    """Write `{1}` and `{{ 1 }}` alike as the providers do, `{{1}}`."""
    return _VARIABLE.sub(lambda match: "{{" + (match[1] or match[2]) + "}}", body)


def clean_value(value: str) -> str:
    """Collapse line breaks, tabs and runs of spaces: WhatsApp refuses them in values (132018)."""
    return " ".join(value.split())


def render(body: str, values: Mapping[str, str]) -> str:
    """Fill a body. Every variable must be in `values`."""
    return _VARIABLE.sub(lambda match: values[match[1] or match[2]], body)


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
    rest = _VARIABLE.sub("", body)
    if "{" in rest or "}" in rest:
        return [Finding("variable_braces", "body", "write {1} or {name}, and no other braces")]
    return []


def _lint_places(body: str) -> list[Finding]:
    places = list(_VARIABLE.finditer(body))
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
