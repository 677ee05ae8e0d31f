"""What the lint looks at and what it answers: a candidate goes in, findings come out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.consent import Category
from shared.domain.lint.rules import RULES, Level
from shared.domain.template_parts import TemplateContent
from shared.domain.template_tags import TAGS


class PromotionalContent(StrEnum):
    """What the setting says of it: `policy.promotional_content`."""

    REFUSE = "refuse"
    WARN = "warn"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class LintPolicy:
    promotional: PromotionalContent = PromotionalContent.REFUSE
    #: `meta` or `cm`.
    provider: str = "meta"
    #: In which an opt-out by keyword is understood; empty: not known here.
    keyword_languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A template that somebody means to register, its variables in the provider's form."""

    name: str
    language: str
    tag: str
    content: TemplateContent
    policy: LintPolicy
    #: What the account has besides, by name and language.
    others: Mapping[str, TemplateContent]

    @property
    def category(self) -> Category:
        """What its tag proposes; an unknown tag is a finding of its own."""
        return TAGS.get(self.tag, Category.UTILITY)

    @property
    def base(self) -> str:
        """Its language without the country."""
        return self.language.partition("_")[0]

    @property
    def is_authentication(self) -> bool:
        return self.category is Category.AUTHENTICATION


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a template breaks, or may break."""

    code: str
    level: Level
    #: As the body of a registration names it: `header.text`, `buttons.2.url`.
    field: str
    mend: str

    @property
    def is_error(self) -> bool:
        return self.level is Level.ERROR

    @property
    def source(self) -> str:
        """Who says so."""
        return RULES[self.code].source


def found(code: str, at: str, mend: str, level: Level | None = None) -> Finding:
    """A finding of a rule in the table, at the rule's own level unless another is given."""
    return Finding(code, level or RULES[code].level, at, mend)
