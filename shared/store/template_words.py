"""What WhatsApp says of a template, word by word: each field by its newest (lua/parts/templates.lua)."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from shared.clock import rfc3339, to_ms
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

#: Field, value ('' deletes it), and its rank among what is said in one second.
Word = tuple[str, str, int]

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
    """The call that records a webhook's event."""
    template_id = TemplateId(event.account, event.name, event.language)
    at = int(min(event.at or now, now).timestamp())  # from the future it would outlast every later word
    flat = flattened(template_words(event))
    return Call.of("record_template", sender.business, str(template_id), at, to_ms(now), *flat)


def flattened(words: list[Word]) -> list[str | int]:
    return [part for word in words for part in word]


def template_words(event: TemplateEvent) -> list[Word]:
    match event:
        case TemplateStatusChanged():
            return status_words(event)
        case TemplateCategoryChanged():
            return category_words(event)
        case TemplateQualityChanged():
            return [("quality", event.quality, len(event.quality))]
        case TemplateContentChanged():
            return [("content_changed", "1", 0)]
        case _:
            assert_never(event)


def status_words(event: TemplateStatusChanged) -> list[Word]:
    rank = _RANKS[event.stopped]
    is_stopped = event.stopped is not None
    words = [
        ("stopped", event.stopped or "", rank),
        ("stopped_reason", (event.reason or "") if is_stopped else "", rank),
        ("stopped_until", rfc3339(event.until) if event.until else "", rank),
    ]
    if event.approval is None:
        return words
    rank = _RANKS[event.approval]
    reason = event.reason if event.approval is Approval.REJECTED else None
    return [
        *words,
        (f"gate:{Gate.WHATSAPP}", event.approval, rank),
        (f"reason:{Gate.WHATSAPP}", reason or "", rank),
    ]


def category_words(event: TemplateCategoryChanged) -> list[Word]:
    at = rfc3339(event.announced_for) if event.announced_for else ""
    return [
        ("category", event.category, _CATEGORIES.index(event.category)),
        ("announced_category", event.announced or "", int(event.announced is not None)),
        ("announced_category_at", at, int(bool(at))),
    ]
