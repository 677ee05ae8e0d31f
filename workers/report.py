"""What a drain did: ids, rules and codes only, fit for Flower and logs."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shared.observability import LogEvent, get_logger
from shared.store.claims import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of one message in this drain."""

    message_id: str
    route: str
    outcome: Outcome
    attempt: int
    #: The provider's code, or the rule that sent nothing.
    code: str = ""
    started_at: datetime
    ended_at: datetime


@dataclass(slots=True)
class Report:
    """Filled by many threads."""

    sender: str
    settled: list[Settled] = field(default_factory=list)
    #: Something is left to do, and nobody rings for it but whoever reads this.
    must_ring: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, item: Settled) -> None:
        with self._lock:
            self.settled.append(item)

    def __str__(self) -> str:
        """`shop → submitted 37, deferred 2 (131056)`."""
        counts = Counter((item.outcome, item.code) for item in self.settled)
        parts = [f"{what} {n}" + (f" ({code})" if code else "") for (what, code), n in counts.items()]
        return f"{self.sender} → " + (", ".join(parts) or "nothing ready")


def tell_settled(sender: str, settled: Iterable[Settled]) -> None:
    """A line for each message: its id leads from the door that accepted it to here."""
    for item in settled:
        get_logger().info(
            LogEvent.MESSAGE_SETTLED,
            message_id=item.message_id,
            sender=sender,
            outcome=item.outcome,
            code=item.code or None,
            route=item.route,
            attempt=item.attempt,
            seconds=round((item.ended_at - item.started_at).total_seconds(), 3),
        )
