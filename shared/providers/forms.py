"""What both providers take in WhatsApp's own form: cards, and what is to be pressed or chosen.

Meta, "Interactive messages" and "Contacts", read 2025-10; CM.com, "WhatsApp interactive messages" and its
SDKs, read 2026-11.
"""

from typing import Any

from shared.domain.content import plain
from shared.domain.session_content import Buttons, Card, Choice, Section


def given(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The fields that there are."""
    return {name: value for name, value in fields.items() if value is not None}


def buttons_action(content: Buttons) -> dict[str, Any]:
    return {"buttons": [{"type": "reply", "reply": plain(button)} for button in content.buttons]}


def list_action(content: Choice) -> dict[str, Any]:
    return {"button": content.label, "sections": [_section(section) for section in content.sections]}


def _section(section: Section) -> dict[str, Any]:
    return given(title=section.title, rows=plain(section.rows))


def card_object(card: Card) -> dict[str, Any]:
    parts = {"phones": card.phones, "emails": card.emails, "addresses": card.addresses, "urls": card.urls}
    return given(
        name=given(formatted_name=card.formatted_name, first_name=card.first_name, last_name=card.last_name),
        **{name: plain(part) or None for name, part in parts.items()},
        org=None if card.company is None else {"company": card.company},
        birthday=card.birthday,
    )
