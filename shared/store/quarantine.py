"""What could not be read or taken, raw, in the order in which it came: for people to look at and remove.

An id is that of the stream's entry and unique within a business. What is removed is gone for good; when there
are too many the oldest go by themselves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, cast

import redis

from shared.clock import from_ms
from shared.store.connection import translated
from shared.store.keys import Keys

#: How many entries are fetched at once; each may be as large as the recorder keeps them.
_CHUNK = 50

_Found = list[tuple[str, dict[str, str]]]
_Read = Callable[[str, str, str, int], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What may stand in a list: all but the text, which may hold people."""

    id: str
    #: When it came.
    at: datetime
    #: Alias of the sender whose address it came to.
    sender: str
    reason: str
    #: Of the text that is kept, in UTF-8.
    size_bytes: int
    #: The text was too large and its end is lost.
    is_cut: bool
    #: Of a submission: which app handed it in, as it said itself.
    app: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry(Entry):
    """An entry with its text."""

    raw: str
    #: Of a submission: what is wrong with it, as JSON.
    errors: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    entries: tuple[Entry, ...]
    #: What to ask for entries before; None: there are no more.
    next: str | None


def _quarantine(business: str) -> str:
    return Keys(business).quarantine()


class Quarantine:
    """One stream a business. The ids that it is given must look like ids."""

    def __init__(self, client: redis.Redis, key: Callable[[str], str] = _quarantine) -> None:
        self._client = client
        self._key = key

    def page(
        self,
        business: str,
        *,
        before: str | None,
        limit: int,
        reason: str | None = None,
        sender: str | None = None,
    ) -> Page:
        """The newest first, of those before an id; with a reason or a sender only theirs."""
        first = f"({before}" if before else "+"
        wanted = _matching(self._walk(self._client.xrevrange, business, first, "-"), reason, sender)
        found = [_without_text(entry) for entry in islice(wanted, limit + 1)]
        has_more = len(found) > limit
        return Page(entries=tuple(found[:limit]), next=found[limit - 1].id if has_more else None)

    def oldest_first(
        self, business: str, *, after: str | None = None, reason: str | None = None, sender: str | None = None
    ) -> Iterator[RawEntry]:
        """All after an id, a few at a time: what is removed meanwhile disturbs nothing."""
        first = f"({after}" if after else "-"
        return _matching(self._walk(self._client.xrange, business, first, "+"), reason, sender)

    def get(self, business: str, entry_id: str) -> RawEntry | None:
        found = self._fetch(self._client.xrange, business, entry_id, entry_id)
        return _load(*found[0]) if found else None

    def remove(self, business: str, entry_id: str) -> bool:
        """False: it was not there (any more)."""
        with translated(self._client):
            return bool(self._client.xdel(self._key(business), entry_id))

    def count(self, business: str) -> int:
        with translated(self._client):
            return self._client.xlen(self._key(business))

    def _walk(self, read: _Read, business: str, first: str, last: str) -> Iterator[RawEntry]:
        while found := self._fetch(read, business, first, last):
            for entry_id, stored in found:
                yield _load(entry_id, stored)
            first = f"({found[-1][0]}"

    def _fetch(self, read: _Read, business: str, first: str, last: str) -> _Found:
        with translated(self._client):
            return cast("_Found", read(self._key(business), first, last, _CHUNK))


def _matching(entries: Iterator[RawEntry], reason: str | None, sender: str | None) -> Iterator[RawEntry]:
    return (entry for entry in entries if reason in (None, entry.reason) and sender in (None, entry.sender))


def _load(entry_id: str, stored: dict[str, str]) -> RawEntry:
    raw = stored["raw"]
    return RawEntry(
        id=entry_id,
        at=from_ms(stored["at"]),
        sender=stored["sender"],
        reason=stored["reason"],
        size_bytes=len(raw.encode()),
        is_cut=stored.get("cut") == "1",
        app=stored.get("app", ""),
        raw=raw,
        errors=stored.get("errors", "{}"),
    )


def _without_text(entry: RawEntry) -> Entry:
    return Entry(
        id=entry.id,
        at=entry.at,
        sender=entry.sender,
        reason=entry.reason,
        size_bytes=entry.size_bytes,
        is_cut=entry.is_cut,
        app=entry.app,
    )
