"""What WhatsApp or the provider would refuse in a new template, as far as it can be known before asking.

Pure: a template goes in, findings come out. `rules.py` lists every rule with its source; the other modules
look for them, one part of a template each.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from shared.domain.lint.authentication import check_authentication
from shared.domain.lint.buttons import check_buttons
from shared.domain.lint.findings import Candidate, Finding, LintPolicy, PromotionalContent
from shared.domain.lint.identity import check_identity
from shared.domain.lint.languages import check_languages
from shared.domain.lint.rules import Level
from shared.domain.lint.texts import check_texts
from shared.domain.lint.variables import check_variables
from shared.domain.lint.wording import check_wording
from shared.domain.template_parts import TemplateContent
from shared.domain.template_text import provider_form

__all__ = ["Finding", "Level", "LintPolicy", "PromotionalContent", "in_provider_form", "lint"]

_CHECKS: tuple[Callable[[Candidate], Iterator[Finding]], ...] = (
    check_identity,
    check_texts,
    check_variables,
    check_buttons,
    check_authentication,
    check_wording,
    check_languages,
)


def lint(
    name: str,
    language: str,
    tag: str,
    content: TemplateContent,
    policy: LintPolicy = LintPolicy(),  # noqa: B008 - frozen
    others: Mapping[str, TemplateContent] = MappingProxyType({}),
) -> list[Finding]:
    """All findings, errors and warnings, in the order of a template's parts. Never raises.

    `others`: what the account has besides, by name and language, for what may be there once only.
    """
    candidate = Candidate(
        name=name,
        language=language,
        tag=tag,
        content=in_provider_form(content),
        policy=policy,
        others=others,
    )
    return [finding for check in _CHECKS for finding in check(candidate)]


def in_provider_form(content: TemplateContent) -> TemplateContent:
    """The same with every variable written `{{1}}`: lengths count that."""
    header = content.header
    return replace(
        content,
        header=header and replace(header, text=header.text and provider_form(header.text)),
        body=provider_form(content.body),
        footer=content.footer and provider_form(content.footer),
        buttons=tuple(
            replace(button, url=button.url and provider_form(button.url)) for button in content.buttons
        ),
    )
