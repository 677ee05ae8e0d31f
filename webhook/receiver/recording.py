"""From an authentic body to what is recorded: read it, find whose each update is, record all in one step.

The address of a POST only picks the secrets; an update belongs to the sender that it names. What was kept raw
is replayed by the same steps, once we have learned to read it.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.configuration import AnySender
from shared.deps import Deps
from shared.domain.events import (
    ProviderEvent,
    UpdateNoted,
    UpdateSetAside,
)
from shared.observability import LogEvent, get_logger
from webhook.receiver.alerts import alert
from webhook.receiver.look_again import look_again
from webhook.receiver.ownership import UNKNOWN_ACCOUNT, UNKNOWN_NUMBER, Owned, owners

Parse = Callable[[Any, datetime], list[ProviderEvent]]

_NOT_OURS = (UNKNOWN_NUMBER, UNKNOWN_ACCOUNT)
#: Of a text that used to hold something and in which nothing is found any more: it stays.
_NOTHING_FOUND = "no_update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    #: How many updates ended how, in the recorder's words and `set_aside`.
    updates: Mapping[str, int]
    #: Why the first that cannot be read cannot; None: all is recorded.
    reason: str | None


def record_body(deps: Deps, addressed: AnySender, body: bytes, parse: Parse) -> None:
    """Record every update of a body. Raises StoreUnavailableError; then nothing must be acknowledged."""
    started = time.perf_counter()
    now = deps.clock.now()
    updates = _updates(deps, addressed, body, parse, now)
    words = deps.recorder.record(updates, now=now)
    alert(deps, updates, words)
    look_again(deps, updates, words)
    get_logger().info(
        LogEvent.WEBHOOK,
        sender=addressed.alias,
        updates=dict(Counter(words)),
        seconds=round(time.perf_counter() - started, 4),
    )


def replay_body(
    deps: Deps, addressed: AnySender, body: bytes, parse: Parse, *, received_at: datetime
) -> Replayed:
    """Record what can be read by now of a body that was set aside; the rest is told and not set aside again.

    `received_at`: when it came. Safe to repeat, as every update is. Raises StoreUnavailableError.
    """
    updates = _updates(deps, addressed, body, parse, received_at)
    readable = [(s, _as_it_came(e, received_at)) for s, e in updates if not isinstance(e, UpdateSetAside)]
    reasons = [event.reason for _, event in updates if isinstance(event, UpdateSetAside)]
    words = deps.recorder.record(readable, now=deps.clock.now())
    if not updates:
        reasons = [_NOTHING_FOUND]
    return Replayed(updates=Counter(words + ["set_aside"] * len(reasons)), reason=next(iter(reasons), None))


def _as_it_came(event: ProviderEvent, received_at: datetime) -> ProviderEvent:
    """Nothing happened after it came, and what names no time happened then, however late it is read."""
    if isinstance(event, UpdateNoted | UpdateSetAside):
        return event
    return replace(event, at=min(event.at or received_at, received_at))


def _updates(
    deps: Deps, addressed: AnySender, body: bytes, parse: Parse, received_at: datetime
) -> list[Owned]:
    """Every update of a body, each with the sender that it belongs to."""
    return _with_each_body_once(
        [
            owned
            for event in _events(body, parse, received_at)
            for owned in owners(deps.settings.configuration, addressed, event, body)
        ]
    )


def _with_each_body_once(updates: list[Owned]) -> list[Owned]:
    """What is not ours is kept with the whole body: once, however many such updates are in it."""
    kept: list[Owned] = []
    seen: set[str] = set()
    for sender, event in updates:
        if isinstance(event, UpdateSetAside) and event.reason in _NOT_OURS:
            if event.reason in seen:
                continue
            seen.add(event.reason)
        kept.append((sender, event))
    return kept


def _events(body: bytes, parse: Parse, received_at: datetime) -> list[ProviderEvent]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return [UpdateSetAside(reason="not_json", raw=_text(body))]
    return parse(document, received_at)


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
