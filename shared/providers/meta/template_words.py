"""Meta's words for how a template stands, as ours; the same in webhooks and in the list.

Meta, "message_template_status_update" and "Template management" (reference meta 1.7, 6.6), read 2026-09.
"""

from collections.abc import Mapping
from datetime import timedelta

from shared.domain.consent import Category
from shared.domain.templates import Approval, TemplateStatus

Decision = tuple[Approval | None, TemplateStatus | None]

_APPROVED: Decision = (Approval.APPROVED, None)
_PENDING: Decision = (Approval.PENDING, None)
_GONE: Decision = (None, TemplateStatus.ARCHIVED)
#: Of a webhook's event: the decision at WhatsApp's gate if it is one, and what stops the template beside it.
DECISIONS: Mapping[str, Decision] = {
    "APPROVED": _APPROVED,
    "REINSTATED": _APPROVED,
    "UNARCHIVED": _APPROVED,
    "PENDING": _PENDING,
    "IN_APPEAL": _PENDING,
    "REJECTED": (Approval.REJECTED, None),
    "PAUSED": (None, TemplateStatus.PAUSED),
    "DISABLED": (None, TemplateStatus.DISABLED),
    "ARCHIVED": _GONE,
    # A deleted one cannot be sent; a new one of the same name comes with a decision of its own.
    "PENDING_DELETION": _GONE,
    "DELETED": _GONE,
}
#: Of the list: what is paused was approved before. Over the limit nothing can be sent, and no review is due.
STATUSES: Mapping[str, Decision] = {
    **DECISIONS,
    "PAUSED": (Approval.APPROVED, TemplateStatus.PAUSED),
    "LIMIT_EXCEEDED": (Approval.REJECTED, None),
}
#: They are listed for a while and are nobody's any more.
DELETED = frozenset({"PENDING_DELETION", "DELETED"})
QUALITIES = frozenset({"green", "yellow", "red", "unknown"})
#: How long a pause for quality lasts, by the title that comes with it; pacing's is ended by hand.
#: Meta, "Template pausing", read 2025-12.
PAUSES: Mapping[str, timedelta] = {"FIRST_PAUSE": timedelta(hours=3), "SECOND_PAUSE": timedelta(hours=6)}
_CATEGORIES: Mapping[str, Category] = {category.value.upper(): category for category in Category}


def category_of(word: object) -> Category | None:
    """One of today's three; None for anything else."""
    return _CATEGORIES.get(word.upper()) if isinstance(word, str) else None
