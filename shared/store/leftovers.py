"""What speaks of a person besides contact and messages: answers, callbacks, streams, keys nobody foresaw."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import redis

from shared.clock import to_ms
from shared.domain.traces import Traces
from shared.store.connection import translated
from shared.store.keyed_hash import KeyedHashes
from shared.store.keys import Keys, parts_of
from shared.store.people import People, Person
from shared.store.scripts import Call, Scripts

_PAGE = 1_000
#: Each of these may be as large as the recorder keeps it.
_RAW_PAGE = 50
_MOST_CALLBACKS = 500
#: Kinds whose parts are removed by name, by id or with the contact, and kinds that hold no person.
_DONE = frozenset(
    [
        *("business", "message", "inbound", "recent", "accepted", "reference", "state", "expiring", "held"),
        *("lane", "ready", "queues", "placed", "turns", "leased", "claimed", "paused", "joining", "waking"),
        *("window", "windowed", "closing", "contact", "consent_history", "consented", "alias", "pair"),
        *("reached", "resting", "retention", "migrating", "template_sync", "template_bell"),
        *("suppressed", "forgotten", "erasing", "resuming", "callback", "callback_lane", "callback_ready"),
        *("callback_tries", "callback_bell", "bell", "ticker", "backlog", "counters", "silence", "sender"),
        *("template", "templates", "template_versions", "template_contents", "template_history"),
        # Streams are walked at the end.
        *("events", "quarantine", "submissions", "audit"),
    ]
)


@dataclass(frozen=True, slots=True)
class _Gone:
    """Of whom, and what is gone of them."""

    person: Person
    traces: Traces
    messages: AbstractSet[str]
    inbound: AbstractSet[str]
    until_ms: int


class Leftovers:
    def __init__(self, client: redis.Redis, scripts: Scripts, people: People, hashes: KeyedHashes) -> None:
        self._client = client
        self._scripts = scripts
        self._people = people
        self._hashes = hashes
        self._removers: Mapping[str, Callable[[_Gone, Sequence[str]], Counter[str]]] = {
            "seen": self._marks,
            "idem": self._answers,
            "claim": self._claims,
            "callback_parked": self._parked,
        }

    def remove(
        self,
        person: Person,
        traces: Traces,
        messages: AbstractSet[str],
        inbound: AbstractSet[str],
        *,
        now: datetime,
    ) -> Counter[str]:
        """How much of each kind. `messages`, `inbound`: ids of what is gone."""
        gone = _Gone(person, traces, messages, inbound, to_ms(now))
        counts = self._callbacks(gone)
        for page in self._people.pages(person.business):
            by_kind: dict[str, list[str]] = {}
            for key in page:
                by_kind.setdefault(parts_of(key)[0], []).append(key)
            for kind in by_kind.keys() - _DONE:
                counts += self._removers.get(kind, self._others)(gone, by_kind[kind])
        counts += self._events(gone)
        keys = Keys(person.business)
        for kind, key in (
            ("quarantine", keys.quarantine()),
            ("submissions", keys.submissions()),
            ("audit", keys.audit()),
        ):
            counts[kind] += self._stream(gone, key, _RAW_PAGE, _mentions)
        return counts

    def _marks(self, gone: _Gone, keys: Sequence[str]) -> Counter[str]:
        """Marks of messages that are kept no more: the provider's id may hold the number."""
        refs = [ref for _, ref in map(parts_of, keys) if gone.traces.are_in(ref)]
        business = gone.person.business
        kept = self._people.values([Keys(business).record(ref) for ref in refs])
        calls = [
            Call.of(
                "erase_inbound",
                business,
                gone.until_ms,
                ref,
                gone.person.words,
                self._hashes.of_event(*ref.split(":", 1)),
            )
            for ref, record in zip(refs, kept, strict=True)
            if record is None
        ]
        return Counter(marks=len(self._scripts.run_all(calls)) if calls else 0)

    def _answers(self, gone: _Gone, keys: Sequence[str]) -> Counter[str]:
        """An app that repeats itself still gets its answer, without what was known of the contact."""
        found = 0
        for key, text in zip(keys, self._people.values(keys), strict=True):
            if text is None or not (
                json.loads(text)["id"] in gone.messages or gone.traces.are_in(text) or gone.traces.are_in(key)
            ):
                continue
            found += 1
            stored = {name: value for name, value in json.loads(text).items() if name != "facts"}
            with translated(self._client):
                if gone.traces.are_in(key):
                    self._client.delete(key)
                else:
                    self._client.set(key, json.dumps(stored, separators=(",", ":")), xx=True, keepttl=True)
        return Counter(answers=found)

    def _claims(self, gone: _Gone, keys: Sequence[str]) -> Counter[str]:
        for key, text in zip(keys, self._people.values(keys), strict=True):
            contacts = json.loads(text or "[]")
            left = [name for name in contacts if name not in gone.person.names]
            if left != contacts:
                with translated(self._client):
                    self._client.set(key, json.dumps(left), xx=True, keepttl=True)
        return Counter()

    def _callbacks(self, gone: _Gone) -> Counter[str]:
        counts: Counter[str] = Counter()
        for app in gone.person.apps:
            for name in gone.person.names:
                arguments = (app, name, gone.until_ms, _MOST_CALLBACKS)
                removed = _MOST_CALLBACKS
                while removed == _MOST_CALLBACKS:
                    call = Call.of("erase_callbacks", gone.person.business, *arguments)
                    removed = int(self._scripts.run(call))
                    counts["callbacks"] += removed
        return counts

    def _parked(self, gone: _Gone, keys: Sequence[str]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for key in keys:
            with translated(self._client):
                members = [str(member) for member, _ in self._client.zscan_iter(key, count=_PAGE)]
            theirs = [member for member in members if _is_told_of(gone, json.loads(member))]
            if theirs:
                with translated(self._client):
                    counts["callbacks"] += self._client.zrem(key, *theirs)
        return counts

    def _events(self, gone: _Gone) -> Counter[str]:
        def is_theirs(gone: _Gone, fields: Mapping[str, str]) -> bool:
            ref = fields["r"]
            return (
                fields.get("c") in gone.person.names
                or ref in gone.inbound
                or (ref in gone.messages and fields.get("c") != "")  # but for the word that it was cancelled
                or ("wamid." in ref and gone.traces.are_in(ref))
            )

        key = Keys(gone.person.business).events()
        return Counter(events=self._stream(gone, key, _PAGE, is_theirs))

    def _stream(
        self, gone: _Gone, key: str, most: int, is_theirs: Callable[[_Gone, Mapping[str, str]], bool]
    ) -> int:
        removed = 0
        for page in self._entries(key, most):
            theirs = [
                entry_id
                for entry_id, fields in page
                if float(fields["at"] or 0) <= gone.until_ms and is_theirs(gone, fields)
            ]
            if theirs:
                with translated(self._client):
                    removed += self._client.xdel(key, *theirs)
        return removed

    def _entries(self, key: str, most: int) -> Iterator[list[tuple[str, dict[str, str]]]]:
        first = "-"
        while True:
            with translated(self._client):
                page: Any = self._client.xrange(key, first, "+", most)
            if not page:
                return
            yield page
            first = f"({page[-1][0]}"

    def _others(self, gone: _Gone, keys: Sequence[str]) -> Counter[str]:
        """Of a kind that nobody told us about: whatever speaks of the person goes."""
        removed = 0
        for key in keys:
            if gone.traces.are_in(parts_of(key)[1]):
                with translated(self._client):
                    removed += self._client.delete(key)
            else:
                removed += self._members(gone, key)
        return Counter(others=removed)

    def _members(self, gone: _Gone, key: str) -> int:
        client = self._client
        removed = 0
        with translated(client):
            match client.type(key):
                case "string":
                    text = cast("str | None", client.get(key))
                    return int(bool(text and gone.traces.are_in(text) and client.delete(key)))
                case "hash":
                    pairs = [(name, f"{name} {value}") for name, value in client.hscan_iter(key)]
                    remove = client.hdel
                case "zset":
                    pairs = [(member, str(member)) for member, _ in client.zscan_iter(key)]
                    remove = client.zrem
                case "set":
                    pairs = [(member, str(member)) for member in client.sscan_iter(key)]
                    remove = client.srem
                case "list":
                    items = cast("list[str]", client.lrange(key, 0, -1))
                    return sum(int(client.lrem(key, 1, item)) for item in items if gone.traces.are_in(item))
                case _:
                    return self._stream(gone, key, _RAW_PAGE, _mentions)
            theirs = [name for name, text in pairs if gone.traces.are_in(text)]
            if theirs:
                removed = remove(key, *theirs)
        return removed


def _mentions(gone: _Gone, fields: Mapping[str, str]) -> bool:
    return any(gone.traces.are_in(value) for value in fields.values())


def _is_told_of(gone: _Gone, entry: Mapping[str, Any]) -> bool:
    item = json.loads(entry["item"])
    return item["at"] <= gone.until_ms and (
        entry["contact"] in gone.person.names or item["r"] in gone.messages or item["r"] in gone.inbound
    )
