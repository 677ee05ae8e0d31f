"""The handler of a doorbell: take a sender's lanes, a batch at a time, to as many slots as are free.

Each slot carries one request at a time; the settle of its last and the begin of its next share a round trip.
It ends when nothing is ready, or after DRAIN_FOR. It does not know Celery, nor what a route is.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from datetime import datetime, timedelta

from shared.configuration import AnySender
from shared.deps import Deps
from shared.observability import LogEvent, get_logger
from shared.settings import LEASE
from shared.store.claims import Claim, Claimed, Outcome, Settle
from workers.attempts import Attempts
from workers.report import Report

DRAIN_FOR = timedelta(seconds=5)
#: A claim that has waited longer for its turn is given back before its lease ends.
_FRESH_FOR = LEASE / 2
#: How soon a slot that has nothing to do asks again for what waits for the sender's rate.
_LIMITED_FOR = timedelta(seconds=0.05)


class Drain:
    """One run over one sender's lanes."""

    def __init__(
        self,
        deps: Deps,
        sender: AnySender,
        slots: Executor,
        *,
        most_slots: int,
        stopping: threading.Event,
        when_limited: Callable[[], None] = lambda: None,
    ) -> None:
        """`when_limited`: told that more is due than the sender's rate lets go: somebody is to look again."""
        self._deps = deps
        self._sender = sender
        self._slots = slots
        self._most_slots = most_slots
        self._stopping = stopping
        self._when_limited = when_limited
        self._report = Report(sender.alias, sender.provider, deps.on_work)
        self._attempts = Attempts(deps, sender, self._report)
        self._started_at = deps.clock.now()
        self._lock = threading.Lock()
        #: What is in hand, the oldest first, each with the time of its claim.
        self._claims: deque[tuple[datetime, Claim]] = deque()
        self._expects_more = True
        self._is_claiming = False
        #: More is due than the sender's rate let go; None: not that we know.
        self._limited_until: datetime | None = None
        self._runners: list[Future[None]] = []
        self._active = 0

    @property
    def is_loaded(self) -> bool:
        """It has claims in hand that wait for their turn: somebody else would be of use."""
        return bool(self._claims)

    def run(self) -> Report:
        """Returns when every slot is done; raises what a slot raised."""
        with self._lock:
            self._start_runner()
        while not all(runner.done() for runner in self._runners):
            wait(list(self._runners))  # a runner may start others, but only before it is done
        self._release_unbegun()
        for runner in self._runners:
            runner.result()
        self._report.must_ring = self._expects_more and self._is_able()
        return self._report

    def _start_runner(self) -> None:
        self._active += 1
        self._runners.append(self._slots.submit(self._run_slot))

    def _run_slot(self) -> None:
        settles: list[Settle] = []
        try:
            while (batch := self._next_batch()) or settles:
                settles, has_more = self._attempts.work(batch, settles)
                with self._lock:
                    self._expects_more |= has_more
        except Exception:
            # What a provider has answered is recorded whatever else went wrong; settling is safe to repeat.
            if settles:
                self._attempts.record(settles)
            raise
        finally:
            with self._lock:
                self._active -= 1

    def _next_batch(self) -> list[Claim]:
        """The next claims for one request. Who finds few of them claims more, and starts slots for them."""
        with self._lock:
            must_claim = self._must_claim()
            if must_claim:
                self._is_claiming, self._expects_more = True, False
        if must_claim:
            self._claim_more()
        with self._lock:
            return self._take()

    def _must_claim(self) -> bool:
        """Early enough that no slot stands still meanwhile, and that each request is full."""
        few = max(self._attempts.batch_size, self._most_slots // 2)
        return len(self._claims) < few and not self._is_claiming and self._may_claim()

    def _take(self) -> list[Claim]:
        """Nothing: what is left is given back, or is for whoever is claiming more just now."""
        size = self._attempts.batch_size
        if self._stopping.is_set() or self._is_stale() or (self._is_claiming and len(self._claims) < size):
            return []
        batch = [self._claims.popleft()[1] for _ in range(min(size, len(self._claims)))]
        for _ in range(self._runners_wanted(size)):
            self._start_runner()
        return batch

    def _is_stale(self) -> bool:
        return bool(self._claims) and self._deps.clock.now() - self._claims[0][0] > _FRESH_FOR

    def _may_claim(self) -> bool:
        is_early = self._deps.clock.now() < self._started_at + DRAIN_FOR
        is_free = self._limited_until is not None and self._deps.clock.now() >= self._limited_until
        return (self._expects_more or is_free) and is_early and self._is_able()

    def _is_able(self) -> bool:
        return not self._stopping.is_set() and not self._deps.clock.is_stale()

    def _claim_more(self) -> None:
        # Two for each slot: a claim for many, and no lease runs out while its turn comes.
        most = 2 * max(self._most_slots, self._attempts.batch_size)
        claimed = Claimed(claims=(), internal_errors=0, unreadable=(), is_limited=False)
        claimed_at, nonce = self._deps.clock.now(), self._deps.new_nonce()
        try:
            claimed = self._deps.lanes.claim(self._sender, most, nonce=nonce, now=claimed_at)
        finally:
            with self._lock:
                self._is_claiming = False
                self._expects_more |= len(claimed.claims) == most
                self._limited_until = claimed_at + _LIMITED_FOR if claimed.is_limited else None
                self._claims.extend((claimed_at, claim) for claim in claimed.claims)
        if claimed.is_limited:
            self._when_limited()
        if claimed.internal_errors or claimed.unreadable:
            get_logger().error(
                LogEvent.INTERNAL_ERROR,
                sender=self._sender.alias,
                ended=claimed.internal_errors,
                unreadable=claimed.unreadable,
            )
            name = f"unforeseen_total:{self._sender.alias}:internal_error"
            self._deps.tallies.add(
                self._sender.business, name, claimed.internal_errors + len(claimed.unreadable)
            )

    def _runners_wanted(self, size: int) -> int:
        waiting_batches = -(-len(self._claims) // size)
        return max(0, min(waiting_batches, self._most_slots - self._active))

    def _release_unbegun(self) -> None:
        """Claimed but not begun when we had to stop: provably not sent, ready again at once."""
        released = [Settle(claim=claim, outcome=Outcome.RELEASED) for _, claim in self._claims]
        self._claims.clear()
        if released:
            self._expects_more |= self._attempts.record(released).has_more
