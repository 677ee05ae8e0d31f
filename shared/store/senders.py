"""What is known of a sender at run time: whether it is halted, and why."""

from dataclasses import dataclass
from datetime import datetime

import redis

from shared.clock import from_ms, to_ms
from shared.configuration import AnySender
from shared.store.connection import read_hash
from shared.store.keys import Keys
from shared.store.scripts import Call, Scripts


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderState:
    halted: bool
    why: str | None
    since: datetime | None


class Senders:
    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def get(self, sender: AnySender) -> SenderState:
        stored = read_hash(self._client, Keys(sender.business).sender(sender.alias))
        since = stored.get("halted_at")
        return SenderState(
            halted="halted" in stored,
            why=stored.get("halted_why"),
            since=from_ms(since) if since else None,
        )

    def halt(self, sender: AnySender, why: str, *, now: datetime) -> None:
        """Claim nothing more for it until it is resumed; what is queued stays."""
        self._set(sender, "all", why, now)

    def resume(self, sender: AnySender, *, now: datetime) -> None:
        self._set(sender, "", "", now)

    def _set(self, sender: AnySender, halted: str, why: str, now: datetime) -> None:
        arguments = (to_ms(now), sender.alias, halted, why)
        self._scripts.run(Call.of("halt_sender", sender.business, *arguments))
