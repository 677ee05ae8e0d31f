"""One page of Meta's list of templates: each by itself, so that one that cannot be read costs only itself.

Meta, "Template management" (reference meta 6.7), read 2025-12.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.consent import Category
from shared.domain.template_parts import TemplateContent
from shared.domain.templates import Approval, TemplateStatus
from shared.providers.meta.template_components import content_of
from shared.providers.meta.template_words import DELETED, QUALITIES, STATUSES, category_of
from shared.providers.reading import UnreadableError, number_text, object_at, objects_at, text_at

FIELDS = (
    "id,name,language,status,category,components,parameter_format,quality_score,rejected_reason,"
    "correct_category,previous_category"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTemplate:
    """A template as the provider has it."""

    name: str
    language: str
    provider_id: str | None
    #: At WhatsApp's gate; None: its status says nothing of it.
    approval: Approval | None
    #: paused, disabled, archived.
    stopped: TemplateStatus | None
    rejected_reason: str | None
    category: Category
    #: What it will be, if that was announced.
    correct_category: Category | None
    quality: str | None
    content: TemplateContent
    #: Deleted, and listed for a while yet.
    is_gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableTemplate:
    """One that we cannot take, and why; what we hold of it stays as it is."""

    name: str
    language: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePage:
    templates: tuple[ListedTemplate | UnreadableTemplate, ...]
    #: None: this was the last one.
    next: str | None


def read_page(body: Mapping[str, Any]) -> TemplatePage:
    """What is no object in the list is left out; a page without `next` is the last."""
    paging = object_at(body, "paging")
    after = text_at(object_at(paging, "cursors"), "after")
    return TemplatePage(
        templates=tuple(read_template(one) for one in objects_at(body, "data")),
        next=after if text_at(paging, "next") else None,
    )


def read_template(listed: Mapping[str, Any]) -> ListedTemplate | UnreadableTemplate:
    name, language = text_at(listed, "name") or "", (text_at(listed, "language") or "").replace("-", "_")
    if not name or not language:
        return UnreadableTemplate(name=name, language=language, reason="no_name")
    try:
        return _read(listed, name, language)
    except UnreadableError as exc:
        return UnreadableTemplate(name=name, language=language, reason=str(exc))


def _read(listed: Mapping[str, Any], name: str, language: str) -> ListedTemplate:
    status, category = (text_at(listed, "status") or "").upper(), category_of(listed.get("category"))
    if status not in STATUSES:
        raise UnreadableError(f"unknown_status: {status.lower()[:40]}")
    if category is None:
        raise UnreadableError("unknown_category")
    approval, stopped = STATUSES[status]
    quality = (text_at(object_at(listed, "quality_score"), "score") or "").lower()
    correct = category_of(listed.get("correct_category"))
    return ListedTemplate(
        name=name,
        language=language,
        provider_id=number_text(listed.get("id")) or text_at(listed, "id"),
        approval=approval,
        stopped=stopped,
        rejected_reason=_reason(listed, status) if approval is Approval.REJECTED else None,
        category=category,
        correct_category=correct if correct is not category else None,
        quality=quality if quality in QUALITIES else None,
        content=content_of(listed, category),
        is_gone=status in DELETED,
    )


def _reason(listed: Mapping[str, Any], status: str) -> str:
    reason = (text_at(listed, "rejected_reason") or "").upper()
    return status if reason in {"", "NONE"} else reason
