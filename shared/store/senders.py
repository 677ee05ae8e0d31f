"""What is known of a sender at run time: what halts it, and whether its provider answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import redis

from shared.clock import from_ms, to_ms
from shared.configuration import AnySender
from shared.domain.halts import Halt, HaltKind, HaltSource, is_wholly_halted
from shared.domain.provider_errors import Effects, Scope
from shared.store.codec import dump
from shared.store.connection import read_hash
from shared.store.effects import load_halts, plain_effects
from shared.store.keys import Keys
from shared.store.scripts import Call, Scripts


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """Open while the provider is down: then one message tries now and then."""

    #: Answers in a row that speak of an outage.
    failures: int = 0
    since: datetime | None = None
    why: str | None = None
    next_try_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.next_try_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderState:
    halts: tuple[Halt, ...] = ()
    #: The provider asked to wait so long.
    paused_until: datetime | None = None
    circuit: Circuit = field(default_factory=Circuit)

    def live_halts(self, now: datetime) -> tuple[Halt, ...]:
        return tuple(halt for halt in self.halts if halt.is_live(now))

    def is_halted(self, now: datetime) -> bool:
        """For every kind: nothing of it is claimed."""
        return is_wholly_halted(self.halts, now)

    def whole_halt(self, now: datetime) -> Halt | None:
        """None: it is not halted for every kind."""
        return next((halt for halt in self.live_halts(now) if halt.kind is HaltKind.ALL), None)

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until


class Senders:
    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def get(self, sender: AnySender) -> SenderState:
        return _state(read_hash(self._client, Keys(sender.business).sender(sender.alias)))

    def halt(
        self,
        sender: AnySender,
        why: str,
        *,
        now: datetime,
        kind: HaltKind = HaltKind.ALL,
        until: datetime | None = None,
    ) -> None:
        """By hand: what is queued stays, until it is resumed or `until`."""
        halt = Halt(kind=kind, source=HaltSource.HAND, why=why, until=until)
        self.reach(sender, [sender], Effects(scope=Scope.SENDER, halt=halt), now=now)

    def resume(self, sender: AnySender, *, now: datetime) -> None:
        """By hand: whatever halted or paused it, it goes on; a provider that was down is tried at once."""
        self._scripts.run(Call.of("halt_sender", sender.business, to_ms(now), sender.alias, ""))

    def reach(
        self, sender: AnySender, reached: Sequence[AnySender], effects: Effects, *, now: datetime
    ) -> None:
        """Halt or pause senders by an error of `sender`, in whatever businesses they are."""
        calls = []
        for business in sorted({one.business for one in reached}):
            told = plain_effects(effects, sender, reached, business)
            if told is not None:
                calls.append(Call.of("halt_sender", business, to_ms(now), "", dump(told)))
        if calls:
            self._scripts.run_all(calls)


def _state(stored: Mapping[str, str]) -> SenderState:
    return SenderState(
        halts=load_halts(stored),
        paused_until=_time(stored.get("paused_until")),
        circuit=Circuit(
            failures=int(stored.get("failures", 0)),
            since=_time(stored.get("away_since")),
            why=stored.get("away_code"),
            next_try_at=_time(stored.get("probe_at")),
        ),
    )


def _time(milliseconds: str | None) -> datetime | None:
    return from_ms(milliseconds) if milliseconds else None
