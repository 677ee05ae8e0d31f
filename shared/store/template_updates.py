"""What a provider tells about a template, as the script call that records it, field by field."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from shared.clock import rfc3339
from shared.configuration import AnySender
from shared.domain.consent import Category
from shared.domain.events import (
    TemplateCategoryChanged,
    TemplateContentChanged,
    TemplateEvent,
    TemplateQualityChanged,
    TemplateStatusChanged,
)
from shared.domain.templates import Approval, Gate, TemplateId
from shared.store.scripts import Call

_CATEGORIES = tuple(Category)
#: Of two words of one second the one that stops more stands.
_RANKS: Mapping[str | None, int] = {
    None: 0,
    Approval.APPROVED: 1,
    Approval.PENDING: 2,
    Approval.REJECTED: 3,
    "paused": 4,
    "archived": 5,
    "disabled": 6,
}


def template_call(sender: AnySender, event: TemplateEvent, now: datetime) -> Call:
    template_id = TemplateId(event.account, event.name, event.language)
    flat = [part for word in _words(event) for part in word]
    at = int((event.at or now).timestamp())
    return Call.of("record_template", sender.business, str(template_id), at, *flat)


def _words(event: TemplateEvent) -> list[tuple[str, str, int]]:
    """Field, value, and the rank of the value among what is said in one second."""
    match event:
        case TemplateStatusChanged():
            words = [("stopped", event.stopped or "", _RANKS[event.stopped])]
            if event.approval is not None:
                rank = _RANKS[event.approval]
                words.append((f"gate:{Gate.WHATSAPP}", event.approval, rank))
                words.append((f"reason:{Gate.WHATSAPP}", event.reason or "", rank))
            return words
        case TemplateCategoryChanged():
            at = rfc3339(event.announced_for) if event.announced_for else ""
            return [
                ("category", event.category, _CATEGORIES.index(event.category)),
                ("announced_category", event.announced or "", int(event.announced is not None)),
                ("announced_category_at", at, int(bool(at))),
            ]
        case TemplateQualityChanged():
            return [("quality", event.quality, len(event.quality))]
        case TemplateContentChanged():
            return [("content_changed", "1", 0)]
        case _:
            assert_never(event)
