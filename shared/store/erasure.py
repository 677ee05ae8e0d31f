"""Erases a person: first the step that stops all sending, then everything of theirs, in parts.

Each part is safe to repeat. The names are written down before the first and struck out after the last, so an
erasure that was interrupted is completed by calling it again, by whichever name. What came since it began
stays.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import chain
from typing import Any

import redis

from shared.clock import duration_ms, from_ms, rfc3339, to_ms
from shared.domain.identifiers import ContactId
from shared.domain.traces import Traces
from shared.observability import LogEvent, get_logger, place_of
from shared.store.connection import read_hash, translated
from shared.store.keyed_hash import KeyedHashes
from shared.store.keys import Keys
from shared.store.leftovers import Leftovers
from shared.store.people import People, Person
from shared.store.scripts import Call, Scripts

#: After so long another may take up what one has died with; two at once do no harm.
_LONGEST_RESUMPTION = timedelta(minutes=30)
#: What was noted when the first step was done.
_CUT = "cut"


class _Cut(IntEnum):
    """When a cut is made after the first: as lua/erase_contact.lua takes it."""

    #: Only if nothing of the person has come since the first.
    LAST = 1
    #: The first one never was: only if nothing of the person is newer than its beginning.
    LATE = 2


class NoSecretKeyError(Exception):
    """Without a secret key an opt-out could not outlive its person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """A report without the person in it."""

    #: How much of each kind was removed.
    counts: Mapping[str, int]
    #: Of the messages: had not left.
    cancelled: int
    #: An opt-out stays, as a keyed hash.
    is_suppressed: bool
    #: Of the name that was asked for: how the audit tells one erasure from another.
    keyed_hash: str
    #: `rewriting`, `later` or `off`: what was removed stands in the append-only file until it is rewritten.
    append_only_file: str


class Erasure:
    def __init__(
        self,
        client: redis.Redis,
        scripts: Scripts,
        hashes: KeyedHashes,
        aliases_of: Mapping[str, tuple[str, ...]],
    ) -> None:
        """`aliases_of`: the senders of each business."""
        self._client = client
        self._scripts = scripts
        self._hashes = hashes
        self._aliases_of = aliases_of
        self._people = People(client)

    def erase(self, business: str, contact: ContactId, *, now: datetime) -> Erased:
        """Raises NoSecretKeyError, and StoreUnavailableError: then it is to be called again."""
        if not self._hashes.keys:
            raise NoSecretKeyError
        person, counts = self._people.find(business, contact), Counter[str]()
        mark = self._hashes.of_name(contact)
        self._note(person, mark, now, is_cut=False)
        is_suppressed = self._cut(person, counts, now)
        self._note(person, mark, now, is_cut=True)
        self._remove(person, counts, now)
        file = rewrite(self._client)
        if file == "later":
            with translated(self._client):
                self._client.hset(Keys(business).retention(), "rewrite", 0)
        return Erased(
            cancelled=counts.pop("cancelled", 0),
            counts=+counts,
            is_suppressed=is_suppressed,
            keyed_hash=mark,
            append_only_file=file,
        )

    def is_unfinished(self, business: str) -> bool:
        """An erasure is under way, or was interrupted."""
        with translated(self._client):
            return bool(self._client.exists(Keys(business).erasing()))

    def resume(self, business: str, *, is_stopping: Callable[[], bool] = lambda: False) -> int | None:
        """Complete what was interrupted and nobody has called for again, as of when it began; how many.

        None: somebody is at it. One after the other, and one that cannot be completed costs no other; what
        `is_stopping` leaves is taken up by the next call.
        """
        key = Keys(business).resuming()
        with translated(self._client):
            if not self._client.set(key, "1", nx=True, px=duration_ms(_LONGEST_RESUMPTION)):
                return None
        done = 0
        for noted in read_hash(self._client, Keys(business).erasing()).values():
            if is_stopping():
                break
            try:
                self._complete(business, noted)
            except (ValueError, KeyError, TypeError) as exc:  # what is stored of one cannot be read
                error, at = type(exc).__name__, place_of(exc)
                get_logger().error(LogEvent.BUG, where="erasure", business=business, error=error, at=at)
            else:
                done += 1
        with translated(self._client):
            self._client.delete(key)
        return done

    def _complete(self, business: str, noted: str) -> None:
        head, first, *_ = noted.split()
        began_at, _, stage = head.partition("|")
        person, counts = self._people.find(business, ContactId(first)), Counter[str]()
        # What came since it began stays: whoever is back by now is cut off no more.
        mode = _Cut.LAST if stage == _CUT else _Cut.LATE
        self._cut(person, counts, from_ms(began_at), mode)
        self._remove(person, counts, from_ms(began_at))

    def _remove(self, person: Person, counts: Counter[str], now: datetime) -> None:
        """What is left after the cut; nothing of what came later."""
        messages = self._erase_messages(person, counts, now)
        inbound = self._erase_inbound(person, counts, now)
        traces = Traces(map(ContactId, person.names))
        leftovers = Leftovers(self._client, self._scripts, self._people, self._hashes)
        counts += leftovers.remove(person, traces, messages, inbound, now=now)
        self._cut(person, counts, now, _Cut.LAST)
        self._strike_out(person)

    def _note(self, person: Person, mark: str, now: datetime, *, is_cut: bool) -> None:
        head = f"{to_ms(now)}|{_CUT if is_cut else 'begun'}"
        with translated(self._client):
            self._client.hset(Keys(person.business).erasing(), mark, f"{head} {person.words}")
            self._client.hsetnx(Keys(person.business).retention(), f"key:{self._hashes.check()}", to_ms(now))

    def _strike_out(self, person: Person) -> None:
        """By whichever name they were noted."""
        key = Keys(person.business).erasing()
        for mark, names in read_hash(self._client, key).items():
            if not person.names.isdisjoint(names.split()):
                with translated(self._client):
                    self._client.hdel(key, mark)

    def _cut(self, person: Person, counts: Counter[str], now: datetime, mode: _Cut | None = None) -> bool:
        names = sorted(person.names)
        senders = person.senders.union(self._aliases_of.get(person.business, ()))
        arguments = (
            to_ms(now),
            " ".join(names),
            " ".join(self._hashes.of_name(ContactId(name)) for name in names),
            " ".join(sorted(senders)),
            " ".join(sorted(person.portfolios)),
            int(mode or 0),
        )
        answer = self._scripts.run(Call.of("erase_contact", person.business, *arguments))
        kinds = ("messages", "cancelled", "windows", "consents", "names")
        counts.update(dict(zip(kinds, map(int, answer[:5]), strict=False)))
        return bool(answer and answer[5])

    def _erase_messages(self, person: Person, counts: Counter[str], now: datetime) -> set[str]:
        erased: set[str] = set()
        # What may still leave goes before everything is looked through.
        for page in chain([self._people.latest(person)], self._people.messages(person)):
            ids = [message_id for message_id, accepted_at in page if accepted_at <= to_ms(now)]
            rows = [(message_id, person.words) for message_id in ids]
            words = self._run_rows("erase_message", person.business, rows, now)
            counts["messages"] += len(words) - words.count("missing")
            counts["cancelled"] += words.count("cancelled")
            erased.update(ids)
        return erased

    def _erase_inbound(self, person: Person, counts: Counter[str], now: datetime) -> set[str]:
        erased: set[str] = set()
        for page in self._people.inbound(person):
            refs = [ref for ref, record in page if record["received_at"] <= rfc3339(now)]
            rows = [(ref, person.words, self._hashes.of_event(*ref.split(":", 1))) for ref in refs]
            counts["inbound"] += self._run_rows("erase_inbound", person.business, rows, now).count("erased")
            erased.update(refs)
        return erased

    def _run_rows(
        self, script: str, business: str, rows: Sequence[tuple[str, ...]], now: datetime
    ) -> list[str]:
        calls = [Call.of(script, business, to_ms(now), *row) for row in rows]
        return [str(answer[0]) for answer in self._scripts.run_all(calls)] if calls else []


def rewrite(client: redis.Redis) -> str:
    """Have the server write its append-only file anew, without what was removed."""
    try:
        with translated(client):
            persistence: Mapping[str, Any] = client.info("persistence")
            if not persistence.get("aof_enabled"):
                return "off"
            client.bgrewriteaof()
    except redis.ResponseError:  # one is under way, or it is not allowed
        return "later"
    return "rewriting"
