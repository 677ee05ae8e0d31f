"""The provider's list of templates as it is recorded, one by one, and how the last reading of it went."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import redis

from shared.clock import duration_ms, from_ms, to_ms
from shared.domain.templates import Template
from shared.store.codec import dump
from shared.store.connection import read_hash, translated
from shared.store.keys import Keys
from shared.store.scripts import Call, Scripts
from shared.store.template_codec import dump_content, dump_template
from shared.store.template_history import dump_replaced
from shared.store.template_words import Word, flattened

#: Of what could not be read so many are named.
_MOST_NAMED = 100


class Synced(StrEnum):
    """What became of one listed template."""

    IMPORTED = "imported"
    CHANGED = "changed"
    #: Nothing can be sent with it any more.
    STOPPED = "stopped"
    UNCHANGED = "unchanged"
    #: It was changed here meanwhile: the next reading looks again.
    RACED = "raced"
    #: It was deleted here since the list was asked for.
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A listed template that could not be taken, and why; what is held of it stays in service."""

    name: str
    language: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """How a reading of an account's list went."""

    started_at: datetime
    ended_at: datetime
    #: None: it came to its end. Else the provider's code.
    failed_with: str | None = None
    #: What is wrong and how to mend it.
    advice: str | None = None
    #: When a reading last came to its end.
    complete_at: datetime | None = None
    listed: int = 0
    imported: int = 0
    changed: int = 0
    unread: tuple[Unread, ...] = ()


class TemplateSync:
    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def record(
        self,
        business: str,
        listed: Template,
        held: Template | None,
        words: Sequence[Word],
        *,
        is_content_other: bool,
        started_at: datetime,
        now: datetime,
    ) -> Synced:
        """One template of the list; `held`: as it stood here when the list was asked for."""
        started, old, fields = to_ms(started_at), "", {}
        if held is None:
            fields = {**dump_template(listed), "content_at": str(started)}
        elif is_content_other:
            old = dump_replaced(held, now)
            fields = {**dump_content(listed), "content_at": str(started), "content_changed": ""}
        flat = [text for pair in fields.items() for text in pair]
        arguments = (
            str(listed.id),
            listed.id.account,
            started,
            to_ms(now),
            "" if held is None else held.version,
            old,
            len(fields),
            *flat,
            *flattened(list(words)),
        )
        return Synced(self._scripts.run(Call.of("sync_template", business, *arguments))[0])

    def finish(self, business: str, account: str, report: SyncReport) -> None:
        named = [[one.name, one.language, one.reason] for one in report.unread[:_MOST_NAMED]]
        fields: dict[Any, Any] = {
            "started_at": to_ms(report.started_at),
            "ended_at": to_ms(report.ended_at),
            "failed_with": report.failed_with or "",
            "advice": report.advice or "",
            "listed": report.listed,
            "imported": report.imported,
            "changed": report.changed,
            "unread": dump(named),
        }
        if report.failed_with is None:
            fields["complete_at"] = to_ms(report.started_at)
        with translated(self._client):
            self._client.hset(Keys(business).template_sync(account), mapping=fields)

    def report(self, business: str, account: str) -> SyncReport | None:
        """None: the list was never read."""
        stored = read_hash(self._client, Keys(business).template_sync(account))
        return _load(stored) if stored else None

    def may_ring(self, business: str, account: str, every: timedelta) -> bool:
        """Once in `every`, for whoever asks first."""
        with translated(self._client):
            key = Keys(business).template_bell(account)
            return bool(self._client.set(key, "1", nx=True, px=duration_ms(every)))

    def hasten(self, business: str, account: str) -> None:
        """The list is worth reading before its time: whoever asks next may ring."""
        with translated(self._client):
            self._client.delete(Keys(business).template_bell(account))


def _load(stored: Mapping[str, str]) -> SyncReport:
    complete = stored.get("complete_at")
    return SyncReport(
        started_at=from_ms(stored["started_at"]),
        ended_at=from_ms(stored["ended_at"]),
        failed_with=stored["failed_with"] or None,
        advice=stored["advice"] or None,
        complete_at=from_ms(complete) if complete else None,
        listed=int(stored["listed"]),
        imported=int(stored["imported"]),
        changed=int(stored["changed"]),
        unread=tuple(Unread(name=n, language=g, reason=r) for n, g, r in json.loads(stored["unread"])),
    )
