"""One template event of Meta's webhook: what WhatsApp decided about a template of an account.

Meta, "message_template_status_update" webhook reference and its neighbours, read 2026-09.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.consent import Category
from shared.domain.events import (
    TemplateCategoryChanged,
    TemplateContentChanged,
    TemplateQualityChanged,
    TemplateStatusChanged,
    UpdateNoted,
)
from shared.domain.templates import TemplateId, TemplateStatus
from shared.providers.meta.envelope import Envelope
from shared.providers.meta.template_words import DECISIONS, PAUSES, QUALITIES, category_of
from shared.providers.reading import UnreadableError, moment_if_any, object_at, text_at

#: Known words that decide nothing: a template goes on as it is.
_NOTED = frozenset({"FLAGGED", "LOCKED", "LIMIT_EXCEEDED"})
_NO_REASON = "NONE"


def read_template_status(value: Mapping[str, Any], envelope: Envelope) -> TemplateStatusChanged | UpdateNoted:
    """Raise UnreadableError when it names no template, or an event that we do not know."""
    template, event = _template_of(value, envelope), text_at(value, "event")
    if event is None:
        raise UnreadableError("no_event")
    # The pacing page writes `paused` where this one writes PAUSED.
    if event.upper() in _NOTED:
        return UpdateNoted(kind=f"template_{event.lower()}")
    decision = DECISIONS.get(event.upper())
    if decision is None:
        raise UnreadableError("unknown_template_event")
    approval, stopped = decision
    return TemplateStatusChanged(
        account=template.account,
        name=template.name,
        language=template.language,
        approval=approval,
        stopped=stopped,
        reason=_reason_of(value),
        until=_end_of(value, stopped, envelope.at),
        at=envelope.at,
    )


def read_template_quality(value: Mapping[str, Any], envelope: Envelope) -> TemplateQualityChanged:
    """Raise UnreadableError when it names no template or none of the four scores."""
    template, quality = _template_of(value, envelope), (text_at(value, "new_quality_score") or "").lower()
    if quality not in QUALITIES:
        raise UnreadableError("unknown_quality")
    return TemplateQualityChanged(
        account=template.account,
        name=template.name,
        language=template.language,
        quality=quality,
        at=envelope.at,
    )


def read_template_category(value: Mapping[str, Any], envelope: Envelope) -> TemplateCategoryChanged:
    """Of an announcement the `new_category` is today's, and the `correct_category` the one to come.

    Raise UnreadableError when it names no template, or a category that is not of today's three.
    """
    template = _template_of(value, envelope)
    is_announced = value.get("correct_category") is not None
    return TemplateCategoryChanged(
        account=template.account,
        name=template.name,
        language=template.language,
        category=_category_at(value, "new_category"),
        announced=_category_at(value, "correct_category") if is_announced else None,
        announced_for=moment_if_any(value.get("category_update_timestamp")) if is_announced else None,
        at=envelope.at,
    )


def read_template_content(value: Mapping[str, Any], envelope: Envelope) -> TemplateContentChanged:
    """Raise UnreadableError when it names no template."""
    template = _template_of(value, envelope)
    return TemplateContentChanged(
        account=template.account, name=template.name, language=template.language, at=envelope.at
    )


def _template_of(value: Mapping[str, Any], envelope: Envelope) -> TemplateId:
    name, language = text_at(value, "message_template_name"), text_at(value, "message_template_language")
    if envelope.account is None or name is None or language is None:
        raise UnreadableError("no_template")
    return TemplateId(envelope.account, name, language.replace("-", "_"))


def _category_at(value: Mapping[str, Any], key: str) -> Category:
    category = category_of(value.get(key))
    if category is None:
        raise UnreadableError("unknown_category")
    return category


def _end_of(value: Mapping[str, Any], stopped: TemplateStatus | None, at: datetime | None) -> datetime | None:
    """When a pause is over, as far as its title says."""
    lasts = PAUSES.get((text_at(object_at(value, "other_info"), "title") or "").upper())
    return None if at is None or lasts is None or stopped is not TemplateStatus.PAUSED else at + lasts


def _reason_of(value: Mapping[str, Any]) -> str | None:
    """`INVALID_FORMAT: two parameters touch`, or for a pause `FIRST_PAUSE`."""
    reason = text_at(value, "reason")
    if reason is None or reason.upper() == _NO_REASON:
        return text_at(object_at(value, "other_info"), "title")
    more = text_at(object_at(value, "rejection_info"), "reason")
    return reason if more is None else f"{reason}: {more}"
