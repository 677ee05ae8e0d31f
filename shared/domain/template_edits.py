"""When a template may be edited or deleted at WhatsApp, as far as its rules are known.

Meta, "Template management" (reference meta 6.7), read 2025-12.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.consent import Category
from shared.domain.templates import Template, TemplateStatus

_EDITABLE = frozenset({TemplateStatus.APPROVED, TemplateStatus.REJECTED, TemplateStatus.PAUSED})
#: Of an approved one: so many edits in so long.
_ALLOWANCES = ((1, timedelta(hours=24)), (10, timedelta(days=30)))
MOST_EDITS = max(most for most, _ in _ALLOWANCES)


@dataclass(frozen=True, slots=True)
class NotNow:
    """Why it cannot be done, and from when it can; None: nobody knows."""

    why: str
    until: datetime | None = None


def edit_refusal(template: Template, category: Category, now: datetime) -> NotNow | None:
    """Of one that WhatsApp has; None: it may be edited, into `category`."""
    if template.status not in _EDITABLE:
        return NotNow(
            f"It is {template.status}: WhatsApp edits what is approved, rejected or paused; wait for that."
        )
    if template.status is not TemplateStatus.APPROVED:
        return None
    if category is not template.category:
        return NotNow(
            f"It is approved as {template.category}, and that cannot change: register another template."
        )
    edits = template.edits
    free_at = max((edits[-most] + length for most, length in _ALLOWANCES if len(edits) >= most), default=now)
    if free_at <= now:
        return None
    return NotNow("An approved template takes one edit in 24 hours and ten in 30 days.", free_at)


def delete_refusal(template: Template) -> NotNow | None:
    if template.status is TemplateStatus.DISABLED:
        return NotNow("It is disabled: WhatsApp deletes none of those.")
    return None
