"""Who a person is in the store, and all that lies there of them: found by looking, a page at a time.

There is no index of a person's names or of all their messages: it would cost every send, and looking is rare.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis

from shared.domain.identifiers import ContactId
from shared.domain.identity import spellings_of
from shared.store.connection import translated
from shared.store.keys import Keys, parts_of, window_group

_PAGE = 1_000
#: Keys whose first part behind the tag is a sender; of some the second is a contact.
_OF_SENDERS = frozenset({"sender", "window", "pair", "lane", "leased", "claimed", "paused", "placed"})
_OF_APPS = frozenset({"callback_lane", "callback_ready", "callback_tries", "callback_parked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in one business, and where there may be something of them."""

    business: str
    #: As keys name them: numbers in every spelling, business-scoped ids.
    names: frozenset[str]
    #: Also of senders, apps and portfolios that are configured no more.
    senders: frozenset[str]
    apps: frozenset[str]
    portfolios: frozenset[str]

    @property
    def words(self) -> str:
        """The names as the scripts take them."""
        return " ".join(sorted(self.names))


class People:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def find(self, business: str, contact: ContactId) -> Person:
        """Everything that somebody is called. Raises StoreUnavailableError."""
        keys = Keys(business)
        found: dict[str, set[str]] = {"senders": set(), "apps": set(), "portfolios": set()}
        names = self._grown(keys, {spelling.value for spelling in spellings_of(contact)}, [])
        for page in self.pages(business):
            names = self._grown(keys, names, page)
            for kind, rest in map(parts_of, page):
                _note_place(found, kind, rest)
        while (grown := self._through_aliases(keys, names)) != names:
            names = grown
        return Person(
            business=business,
            names=frozenset(names),
            senders=frozenset(found["senders"]),
            apps=frozenset(found["apps"]),
            portfolios=frozenset(found["portfolios"]),
        )

    def pages(self, business: str, kind: str = "*") -> Iterator[list[str]]:
        """All keys of a kind, some of them perhaps twice. What comes while it looks may be missed."""
        cursor = 0
        while True:
            with translated(self._client):
                answer = self._client.scan(cursor, match=Keys(business).pattern(kind), count=_PAGE)
            cursor, page = cast("tuple[int, list[str]]", answer)
            if page:
                yield page
            if cursor == 0:
                return

    def latest(self, person: Person) -> list[tuple[str, int]]:
        """As `messages`, found at once: what waits in a lane or for them to write, and the latest."""
        keys = Keys(person.business)
        places = [keys.recent(name) for name in person.names]
        for sender in person.senders:
            for name in person.names:
                places += [keys.lane(sender, name), keys.held(window_group(sender, name))]
        members = self._ask(places, lambda pipeline, key: pipeline.zrange(key, 0, -1))
        ids = {each for place in members for each in place if each.startswith("msg_")}
        found = [keys.message(each) for each in sorted(ids)]
        times = self._ask(found, lambda pipeline, key: pipeline.hget(key, "accepted_at"))
        return [(parts_of(key)[1], int(at)) for key, at in zip(found, times, strict=True) if at]

    def messages(self, person: Person) -> Iterator[list[tuple[str, int]]]:
        """Ids of what was written to them, each with when it was accepted (ms)."""
        for page in self.pages(person.business, "message"):
            rows = self._ask(page, lambda pipeline, key: pipeline.hmget(key, "contact", "accepted_at"))
            yield [
                (parts_of(key)[1], int(at))
                for key, (name, at) in zip(page, rows, strict=True)
                if name in person.names
            ]

    def inbound(self, person: Person) -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
        """What they wrote: `sender:event`, and the record."""
        for page in self.pages(person.business, "inbound"):
            stored = self._ask(page, lambda pipeline, key: pipeline.get(key))
            records = [
                (parts_of(key)[1], json.loads(text))
                for key, text in zip(page, stored, strict=True)
                if text and any(name in text for name in person.names)
            ]
            yield [(ref, record) for ref, record in records if is_of(person, _names_in(record))]

    def values(self, keys: Sequence[str]) -> list[Any]:
        """Of keys that hold a string."""
        return self._ask(keys, lambda pipeline, key: pipeline.get(key))

    def _grown(self, keys: Keys, names: set[str], page: Sequence[str]) -> set[str]:
        """With what leads to a name among these keys, and with the names that their contacts know."""
        aliases = [key for key in page if key.startswith("alias:")]
        leading = {
            parts_of(key)[1]: value.rpartition("|")[0]
            for key, value in zip(aliases, self.values(aliases), strict=True)
            if value
        }
        grown = names | {name for pair in leading.items() if not names.isdisjoint(pair) for name in pair}
        if page and grown == names:
            return names
        rows = self._ask(
            [keys.contact(name) for name in grown],
            lambda pipeline, key: pipeline.hmget(key, "address", "user_id"),
        )
        known = {name for row in rows for name in row if name}
        journal = self._journal(keys)
        unfinished = {name for each in journal if not grown.isdisjoint(each) for name in each}
        return spelled(grown | known | unfinished)

    def _journal(self, keys: Keys) -> list[set[str]]:
        """Of erasures that were begun: the names are gone from their places by then."""
        with translated(self._client):
            noted = cast("list[str]", self._client.hvals(keys.erasing()))
        return [set(words.split()[1:]) for words in noted]

    def _through_aliases(self, keys: Keys, names: set[str]) -> set[str]:
        for page in self.pages(keys.business, "alias"):
            names = self._grown(keys, names, page)
        return names

    def _ask(self, keys: Sequence[str], ask: Any) -> list[Any]:  # noqa: ANN401 - a command of a pipeline
        if not keys:
            return []
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                ask(pipeline, key)
            return list(pipeline.execute())


def spelled(names: Iterable[str]) -> set[str]:
    return {spelling.value for name in names for spelling in spellings_of(ContactId(name))}


def is_of(person: Person, names: Iterable[str]) -> bool:
    return not person.names.isdisjoint(spelled(names))


def _names_in(record: Mapping[str, Any]) -> list[str]:
    """Who wrote an inbound message; of a notice also who they are from now on."""
    content = record.get("content") or {}
    names = (content.get(name) for name in ("new_number", "new_user_id"))
    return [record["contact"], *filter(None, names)]


def _note_place(found: Mapping[str, set[str]], kind: str, rest: str) -> None:
    first = rest.partition(":")[0]
    if kind in _OF_SENDERS:
        found["senders"].add(first)
    elif kind in _OF_APPS:
        found["apps"].add(first)
    elif kind == "reached":
        found["portfolios"].add(rest)
