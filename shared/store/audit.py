"""Who did what by hand: a stream of the latest entries of a business. Ids and filters only, no person."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis

from shared.clock import from_ms, to_ms
from shared.store.codec import dump
from shared.store.connection import translated
from shared.store.keys import Keys
from shared.store.scripts import REPEATED_WITHIN_MS, Call, Scripts

#: About so many are kept.
_MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody did."""

    at: datetime
    #: Whose key it was.
    app: str
    request_id: str
    action: str
    #: How many messages it was done with.
    done: int
    #: The one it was about; None: all that fit the filter.
    message_id: str | None = None
    filter: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """The newest first, each with its id."""

    deeds: tuple[tuple[str, Deed], ...]
    next: str | None


class Audit:
    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def record(self, business: str, deed: Deed) -> None:
        fields: dict[str, str | int] = {
            "at": to_ms(deed.at),
            "app": deed.app,
            "request_id": deed.request_id,
            "action": deed.action,
            "done": deed.done,
            "message_id": deed.message_id or "",
            "filter": dump(deed.filter) if deed.filter is not None else "",
            "details": dump(deed.details),
        }
        values = (each for field in fields.items() for each in field)
        nonce = secrets.token_hex(8)
        self._scripts.run(Call.of("audit", business, nonce, REPEATED_WITHIN_MS, _MOST_KEPT, *values))

    def page(self, business: str, *, after: str | None, limit: int) -> AuditPage:
        first = f"({after}" if after else "+"
        with translated(self._client):
            found: Any = self._client.xrevrange(Keys(business).audit(), first, "-", limit + 1)
        deeds = tuple((entry_id, _load(stored)) for entry_id, stored in found[:limit])
        return AuditPage(deeds=deeds, next=deeds[-1][0] if len(found) > limit else None)


def _load(stored: Mapping[str, str]) -> Deed:
    return Deed(
        at=from_ms(stored["at"]),
        app=stored["app"],
        request_id=stored["request_id"],
        action=stored["action"],
        done=int(stored["done"]),
        message_id=stored["message_id"] or None,
        filter=json.loads(stored["filter"]) if stored["filter"] else None,
        details=json.loads(stored["details"]),
    )
