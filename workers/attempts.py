"""One batch of claims: decide, begin, send, and say how each attempt ended.

A request never leaves before `begin` has said Go, nor after the time that `begin` was told. What a provider
has answered is never thrown away, whatever else goes wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.clock import to_ms
from shared.configuration import AnySender
from shared.decision import addressee, describe, facts_of
from shared.deps import Deps
from shared.domain.identifiers import AttemptReference, InvalidIdentifierError, PhoneNumber
from shared.domain.routes import Route, SessionRoute, TemplateRoute
from shared.domain.routing import Facts, decide
from shared.errors import StoreUnavailableError
from shared.observability import LogEvent, get_logger, place_of
from shared.providers.base import Outgoing, Rejected, SendResult, Submitted
from shared.settings import LEASE, PROVIDER_DEADLINE
from shared.store.claims import Begin, Changed, Claim, Go, Outcome, Settle, Stepped
from shared.store.codec import Known
from workers.aftermath import Aftermath
from workers.nudges import is_nudging, nudge, settle_nudged
from workers.outcomes import settle_sent, settle_unsent
from workers.report import Report, Settled

_DECISIONS = 3
# What a provider has answered must not be forgotten because Redis restarts: the record waits for it.
_RECORD_TRIES = 20
_RECORD_PAUSE = timedelta(seconds=0.5)
#: After this a request could outlive its lease.
_BEGUN_FOR = LEASE - PROVIDER_DEADLINE


@dataclass(frozen=True, slots=True)
class _Begun:
    claim: Claim
    route: SessionRoute | TemplateRoute
    attempt: int
    #: The last instant at which it may leave.
    leave_before: datetime


class Attempts:
    """The attempts of one sender in one drain."""

    def __init__(self, deps: Deps, sender: AnySender, report: Report) -> None:
        self._deps = deps
        self._sender = sender
        self._provider = deps.providers[sender.alias]
        self._report = report
        self._aftermath = Aftermath(deps, sender)

    @property
    def batch_size(self) -> int:
        return self._provider.batch_size

    def work(self, batch: Sequence[Claim], settles: list[Settle]) -> tuple[list[Settle], bool]:
        """Settle what ended, begin what is next, send it.

        Returns what is to be settled next, and whether a settled contact has more to do now.
        """
        begun, settles, has_more = self._begin(batch, settles)
        if not begun:
            return [], has_more | (bool(settles) and self.record(settles).has_more)
        return settles + self._send(begun), has_more

    def record(
        self, settles: Sequence[Settle], begins: Sequence[Begin] = (), *, tries: int = _RECORD_TRIES
    ) -> Stepped:
        """One round trip. It waits for a server that is away: also for the answer to a begin, which would be
        a doubt without it.
        """
        while True:
            try:
                stepped = self._deps.lanes.step(settles, begins, now=self._deps.clock.now())
            except StoreUnavailableError:
                tries -= 1
                if tries == 0:
                    raise
                self._deps.clock.sleep(_RECORD_PAUSE)
            else:
                self._tell_circuit(stepped)
                return stepped

    def _tell_circuit(self, stepped: Stepped) -> None:
        for word in stepped.circuit:
            get_logger().warning(LogEvent.CIRCUIT_CHANGED, sender=self._sender.alias, circuit=word)

    def _begin(
        self, batch: Sequence[Claim], settles: list[Settle]
    ) -> tuple[list[_Begun], list[Settle], bool]:
        """Decide and begin; what changed under our hands is decided again, at most twice."""
        begun: list[_Begun] = []
        has_more = False
        undecided: list[tuple[Claim, Known]] = [(claim, claim.known) for claim in batch]
        for _ in range(_DECISIONS):
            if not undecided:
                break
            begins, unsent = self._decide(undecided)
            settles = [*settles, *unsent]
            tries = 1 if begun and not settles else _RECORD_TRIES
            try:
                stepped = self.record(settles, [begin for begin, _ in begins], tries=tries)
            except StoreUnavailableError:
                if not begun:
                    raise
                return begun, settles, has_more  # what has begun goes first; the rest lapses unbegun
            settles, undecided = [], []
            has_more |= stepped.has_more
            for (begin, route), answer in zip(begins, stepped.answers, strict=True):
                if isinstance(answer, Go):
                    begun.append(_Begun(begin.claim, route, answer.attempt, self._leave_before(begin)))
                elif isinstance(answer, Changed):
                    undecided.append((begin.claim, answer.known))
        return begun, settles + _released(claim for claim, _ in undecided), has_more

    def _leave_before(self, begin: Begin) -> datetime:
        return min(begin.begin_before, begin.decided_at + _BEGUN_FOR)

    def _decide(
        self, claims: Sequence[tuple[Claim, Known]]
    ) -> tuple[list[tuple[Begin, SessionRoute | TemplateRoute]], list[Settle]]:
        begins: list[tuple[Begin, SessionRoute | TemplateRoute]] = []
        unsent: list[Settle] = []
        now = self._deps.clock.now()
        for claim, known in claims:
            try:
                decided = self._decide_one(claim, known, now)
            except Exception as exc:  # noqa: BLE001 - a message that cannot be decided must not take others along
                get_logger().error(
                    LogEvent.BUG,
                    message_id=claim.message_id.value,
                    error=type(exc).__name__,
                    at=place_of(exc),
                )
                continue
            if isinstance(decided, Settle):
                unsent.append(decided)
            else:
                begins.append(decided)
        return begins, unsent

    def _decide_one(
        self, claim: Claim, known: Known, now: datetime
    ) -> tuple[Begin, SessionRoute | TemplateRoute] | Settle:
        if known is not claim.known:
            claim = replace(claim, known=known)
        facts = facts_of(known, self._sender, self._deps.settings.configuration.policy, now)
        route = decide(claim.request, facts)
        if is_nudging(route):
            return self._nudge(claim, route, facts, now)
        if not isinstance(route, SessionRoute | TemplateRoute):
            settle = replace(
                settle_unsent(claim, route, facts),
                versions=known.versions,
                provider="idle" if known.is_away else "",  # the turn to try goes to the next
            )
            self._note(claim, route, settle, now)
            return settle
        begin = Begin(
            claim=claim,
            nonce=self._deps.new_nonce(),
            versions=known.versions,
            decided_at=now,
            begin_before=_last_instant(claim, route),
            is_outside_window=not facts.window.is_open_for(facts.margin, now),
            attempt={"started_at": to_ms(now), "route": describe(route, claim.request, facts)},
        )
        return begin, route

    def _nudge(self, claim: Claim, route: Route, facts: Facts, now: datetime) -> Settle:
        nudged = nudge(self._deps.messages, claim, self._deps.new_message_id(), now)
        settle = settle_nudged(claim, facts, nudged)
        self._note(claim, route, settle, now)
        return settle

    def _send(self, begun: Sequence[_Begun]) -> list[Settle]:
        """The request. What Redis has delayed for too long stays here: provably unsent."""
        started_at = self._deps.clock.now()
        late = [item for item in begun if started_at > item.leave_before]
        begun = [item for item in begun if started_at <= item.leave_before]
        settles = [
            Settle(claim=item.claim, outcome=Outcome.DEFERRED, until=started_at, reason="begun_too_late")
            for item in late
        ]
        if not begun:
            return settles
        outgoing = [_outgoing(item) for item in begun]
        results = self._provider.send(outgoing)
        self._learn(begun, outgoing, results)
        return settles + self._ended(begun, results, started_at)

    def _learn(
        self, begun: Sequence[_Begun], outgoing: Sequence[Outgoing], results: Sequence[SendResult]
    ) -> None:
        """Keep the number that the provider answered with: no rule of ours knows it better."""
        for item, out, result in zip(begun, outgoing, results, strict=True):
            number = _other_number(out, result)
            if number is None:
                continue
            try:
                self._deps.contacts.learn(
                    self._sender.business,
                    item.claim.known.contact,
                    number,
                    by=item.claim.message_id,
                    now=self._deps.clock.now(),
                )
            except Exception as exc:  # noqa: BLE001 - the answer must be recorded whatever happens here
                get_logger().error(LogEvent.BUG, where="learn", error=type(exc).__name__, at=place_of(exc))

    def _ended(
        self, begun: Sequence[_Begun], results: Sequence[SendResult], started_at: datetime
    ) -> list[Settle]:
        now = self._deps.clock.now()
        grace = self._deps.settings.doubt_grace
        settles = []
        for item, result in zip(begun, results, strict=True):
            settle = settle_sent(
                item.claim,
                result,
                kind=item.route.kind,
                now=now,
                grace=grace,
                jitter=self._deps.jitter(),
            )
            settles.append(settle)
            self._note(item.claim, item.route, settle, started_at, attempt=item.attempt, result=result)
        return self._aftermath.settle(settles, results)

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
        self._report.add(
            Settled(
                message_id=claim.message_id.value,
                route=route.kind,
                outcome=settle.outcome,
                attempt=attempt or claim.attempts,
                code=code if result else settle.reason,
                was_asked=result is not None,
                started_at=started_at,
                ended_at=self._deps.clock.now(),
            )
        )


def _last_instant(claim: Claim, route: SessionRoute | TemplateRoute) -> datetime:
    expires_at = claim.request.expires_at
    return min(route.begin_before, expires_at) if isinstance(route, SessionRoute) else expires_at


def _released(claims: Iterable[Claim]) -> list[Settle]:
    """Given back unbegun: provably not sent, ready again at once."""
    return [Settle(claim=claim, outcome=Outcome.RELEASED) for claim in claims]


def _outgoing(begun: _Begun) -> Outgoing:
    claim = begun.claim
    return Outgoing(
        reference=AttemptReference(claim.message_id, begun.attempt),
        to=addressee(claim.request, claim.known, claim.sender, begun.route),
        route=begun.route,
        expires_at=claim.request.expires_at,
    )


def _other_number(outgoing: Outgoing, result: SendResult) -> PhoneNumber | None:
    """The number under which WhatsApp knows the contact, when it is not the one that was sent to."""
    if not isinstance(result, Submitted) or result.wa_id is None or outgoing.to.phone_number is None:
        return None
    try:
        number = PhoneNumber.from_digits(result.wa_id)
    except InvalidIdentifierError:
        return None
    return None if number == outgoing.to.phone_number else number
