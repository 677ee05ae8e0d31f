"""What apps are still to be told: each has a place in the stream, and a lane of events for each contact.

Ids only stand here; what is pushed is rendered at the moment it goes. An item is taken with a lease: one that
nobody settles is pushed again, under the same id.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import redis

from shared.clock import duration_ms, from_ms, to_ms
from shared.store.codec import dump
from shared.store.connection import read_hash, translated
from shared.store.feed import START, Entry
from shared.store.keys import Keys
from shared.store.scripts import Call, Scripts

#: Longer than one push may take, and longer than all pushes of one bell.
LEASE = timedelta(seconds=20)
#: Failures in a row after which an app is asked for one event at a time.
AWAY_AFTER = 3
_MOST_PARKED = 10_000
_MOST_EXPIRED = 500
#: How far back an app is told that has never been told anything.
_FIRST_LOOK_MS = 3_600_000


class PushOutcome(StrEnum):
    TAKEN = "taken"
    #: There is nothing left to tell: it was erased, or its time was over.
    GONE = "gone"
    AGAIN = "again"
    PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One event for one app, in hand."""

    business: str
    app: str
    contact: str
    entry: Entry
    #: How often it was tried before.
    tries: int
    #: How often in a row the app had taken nothing by then.
    failures: int
    #: As it stands in the lane.
    stored: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackState:
    waiting: int
    parked: int
    failures_in_a_row: int
    last_reason: str | None
    last_failed_at: datetime | None
    #: When the first of the failures in a row was.
    failing_since: datetime | None = None
    #: When the oldest of what is parked was given up.
    parked_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    entry: Entry
    reason: str
    at: datetime


class Callbacks:
    def __init__(self, client: redis.Redis, scripts: Scripts, *, retention: timedelta) -> None:
        self._client = client
        self._scripts = scripts
        self._retention = retention

    def due(self, business: str, apps: Sequence[str], *, now: datetime) -> list[str]:
        """The apps that the caller has to ring for: there is something to push and nobody is at it."""
        life = duration_ms(LEASE)
        calls = [Call.of("callback_due", business, to_ms(now), app, life) for app in apps]
        answers = self._scripts.run_all(calls) if calls else []
        return [app for app, answer in zip(apps, answers, strict=True) if answer]

    def done(self, business: str, app: str) -> None:
        """Nobody is at it any more: the next beat may ring."""
        with translated(self._client):
            self._client.delete(Keys(business).callback_bell(app))

    def place(self, business: str, app: str) -> str | None:
        """The last entry of the stream that was handed to the app; None: none ever was."""
        return read_hash(self._client, Keys(business).callback(app)).get("place")

    def spread(
        self,
        business: str,
        app: str,
        lanes: Sequence[tuple[str, Entry]],
        *,
        read_from: str | None,
        read_to: str,
        now: datetime,
    ) -> bool:
        """Put each (contact, entry) into its lane; False: another worker was faster."""
        flat = [text for contact, entry in lanes for text in (contact, _dump(entry))]
        return bool(
            self._scripts.run(
                Call.of("callback_spread", business, to_ms(now), app, read_from or "", read_to, *flat)
            )
        )

    def claim(self, business: str, app: str, most: int, *, now: datetime) -> list[Item]:
        answer = self._scripts.run(
            Call.of("callback_claim", business, to_ms(now), app, most, to_ms(now + LEASE), AWAY_AFTER)
        )
        failures, *taken = answer
        return [
            Item(
                business=business,
                app=app,
                contact=contact,
                entry=_load(stored),
                tries=int(tries),
                failures=int(failures),
                stored=stored,
            )
            for contact, stored, tries in zip(taken[::3], taken[1::3], taken[2::3], strict=True)
        ]

    def expire(self, business: str, app: str, *, before: datetime, now: datetime) -> int:
        """Park what happened before then and was not taken, many at once; how many."""
        life = duration_ms(self._retention)
        arguments = (to_ms(now), app, to_ms(before), _MOST_EXPIRED, life, _MOST_PARKED)
        return int(self._scripts.run(Call.of("callback_expire", business, *arguments)))

    def settle(
        self,
        item: Item,
        outcome: PushOutcome,
        *,
        now: datetime,
        again_at: datetime | None = None,
        reason: str = "",
        paused_until: datetime | None = None,
    ) -> bool:
        """False: it was settled before."""
        return bool(
            self._scripts.run(
                Call.of(
                    "callback_settle",
                    item.business,
                    to_ms(now),
                    item.app,
                    item.contact,
                    item.stored,
                    outcome,
                    to_ms(again_at) if again_at else "",
                    reason,
                    to_ms(paused_until) if paused_until else 0,
                    duration_ms(self._retention),
                    _MOST_PARKED,
                    item.tries,
                )
            )
        )

    def state(self, business: str, app: str) -> CallbackState:
        keys = Keys(business)
        stored = read_hash(self._client, keys.callback(app))
        with translated(self._client):
            waiting = int(self._client.zcard(keys.callback_ready(app)))
            parked = int(self._client.zcard(keys.callback_parked(app)))
            oldest: Any = self._client.zrange(keys.callback_parked(app), 0, 0, withscores=True)
        return CallbackState(
            waiting=waiting,
            parked=parked,
            failures_in_a_row=int(stored.get("failures", "0")),
            last_reason=stored.get("last_reason"),
            last_failed_at=_time(stored.get("last_failed_at")),
            failing_since=_time(stored.get("failing_since")),
            parked_since=from_ms(oldest[0][1]) if oldest else None,
        )

    def parked(self, business: str, app: str, *, most: int) -> list[Parked]:
        """What was given up, newest first."""
        with translated(self._client):
            found: Any = self._client.zrevrange(
                Keys(business).callback_parked(app), 0, most - 1, withscores=True
            )
        return [_parked(member, at) for member, at in found]

    def retry(self, business: str, app: str, *, most: int, now: datetime) -> int:
        """Put what is parked back, oldest first; how many."""
        return int(self._scripts.run(Call.of("callback_retry", business, to_ms(now), app, most)))


def _time(milliseconds: str | None) -> datetime | None:
    return from_ms(milliseconds) if milliseconds else None


def first_place(last_id: str) -> str:
    """Where an app begins that was never told anything: an hour before the newest entry."""
    ms = int(last_id.partition("-")[0])
    return f"{max(ms - _FIRST_LOOK_MS, 0)}-0" if last_id != START else START


def _dump(entry: Entry) -> str:
    fields = {"id": entry.id, "t": entry.type, "at": to_ms(entry.at), "r": entry.ref}
    more = {"s": entry.sender, "c": entry.contact, "m": entry.more}
    return dump({**fields, **{name: value for name, value in more.items() if value}})


def _load(stored: str) -> Entry:
    fields = json.loads(stored)
    return Entry(
        id=fields["id"],
        type=fields["t"],
        at=from_ms(fields["at"]),
        ref=fields["r"],
        sender=fields.get("s"),
        contact=fields.get("c"),
        more=fields.get("m", {}),
    )


def _parked(member: str, at_ms: float) -> Parked:
    fields = json.loads(member)
    return Parked(entry=_load(fields["item"]), reason=fields["reason"], at=from_ms(at_ms))
