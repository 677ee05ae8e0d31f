"""One preference of Meta's webhook: a contact told WhatsApp whether it wants marketing from us.

Meta, "user_preferences" webhook reference, read 2026-09. It does not touch other categories.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.consent import Category, ConsentStatus
from shared.domain.events import PreferenceChanged
from shared.providers.meta.envelope import Envelope
from shared.providers.reading import UnreadableError, moment, text_at

_CATEGORIES: Mapping[str | None, Category] = {"marketing_messages": Category.MARKETING}
_DECISIONS: Mapping[str | None, ConsentStatus] = {
    "stop": ConsentStatus.OPTED_OUT,
    "resume": ConsentStatus.OPTED_IN,
}


def read_preference(preference: Mapping[str, Any], envelope: Envelope) -> PreferenceChanged:
    """Raise UnreadableError for another category or decision, and for what cannot be attributed."""
    category = _CATEGORIES.get(text_at(preference, "category"))
    status = _DECISIONS.get(text_at(preference, "value"))
    if category is None or status is None:
        raise UnreadableError("unknown_preference")
    number, user_id = text_at(preference, "wa_id"), text_at(preference, "user_id")
    contact, user, _ = envelope.people.named(number, user_id)
    return PreferenceChanged(
        recipient=envelope.recipient,
        contact=contact,
        user_id=user,
        category=category,
        status=status,
        at=moment(preference.get("timestamp")),
    )
