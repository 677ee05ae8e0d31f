"""What a provider's error does to others, as the scripts take it: see lua/parts/effects.lua and gates.lua."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.clock import duration_ms, from_ms, to_ms
from shared.configuration import AnySender
from shared.domain.events import ReportedError
from shared.domain.halts import Halt, HaltKind, HaltSource
from shared.domain.provider_errors import Effects
from shared.domain.retry import ErrorClass


def plain_effects(
    effects: Effects, sender: AnySender, reached: Iterable[AnySender], business: str
) -> dict[str, Any] | None:
    """`reached`: all senders that the error speaks of; those of `business` are told. None: no effect."""
    if not effects:
        return None
    told: dict[str, Any] = {
        "scope": effects.scope,
        "senders": [one.alias for one in reached if one.business == business],
    }
    if effects.pause_until is not None:
        told["pause"] = to_ms(effects.pause_until)
    if effects.halt is not None:
        told["halt"] = plain_halt(effects.halt)
    if effects.stop is not None:
        stop = effects.stop
        told["stop"] = {"account": sender.account, "status": stop.status, "code": stop.code}
        if stop.until is not None:
            told["stop"]["until"] = to_ms(stop.until)
    if effects.unwanted is not None:
        told["unwanted"] = effects.unwanted
    if effects.cap is not None:
        cap = effects.cap
        told["cap"] = {
            "categories": sorted(cap.rule.categories),
            "until": to_ms(cap.until),
            "ends": int(cap.rule.ends_when_contact_writes),
            "hits": cap.rule.hits,
            "code": cap.code,
        }
    return told


def plain_halt(halt: Halt) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": halt.kind,
        "source": halt.source,
        "code": halt.code,
        "scope": halt.scope,
        "why": halt.why,
    }
    if halt.until is not None:
        told["until"] = to_ms(halt.until)
    return told


def how_it_goes_on(error: ReportedError | None, jitter: float) -> str:
    """After a late error: it is final, but for a closed window and what is known to come late and pass."""
    if error is None:
        return ""
    row = error.row
    if row.error_class is ErrorClass.WINDOW:
        return "window"
    if not row.is_retried_late:
        return ""
    return f"retry:{row.tries or ''}:{duration_ms(row.minimum_wait)}:{jitter}"


def load_halts(sender: Mapping[str, str]) -> tuple[Halt, ...]:
    """The halts in the hash of a sender, ended ones too."""
    found = []
    for name in sorted(name for name in sender if name.startswith("halt:")):
        _, kind, source = name.split(":")
        until, code, scope, since, why = sender[name].split("|", 4)
        found.append(
            Halt(
                kind=HaltKind(kind),
                source=HaltSource(source),
                code=code,
                scope=scope,
                why=why,
                since=from_ms(since),
                until=from_ms(until) if until else None,
            )
        )
    return tuple(found)
