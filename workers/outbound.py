"""The handler of a doorbell: claim, decide, begin, send, settle, for one sender, until nothing is ready.

Each slot carries one request at a time; the settle of its last and the begin of its next share a round trip.
It does not know Celery, and a request never leaves before `begin` has said Go.
"""

import threading
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.clock import to_ms
from shared.configuration import AnySender
from shared.decision import describe, facts_of
from shared.deps import Deps
from shared.domain.identifiers import AttemptReference
from shared.domain.retry import ErrorClass
from shared.domain.routing import Route, SessionRoute, TemplateRoute, decide
from shared.errors import StoreUnavailableError
from shared.observability import LogEvent, get_logger
from shared.providers.base import UNLISTED, Outgoing, Rejected, SendResult
from shared.store.codec import Known
from shared.store.lanes import Begin, Changed, Claim, Go, Outcome, Settle, Stepped
from workers.outcomes import settle_sent, settle_unsent

DRAIN_FOR = timedelta(seconds=5)
_DECISIONS = 3
# What a provider has answered must not be forgotten because Redis restarts: the record waits for it.
_RECORD_TRIES = 20
_RECORD_PAUSE = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of one message in this drain; ids and words only, fit for Flower."""

    message_id: str
    route: str
    outcome: Outcome
    attempt: int
    code: str = ""
    started_at: datetime
    ended_at: datetime


@dataclass(slots=True)
class Report:
    """What a drain did."""

    sender: str
    settled: list[Settled] = field(default_factory=list)
    #: Something is left to do, and nobody rings for it but whoever reads this.
    must_ring: bool = False

    def __str__(self) -> str:
        counts = Counter(item.outcome + (f" ({item.code})" if item.code else "") for item in self.settled)
        return f"{self.sender} → " + (
            ", ".join(f"{what} {n}" for what, n in counts.items()) or "nothing ready"
        )


@dataclass(frozen=True, slots=True)
class _Begun:
    claim: Claim
    route: SessionRoute | TemplateRoute
    attempt: int


class Drain:
    """One run over one sender's lanes."""

    def __init__(
        self, deps: Deps, sender: AnySender, slots: Executor, *, most_slots: int, stopping: threading.Event
    ) -> None:
        self._deps = deps
        self._sender = sender
        self._provider = deps.providers[sender.alias]
        self._slots = slots
        self._most_slots = most_slots
        self._stopping = stopping
        self._until = deps.clock.now() + DRAIN_FOR
        self._lock = threading.Lock()
        self._claims: deque[Claim] = deque()
        self._expects_more = True
        self._runners: list[Future[None]] = []
        self._active = 0
        self._report = Report(sender.alias)

    def run(self) -> Report:
        """Returns when every slot is done; raises what a slot raised."""
        with self._lock:
            self._start_runner()
        while not all(runner.done() for runner in self._runners):
            wait(list(self._runners))  # a runner may start others, but only before it is done
        for runner in self._runners:
            runner.result()
        self._release_unbegun()
        self._report.must_ring = self._expects_more and not self._stopping.is_set()
        return self._report

    def _start_runner(self) -> None:
        self._active += 1
        self._runners.append(self._slots.submit(self._run_slot))

    def _run_slot(self) -> None:
        settles: list[Settle] = []
        try:
            while (batch := self._next_batch()) or settles:
                settles = self._work(batch, settles)
        finally:
            with self._lock:
                self._active -= 1

    def _next_batch(self) -> list[Claim]:
        """The next claims for one request; claims more when none are left, and starts slots for them."""
        size = self._provider.batch_size
        with self._lock:
            if not self._claims and self._may_claim():
                self._claim_more()
            batch = [self._claims.popleft() for _ in range(min(size, len(self._claims)))]
            for _ in range(self._runners_wanted(size)):
                self._start_runner()
        return batch

    def _may_claim(self) -> bool:
        clock = self._deps.clock
        if self._stopping.is_set() or clock.is_stale() or clock.now() >= self._until:
            return False
        return self._expects_more

    def _claim_more(self) -> None:
        # Two for each slot: a claim for many, and no lease runs out while its turn comes.
        most = 2 * max(self._most_slots, self._provider.batch_size)
        self._expects_more = False
        claims = self._deps.lanes.claim(self._sender, most, now=self._deps.clock.now())
        self._expects_more = len(claims) == most
        self._claims.extend(claims)

    def _runners_wanted(self, size: int) -> int:
        waiting_batches = -(-len(self._claims) // size)
        return max(0, min(waiting_batches, self._most_slots - self._active))

    def _work(self, batch: Sequence[Claim], settles: list[Settle]) -> list[Settle]:
        """Settle what ended, begin what is next, send it; returns how it ended, to be settled next."""
        begun, settles = self._begin(batch, settles)
        if settles:
            self._record(settles)
        if not begun:
            return []
        started_at = self._deps.clock.now()
        results = self._provider.send([_outgoing(item) for item in begun])
        return self._ended(begun, results, started_at)

    def _begin(self, batch: Sequence[Claim], settles: list[Settle]) -> tuple[list[_Begun], list[Settle]]:
        """Decide and begin; what changed under our hands is decided again, at most twice."""
        begun: list[_Begun] = []
        open_: list[tuple[Claim, Known]] = [(claim, claim.known) for claim in batch]
        for _ in range(_DECISIONS):
            if not open_:
                break
            begins, unsent = self._decide(open_)
            stepped = self._record([*settles, *unsent], [begin for begin, _ in begins])
            settles = []
            open_ = []
            for (begin, route), answer in zip(begins, stepped.answers, strict=True):
                if isinstance(answer, Go):
                    begun.append(_Begun(begin.claim, route, answer.attempt))
                elif isinstance(answer, Changed):
                    open_.append((begin.claim, answer.known))
        released = [Settle(claim=claim, outcome=Outcome.RELEASED) for claim, _ in open_]
        return begun, settles + released

    def _decide(
        self, claims: Sequence[tuple[Claim, Known]]
    ) -> tuple[list[tuple[Begin, SessionRoute | TemplateRoute]], list[Settle]]:
        begins: list[tuple[Begin, SessionRoute | TemplateRoute]] = []
        unsent: list[Settle] = []
        now = self._deps.clock.now()
        policy = self._deps.settings.configuration.policy
        for claim, known in claims:
            facts = facts_of(known, self._sender, policy, now)
            route = decide(claim.request, facts)
            if isinstance(route, SessionRoute | TemplateRoute):
                described = describe(route, claim.request, facts)
                begins.append((self._begin_of(claim, known, route, described, now), route))
            else:
                unsent.append(settle_unsent(claim, route, facts))
                self._note(claim, route, unsent[-1], now)
        return begins, unsent

    def _begin_of(
        self, claim: Claim, known: Known, route: Route, described: dict[str, object], now: datetime
    ) -> Begin:
        return Begin(
            claim=claim,
            nonce=self._deps.new_nonce(),
            versions=known.versions,
            begin_before=route.begin_before if isinstance(route, SessionRoute) else None,
            attempt={"started_at": to_ms(now), "route": described},
        )

    def _record(self, settles: Sequence[Settle], begins: Sequence[Begin] = ()) -> Stepped:
        """One round trip. With something to settle it waits for a server that is away."""
        tries = _RECORD_TRIES if settles else 1
        while True:
            try:
                stepped = self._deps.lanes.step(settles, begins, now=self._deps.clock.now())
            except StoreUnavailableError:
                tries -= 1
                if tries == 0:
                    raise
                self._deps.clock.sleep(_RECORD_PAUSE)
            else:
                with self._lock:
                    self._expects_more |= stepped.has_more
                return stepped

    def _ended(
        self, begun: Sequence[_Begun], results: Sequence[SendResult], started_at: datetime
    ) -> list[Settle]:
        now = self._deps.clock.now()
        grace = self._deps.settings.doubt_grace
        settles = []
        for item, result in zip(begun, results, strict=True):
            settle = settle_sent(item.claim, result, now=now, grace=grace, jitter=self._deps.jitter())
            settles.append(settle)
            self._note(item.claim, item.route, settle, started_at, attempt=item.attempt, result=result)
        for rejected in {result.code: result for result in results if isinstance(result, Rejected)}.values():
            self._alert(rejected)
        return settles

    def _alert(self, rejected: Rejected) -> None:
        """What somebody must hear of: a sender that cannot send, a code that we do not know."""
        if rejected.row is UNLISTED:
            get_logger().error(LogEvent.UNLISTED_ERROR_CODE, sender=self._sender.alias, code=rejected.code)
        if rejected.row.error_class is ErrorClass.HALT:
            why = f"{self._sender.provider} error {rejected.code}: {rejected.row.advice}"
            self._deps.senders.halt(self._sender, why, now=self._deps.clock.now())
            get_logger().error(LogEvent.SENDER_HALTED, sender=self._sender.alias, code=rejected.code)

    def _note(
        self,
        claim: Claim,
        route: Route,
        settle: Settle,
        started_at: datetime,
        *,
        attempt: int = 0,
        result: SendResult | None = None,
    ) -> None:
        code = result.code if isinstance(result, Rejected) else ""
        item = Settled(
            message_id=claim.message_id.value,
            route=route.kind,
            outcome=settle.outcome,
            attempt=attempt or claim.attempts,
            code=code if result else settle.reason,
            started_at=started_at,
            ended_at=self._deps.clock.now(),
        )
        with self._lock:
            self._report.settled.append(item)

    def _release_unbegun(self) -> None:
        """Claimed but not begun when we had to stop: provably not sent, ready again at once."""
        released = [Settle(claim=claim, outcome=Outcome.RELEASED) for claim in self._claims]
        self._claims.clear()
        if released:
            self._record(released)


def _outgoing(begun: _Begun) -> Outgoing:
    return Outgoing(
        reference=AttemptReference(begun.claim.message_id, begun.attempt),
        to=begun.claim.contact,
        route=begun.route,
    )
