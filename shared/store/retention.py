"""What goes by itself when its time is over: a walk through all keys, a page a beat, once an hour.

Most keys end by their own time; here go those that have none: contacts who never agreed to anything and fell
silent, names that lead nowhere, streams, and what waits for apps that are there no more.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import redis

from shared.clock import duration_ms, from_ms, to_ms
from shared.store.connection import read_hash, translated
from shared.store.erasure import rewrite
from shared.store.keyed_hash import NO_HASHES, KeyedHashes
from shared.store.keys import Keys, parts_of
from shared.store.scripts import Call, Scripts

PASS_EVERY = timedelta(hours=1)
_PAGE = 500
_REWRITE_AGAIN = timedelta(seconds=10)
#: Streams whose entries end with the retention; their ids carry the server's own time.
_STREAMS = ("events", "quarantine", "submissions")


@dataclass(slots=True)
class _Pass:
    """A walk that is under way, or the last one."""

    started_at: int
    cursor: int = 0
    ended_at: int = 0
    #: Seen on the way, by kind.
    counts: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    #: When the oldest of a kind came (ms).
    oldest: dict[str, int] = field(default_factory=dict)

    def dump(self) -> str:
        return json.dumps({name: getattr(self, name) for name in _Pass.__slots__})

    @classmethod
    def load(cls, text: str | None) -> "_Pass | None":
        if text is None:
            return None
        stored = json.loads(text)
        return cls(**{**stored, "counts": Counter(stored["counts"]), "removed": Counter(stored["removed"])})

    def note(self, kind: str, at: int) -> None:
        self.counts[kind] += 1
        if at:
            self.oldest[kind] = min(at, self.oldest.get(kind, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How a kind stands."""

    kind: str
    count: int
    oldest: datetime | None
    #: None: not ended by time.
    limit: timedelta | None
    #: By the last walk.
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionState:
    last_ended_at: datetime | None
    is_running: bool
    unfinished_erasures: int
    #: Every key that opt-outs were kept under is among those that we have.
    has_all_keys: bool
    kinds: tuple[Kept, ...]


class Retention:
    def __init__(
        self,
        client: redis.Redis,
        scripts: Scripts,
        *,
        retention: timedelta,
        longest_wait: timedelta,
        aliases_of: Mapping[str, tuple[str, ...]],
        pushed_apps: Sequence[str],
        hashes: KeyedHashes = NO_HASHES,
    ) -> None:
        """`longest_wait`: what a message may wait at most; it is kept so much longer."""
        self._client = client
        self._scripts = scripts
        self._retention = retention
        self._longest_wait = longest_wait
        self._aliases_of = aliases_of
        self._hashes = hashes
        self._pushed_apps = frozenset(pushed_apps)

    def beat(self, business: str, *, now: datetime) -> Mapping[str, int] | None:
        """Look at the next page, if a walk is due or under way; what it removed when it has ended."""
        key = Keys(business).retention()
        with translated(self._client):
            stored = self._client.hmget(key, "pass", "last", "rewrite")
        current, last, rewrite_at = cast("list[str | None]", stored)
        if rewrite_at is not None and int(rewrite_at) <= to_ms(now):
            self._rewrite(key, now)
        walk, ended = _Pass.load(current), _Pass.load(last)
        if walk is None:
            if ended is not None and to_ms(now) < ended.started_at + duration_ms(PASS_EVERY):
                return None
            walk = _Pass(to_ms(now))
        with translated(self._client):
            answer = self._client.scan(walk.cursor, match=Keys(business).pattern(), count=_PAGE)
        walk.cursor, page = cast("tuple[int, list[str]]", answer)
        self._look_at(business, walk, page, to_ms(now))
        if walk.cursor:
            with translated(self._client):
                self._client.hset(key, "pass", walk.dump())
            return None
        self._end(business, walk, to_ms(now))
        return dict(walk.removed)

    def state(self, business: str) -> RetentionState:
        keys = Keys(business)
        stored = read_hash(self._client, keys.retention())
        last = _Pass.load(stored.get("last")) or _Pass(0)
        kinds = [
            self._walked(last, "messages", self._retention),
            self._walked(last, "inbound", self._retention),
            self._walked(last, "contacts", self._retention),
            self._walked(last, "contacts_with_consent", None),
            self._walked(last, "names", self._retention),
            *(self._streamed(last, kind, keys.stream(kind), self._retention) for kind in _STREAMS),
            self._streamed(last, "audit", keys.audit(), None),
        ]
        with translated(self._client):
            opt_outs, unfinished = self._client.hlen(keys.suppressed()), self._client.hlen(keys.erasing())
        kinds.append(Kept(kind="erased_opt_outs", count=int(opt_outs), oldest=None, limit=None, removed=0))
        return RetentionState(
            last_ended_at=from_ms(last.ended_at) if last.ended_at else None,
            is_running="pass" in stored,
            unfinished_erasures=int(unfinished),
            has_all_keys=all(self._hashes.has_made(check) for check in _checks(stored)),
            kinds=tuple(kinds),
        )

    def _rewrite(self, key: str, now: datetime) -> None:
        """The append-only file still holds somebody who was erased while it was being rewritten."""
        is_done = rewrite(self._client) != "later"
        with translated(self._client):
            if is_done:
                self._client.hdel(key, "rewrite")
            else:
                self._client.hset(key, "rewrite", to_ms(now + _REWRITE_AGAIN))

    def _look_at(self, business: str, walk: _Pass, page: Sequence[str], now_ms: int) -> None:
        by_kind: dict[str, list[str]] = {}
        for key in page:
            by_kind.setdefault(parts_of(key)[0], []).append(key)
        walk.counts["messages"] += len(by_kind.get("message", ()))
        before = now_ms - duration_ms(self._retention)
        self._note_inbound(walk, by_kind.get("inbound", ()), before)
        for kind in ("contact", "alias"):
            self._forget(business, walk, kind, by_kind.get(kind, ()), before)
        for key in by_kind.get("callback_parked", ()):
            with translated(self._client):
                walk.removed["callbacks"] += int(self._client.zremrangebyscore(key, "-inf", before))
        for key in by_kind.get("accepted", ()):
            with translated(self._client):
                ended = before - duration_ms(self._longest_wait)
                self._client.zremrangebyscore(key, "-inf", ended)
                oldest: Any = self._client.zrange(key, 0, 0, withscores=True)
            if oldest:
                at = int(oldest[0][1])
                walk.oldest["messages"] = min(at, walk.oldest.get("messages", at))
        for key in by_kind.get("callback_lane", ()):
            self._drop_lane(business, walk, key, before)

    def _note_inbound(self, walk: _Pass, keys: Sequence[str], before: int) -> None:
        """Each ends by itself when its time is over: that tells when it came."""
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.pttl(key)
            for left in pipeline.execute():
                walk.note("inbound", before + int(left))

    def _forget(self, business: str, walk: _Pass, kind: str, keys: Sequence[str], before: int) -> None:
        senders = " ".join(self._aliases_of.get(business, ()))
        calls = [Call.of("forget", business, kind, parts_of(key)[1], before, senders) for key in keys]
        name = "names" if kind == "alias" else "contacts"
        for word, latest in self._scripts.run_all(calls) if calls else []:
            if word == "forgotten":
                walk.removed[name] += 1
            else:
                walk.note("contacts_with_consent" if word == "consent" else name, int(latest))

    def _drop_lane(self, business: str, walk: _Pass, key: str, before: int) -> None:
        """Events for an app that nobody pushes to any more; what is pushed ends by its own rule."""
        app, _, contact = parts_of(key)[1].partition(":")
        if app in self._pushed_apps:
            return
        keys = Keys(business)
        with translated(self._client):
            newest = cast("str | None", self._client.lindex(key, -1))
            if newest is None or json.loads(newest)["at"] >= before:
                return
            walk.removed["callbacks"] += int(self._client.llen(key))
            pipeline = self._client.pipeline(transaction=True)
            pipeline.delete(key)
            pipeline.zrem(keys.callback_ready(app), contact)
            pipeline.hdel(keys.callback_tries(app), contact)
            pipeline.execute()

    def _end(self, business: str, walk: _Pass, now_ms: int) -> None:
        keys = Keys(business)
        self._trim(keys, walk, now_ms)
        walk.ended_at = now_ms
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hset(keys.retention(), "last", walk.dump())
            pipeline.hdel(keys.retention(), "pass")
            for kind, removed in (+walk.removed).items():
                pipeline.hincrby(keys.counters(), f"retention_removed_total:{kind}", removed)
            pipeline.execute()

    def _trim(self, keys: Keys, walk: _Pass, now_ms: int) -> None:
        with translated(self._client):
            seconds, _ = self._client.time()
            ended = seconds * 1000 - duration_ms(self._retention)
            for kind in _STREAMS:
                if ended > 0:
                    removed = self._client.xtrim(keys.stream(kind), minid=ended, approximate=False)
                    walk.removed[kind] += int(removed)
            self._client.zremrangebyscore(keys.forgotten(), "-inf", now_ms)

    def _walked(self, last: _Pass, kind: str, limit: timedelta | None) -> Kept:
        oldest = last.oldest.get(kind)
        return Kept(
            kind=kind,
            count=last.counts[kind],
            oldest=from_ms(oldest) if oldest else None,
            limit=limit,
            removed=last.removed[kind],
        )

    def _streamed(self, last: _Pass, kind: str, key: str, limit: timedelta | None) -> Kept:
        with translated(self._client):
            count = self._client.xlen(key)
            first: Any = self._client.xrange(key, count=1)
        oldest = from_ms(first[0][0].partition("-")[0]) if first else None
        return Kept(kind=kind, count=int(count), oldest=oldest, limit=limit, removed=last.removed[kind])


def _checks(stored: Mapping[str, str]) -> list[str]:
    """Of the keys that were ever used to erase somebody."""
    return [name.removeprefix("key:") for name in stored if name.startswith("key:")]
