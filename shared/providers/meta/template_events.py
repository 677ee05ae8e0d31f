"""One template event of Meta's webhook: what WhatsApp decided about a template of an account.

Meta, "message_template_status_update" webhook reference, read 2026-09.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.events import TemplateStatusChanged
from shared.domain.templates import Approval, TemplateStatus
from shared.providers.reading import UnreadableError, object_at, text_at

_APPROVED = (Approval.APPROVED, None)
_PENDING = (Approval.PENDING, None)
_GONE = (None, TemplateStatus.ARCHIVED)
_DECISIONS: Mapping[str, tuple[Approval | None, TemplateStatus | None]] = {
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
_NO_REASON = "NONE"


def read_template_status(value: Mapping[str, Any], account: str | None) -> TemplateStatusChanged:
    """Raise UnreadableError when it names no template, or an event that decides nothing."""
    name, language = text_at(value, "message_template_name"), text_at(value, "message_template_language")
    event = text_at(value, "event")
    if account is None or name is None or language is None or event is None:
        raise UnreadableError("no_template")
    # The pacing page writes `paused` where this one writes PAUSED.
    decision = _DECISIONS.get(event.upper())
    if decision is None:
        raise UnreadableError("unknown_template_event")
    approval, stopped = decision
    return TemplateStatusChanged(
        account=account,
        name=name,
        language=language.replace("-", "_"),
        approval=approval,
        stopped=stopped,
        reason=_reason_of(value),
    )


def _reason_of(value: Mapping[str, Any]) -> str | None:
    """`INVALID_FORMAT: two parameters touch`, or for a pause `FIRST_PAUSE`."""
    reason = text_at(value, "reason")
    if reason is None or reason.upper() == _NO_REASON:
        return text_at(object_at(value, "other_info"), "title")
    more = text_at(object_at(value, "rejection_info"), "reason")
    return reason if more is None else f"{reason}: {more}"
