"""What runs by the clock, every half second in every worker: one of them wins each beat.

Expiries, ended leases, waking, and a doorbell for every sender with something ready that nobody rang for.
"""

from itertools import groupby

from shared.configuration import AnySender
from shared.deps import Deps
from shared.observability import LogEvent, get_logger


class Ticker:
    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        senders = sorted(deps.settings.configuration.senders.values(), key=_business)
        self._senders = {business: list(group) for business, group in groupby(senders, key=_business)}

    def beat(self) -> None:
        """One beat over all businesses. Nothing is done by a clock that nobody has measured."""
        if self._deps.clock.is_stale():
            return
        for business, senders in self._senders.items():
            if self._deps.lanes.sweep(business, now=self._deps.clock.now()):
                self._tick(senders)

    def _tick(self, senders: list[AnySender]) -> None:
        ticks = self._deps.lanes.tick(senders, now=self._deps.clock.now())
        for sender, ticked in zip(senders, ticks, strict=True):
            if ticked.requeued or ticked.doubts:
                get_logger().warning(
                    LogEvent.LEASES_ENDED,
                    sender=sender.alias,
                    requeued=ticked.requeued,
                    doubts=ticked.doubts,
                )
            if ticked.must_ring:
                self._deps.ring(sender)


def _business(sender: AnySender) -> str:
    return sender.business
