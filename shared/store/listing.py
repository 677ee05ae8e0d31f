"""Lists of messages: newest first, a page at a time, and no page looks at more than it can read quickly.

It is read from the index that fits best: a contact's, a reference's, that of the states, or all of an app.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, cast

import redis

from shared.clock import to_ms
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.identity import key_of
from shared.domain.message import MessageState
from shared.store.connection import translated
from shared.store.keys import Keys
from shared.store.message_record import MessageRecord
from shared.store.messages import Messages

_CHUNK = 200
#: Looked at for one page: what does not fit is skipped, but not without end.
MOST_LOOKED_AT = 2_000
_MOST_ALIASES = 8
_MESSAGE_PREFIX = "msg_"
_FIELDS = ("state", "app", "sender", "reference", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """What to look for; what is empty or None fits all."""

    #: Whose messages: all apps that the caller may ask for.
    apps: tuple[str, ...]
    #: Also those of apps that are configured no more.
    is_of_anybody: bool = False
    states: frozenset[MessageState] = frozenset()
    senders: frozenset[str] = frozenset()
    to: ContactId | None = None
    reference: str | None = None
    reason: str | None = None
    #: Of the last attempt's error.
    code: str | None = None
    #: Of any attempt's error.
    any_code: str | None = None

    def may_fit(self, fields: Mapping[str, str | None]) -> bool:
        """By what can be read without the attempts."""
        return (
            fields["app"] is not None
            and (self.is_of_anybody or fields["app"] in self.apps)
            and (not self.states or fields["state"] in self.states)
            and (not self.senders or fields["sender"] in self.senders)
            and (self.reference is None or fields["reference"] == self.reference)
            and (self.reason is None or fields["reason"] == self.reason)
        )

    def fits(self, record: MessageRecord) -> bool:
        codes = [(attempt.get("error") or {}).get("code") for attempt in record.attempts]
        return self.code in (None, *codes[-1:]) and self.any_code in (None, *codes)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a list has got to: the time of the index (ms), and the message."""

    at: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Found:
    business: str
    record: MessageRecord


@dataclass(frozen=True, slots=True)
class Page:
    found: tuple[Found, ...]
    #: Where to go on; None: there is no more. A page may be short or empty and still have a next one.
    next: Place | None


_Entry = tuple[Place, str]


class Listing:
    def __init__(self, client: redis.Redis, messages: Messages) -> None:
        self._client = client
        self._messages = messages

    def page(
        self,
        businesses: Sequence[str],
        wanted: MessageFilter,
        *,
        after: Place | None,
        limit: int,
        oldest_first: bool = False,
    ) -> Page:
        """Up to `limit` messages behind a place. Raises StoreUnavailableError."""
        walks = [
            self._walk(business, key, after, oldest_first)
            for business in businesses
            for key in self._indexes(business, wanted)
        ]
        entries = heapq.merge(*walks, key=lambda entry: entry[0], reverse=not oldest_first)
        found: list[Found] = []
        place = after
        for _ in range(MOST_LOOKED_AT // _CHUNK):
            chunk = list(islice(entries, _CHUNK))
            fitting = self._fitting(chunk, wanted)
            for place, _business in chunk:
                if place.message_id in fitting:
                    found.append(fitting[place.message_id])
                if len(found) == limit:
                    return Page(tuple(found), place)
            if len(chunk) < _CHUNK:
                return Page(tuple(found), None)
        return Page(tuple(found), place)

    def trim(self, business: str, apps: Sequence[str], *, before: datetime) -> None:
        """Forget what was accepted before a time; the other indexes end by themselves or with the sweep."""
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for app in apps:
                pipeline.zremrangebyscore(Keys(business).accepted(app), "-inf", to_ms(before))
            pipeline.execute()

    def _indexes(self, business: str, wanted: MessageFilter) -> list[str]:
        keys = Keys(business)
        if wanted.to is not None:
            return [keys.recent(self._resolve(keys, wanted.to))]
        if wanted.reference is not None:
            return [keys.reference(app, wanted.reference) for app in wanted.apps]
        if wanted.states:
            return [keys.state(state) for state in sorted(wanted.states)]
        return [keys.accepted(app) for app in wanted.apps]

    def _resolve(self, keys: Keys, name: ContactId) -> str:
        """Who is meant by a name, as `resolve` of the scripts says it."""
        contact = key_of(name).value
        for _ in range(_MOST_ALIASES):
            with translated(self._client):
                alias = cast("str | None", self._client.get(keys.alias(contact)))
            if alias is None:
                break
            contact = alias.rpartition("|")[0]
        return contact

    def _walk(self, business: str, key: str, after: Place | None, oldest_first: bool) -> Iterator[_Entry]:  # noqa: FBT001
        """The messages of one index behind a place. Many may have one time, so the place is found by both."""
        edge = after.at if after else ("-inf" if oldest_first else "+inf")
        offset = 0
        while rows := self._read(key, edge, offset, oldest_first):
            for message_id, at in rows:
                place = Place(int(at), message_id)
                is_behind = after is None or (place > after if oldest_first else place < after)
                if is_behind and message_id.startswith(_MESSAGE_PREFIX):
                    yield place, business
            offset += len(rows)

    def _read(self, key: str, edge: int | str, offset: int, oldest_first: bool) -> Any:  # noqa: ANN401, FBT001 - redis-py's rows
        with translated(self._client):
            if oldest_first:
                return self._client.zrangebyscore(key, edge, "+inf", offset, _CHUNK, withscores=True)
            return self._client.zrevrangebyscore(key, edge, "-inf", offset, _CHUNK, withscores=True)

    def _fitting(self, chunk: Sequence[_Entry], wanted: MessageFilter) -> dict[str, Found]:
        """By id: those that are still there and fit."""
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for place, business in chunk:
                pipeline.hmget(Keys(business).message(place.message_id), _FIELDS)
            rows = pipeline.execute()
        ids: dict[str, list[MessageId]] = {}
        for (place, business), values in zip(chunk, rows, strict=True):
            if wanted.may_fit(dict(zip(_FIELDS, values, strict=True))):
                ids.setdefault(business, []).append(MessageId(place.message_id))
        return {
            record.id.value: Found(business, record)
            for business, theirs in ids.items()
            for record in self._messages.get_all(business, theirs)
            if wanted.fits(record)
        }
