"""What a drain did: ids, rules and codes only, fit for Flower, logs and traces."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.observability import LogEvent, get_logger
from shared.store.claims import Outcome
from shared.tracing import OnWork, Side, Work, nobody

#: Ids in one line of the log.
_IDS_A_LINE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of one message in this drain."""

    message_id: str
    route: str
    outcome: Outcome
    attempt: int
    #: The provider's code, or the rule that sent nothing.
    code: str = ""
    #: The provider was asked; else it is only decided.
    was_asked: bool = False
    started_at: datetime
    ended_at: datetime


@dataclass(slots=True)
class Report:
    """Filled by many threads."""

    sender: str
    provider: str = ""
    on_work: OnWork = field(default=nobody, repr=False)
    settled: list[Settled] = field(default_factory=list)
    #: Something is left to do, and nobody rings for it but whoever reads this.
    must_ring: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, item: Settled) -> None:
        with self._lock:
            self.settled.append(item)
        self.on_work(self._work(item))

    def _work(self, item: Settled) -> Work:
        return Work(
            name=f"POST {self.provider}" if item.was_asked else f"outbound.{item.route}",
            side=Side.ASKING if item.was_asked else Side.NOBODY,
            started_at=item.started_at,
            ended_at=item.ended_at,
            is_failed=item.was_asked and item.outcome is not Outcome.SUBMITTED,
            message_id=item.message_id,
            sender=self.sender,
            provider=self.provider,
            attempt=item.attempt,
            outcome=item.outcome,
            code=item.code or None,
        )

    def __str__(self) -> str:
        """`shop → submitted 37, deferred 2 (131056)`."""
        counts = Counter((item.outcome, item.code) for item in self.settled)
        parts = [f"{what} {n}" + (f" ({code})" if code else "") for (what, code), n in counts.items()]
        return f"{self.sender} → " + (", ".join(parts) or "nothing ready")


def tell_settled(sender: str, settled: Sequence[Settled]) -> None:
    """A message's id leads from its door to here: what went well by the hundred, the rest alone."""
    went = [item.message_id for item in settled if item.outcome is Outcome.SUBMITTED]
    for start in range(0, len(went), _IDS_A_LINE):
        ids = " ".join(went[start : start + _IDS_A_LINE])
        get_logger().info(LogEvent.MESSAGES_SUBMITTED, sender=sender, message_ids=ids)
    for item in settled:
        if item.outcome is Outcome.SUBMITTED:
            continue
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
