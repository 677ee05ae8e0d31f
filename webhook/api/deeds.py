"""What a hand did, kept in the audit: who, when, what, and on what; never a person."""

from collections.abc import Mapping
from typing import Any

from flask import g

from shared.domain.identifiers import MessageId
from shared.store.audit import Deed
from webhook.api.context import caller, deps


def note_deed(
    business: str,
    action: str,
    *,
    done: int = 1,
    message_id: MessageId | None = None,
    named: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Deed:
    """In the audit alone. `named`: the filter of what was done in bulk."""
    deed = Deed(
        at=deps().clock.now(),
        app=caller().name,
        request_id=g.request_id,
        action=action,
        done=done,
        message_id=message_id.value if message_id else None,
        filter=named,
        details=details or {},
    )
    deps().audit.record(business, deed)
    return deed
