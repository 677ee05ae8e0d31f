"""News of an account or one of its numbers in Meta's webhook: restrictions, tiers, alerts, security, errors.

Meta, webhook reference of each field, read 2026-09. What they stop: restrictions.py.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.events import AccountChanged, ReportedError
from shared.providers.meta.envelope import Envelope, digits_of
from shared.providers.meta.errors import code_of, detail_of, row_of
from shared.providers.meta.restrictions import halts_of, is_lifted
from shared.providers.reading import UnreadableError, details, number_text, object_at, text_at

#: By field, the keys under which it says what happened; the first that is there counts.
ACCOUNT_TOPICS: Mapping[str, tuple[str, ...]] = {
    "account_update": ("event",),
    "account_alerts": ("alert_type",),
    "account_review_update": ("decision",),
    "phone_number_quality_update": ("event",),
    "phone_number_name_update": ("decision", "event"),
    "security": ("event",),
    # It has no event: the messaging limit is the news. The second key is the old one.
    "business_capability_update": (
        "max_daily_conversations_per_business",
        "max_daily_conversation_per_phone",
    ),
}
_ERRORS = "errors"
_LONGEST_EVENT = 64
#: What the event says elsewhere. The limit stays in the details: two fields carry it.
_SAID_ELSEWHERE = frozenset({"event", "decision", "display_phone_number", "phone_number_id"})


def read_account(topic: str, value: Mapping[str, Any], envelope: Envelope) -> AccountChanged:
    """Raise UnreadableError when it does not say what happened."""
    # An alert keeps its words in an object of their own.
    places = (value, object_at(value, "alert_info"))
    words = (_word(place, key) for place in places for key in ACCOUNT_TOPICS[topic])
    event = next((word for word in words if word is not None), None)
    if event is None:
        raise UnreadableError("no_event")
    return AccountChanged(
        account=envelope.account,
        topic=topic,
        event=event.lower(),
        halts=tuple(halts_of(topic, event, value)),
        lifts=is_lifted(topic, event, value),
        recipient=text_at(value, "phone_number_id") or digits_of(text_at(value, "display_phone_number")),
        details=details({key: item for key, item in value.items() if key not in _SAID_ELSEWHERE}),
        at=envelope.at,
    )


def read_error(error: Mapping[str, Any], envelope: Envelope) -> AccountChanged:
    """An error of the account or the app, beside messages. Raise UnreadableError when it has no code."""
    code = code_of(error)
    if code is None:
        raise UnreadableError("no_code")
    return AccountChanged(
        account=envelope.account,
        topic=_ERRORS,
        event=code,
        recipient=envelope.number_id,
        details=details({key: item for key, item in error.items() if key != "code"}),
        at=envelope.at,
        error=ReportedError(code=code, row=row_of(code), detail=detail_of(error)),
    )


def _word(place: Mapping[str, Any], key: str) -> str | None:
    word = text_at(place, key) or number_text(place.get(key))
    return None if word is None or len(word) > _LONGEST_EVENT else word
