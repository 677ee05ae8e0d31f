"""What keeps a sender from sending: halts, by kind and by who made them.

Several stand beside each other: what a hand halted no news of the provider lifts. Knows no provider.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.routes import RouteKind


class HaltKind(StrEnum):
    """What does not leave: everything, or one kind of route only. `template` is what the business begins."""

    ALL = "all"
    TEMPLATE = "template"
    SESSION = "session"


class HaltSource(StrEnum):
    """Who made it. A hand lifts all; news of an account lift what such news made."""

    HAND = "hand"
    ERROR = "error"
    NEWS = "news"


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    kind: HaltKind
    source: HaltSource
    why: str
    #: The provider's code or event; '' where a hand made it.
    code: str = ""
    #: What it says something about: sender, account, app.
    scope: str = "sender"
    #: None: not recorded yet.
    since: datetime | None = None
    #: None: until it is resumed.
    until: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        return self.until is None or now < self.until


_KINDS: dict[HaltKind, frozenset[RouteKind]] = {
    HaltKind.ALL: frozenset({RouteKind.SESSION, RouteKind.TEMPLATE}),
    HaltKind.TEMPLATE: frozenset({RouteKind.TEMPLATE}),
    HaltKind.SESSION: frozenset({RouteKind.SESSION}),
}


def halts(kind: HaltKind, route: RouteKind) -> bool:
    return route in _KINDS[kind]


def halted_kinds(standing: Iterable[Halt], now: datetime) -> frozenset[RouteKind]:
    """The routes that may not be taken at `now`."""
    return frozenset().union(*(_KINDS[halt.kind] for halt in standing if halt.is_live(now)))


def is_wholly_halted(halts: Iterable[Halt], now: datetime) -> bool:
    """Nothing is claimed then; what is halted by kind steps aside instead."""
    return any(halt.kind is HaltKind.ALL and halt.is_live(now) for halt in halts)
