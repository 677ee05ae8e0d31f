"""The lanes of a sender: claim, begin, settle, and what runs by the clock.

A claim is a lease with a fence. Only after `begin` has said Go may a request leave; a begin that is never
settled becomes a doubt, never a repeat.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.clock import duration_ms, to_ms
from shared.configuration import AnySender
from shared.domain.identifiers import ContactId, MessageId
from shared.metrics import code_label
from shared.store.claims import (
    Begin,
    BeginAnswer,
    Changed,
    Claim,
    Claimed,
    Go,
    Limited,
    Lost,
    Settle,
    Stepped,
    Ticked,
)
from shared.store.codec import dump, load_known, load_request
from shared.store.data_version import CURRENT
from shared.store.grouped import GroupedScripts
from shared.store.limits import rate_of, watched_word, worth_a_ring_ms
from shared.store.scripts import Call, Scripts

_MOST_CLAIMS = 3
_MOST_PER_BEAT = 500
BELL_LIFE = timedelta(seconds=5)
_BEAT_LOCK = timedelta(milliseconds=400)


class Lanes:
    def __init__(
        self,
        scripts: Scripts,
        *,
        window_length: timedelta,
        lease: timedelta,
        grace: timedelta,
        retention: timedelta,
    ) -> None:
        self._scripts = scripts
        #: Every slot settles and begins; who comes while Redis is busy goes with the next.
        self._steps = GroupedScripts(scripts, first="settle")
        self._window_length = window_length
        self._lease = lease
        self._grace = grace
        self._retention = retention

    def claim(self, sender: AnySender, most: int, *, nonce: str, now: datetime) -> Claimed:
        """Take up to `most` lane heads that may be looked at now; fewer when the sender's rate says so.

        `nonce` makes the call safe to repeat: the same one gets the same claims.
        """
        rate = rate_of(sender)
        answer = self._scripts.run(
            Call.of(
                "claim",
                sender.business,
                to_ms(now),
                sender.alias,
                most,
                to_ms(now + self._lease),
                rate.interval_ms,
                rate.tolerance_ms,
                _MOST_CLAIMS,
                nonce,
                watched_word(sender),
            )
        )
        return self._claimed(sender, answer)

    def step(self, settles: Sequence[Settle], begins: Sequence[Begin], *, now: datetime) -> Stepped:
        """Settle what ended and begin what is next, in one round trip."""
        calls = [_settle_call(settle, now) for settle in settles]
        calls += [self._begin_call(begin, now) for begin in begins]
        if not calls:
            return Stepped(has_more=False, answers=())
        answers = self._steps.run_all(calls)
        settled, begun = answers[: len(settles)], answers[len(settles) :]
        done = [answer for answer in settled if answer[0] == "settled"]
        return Stepped(
            has_more=any(int(answer[1]) for answer in done),
            answers=tuple(self._begin_answer(answer) for answer in begun),
            circuit=tuple(answer[2] for answer in done if answer[2]),
        )

    def sweep(self, business: str, *, now: datetime) -> bool:
        """The business' part of a beat: expiries, waking, trimming. False: another worker has this beat."""
        call = Call.of(
            "sweep",
            business,
            to_ms(now),
            duration_ms(_BEAT_LOCK),
            _MOST_PER_BEAT,
            duration_ms(self._lease),
            duration_ms(self._retention),
            duration_ms(self._window_length),
            CURRENT,
        )
        return bool(self._scripts.run(call))

    def tick(self, senders: Sequence[AnySender], *, now: datetime) -> list[Ticked]:
        """The senders' part of a beat: ended leases, and which bells to ring."""
        lost = dump(
            {
                "ended_at": to_ms(now),
                "outcome": "unknown",
                "error": {
                    "code": "worker_lost",
                    "class": "in_doubt",
                    "detail": "The worker ended between request and record.",
                },
            }
        )
        calls = [
            Call.of(
                "tick",
                sender.business,
                to_ms(now),
                sender.alias,
                to_ms(now + self._grace),
                lost,
                _MOST_PER_BEAT,
                duration_ms(BELL_LIFE),
                rate_of(sender).tolerance_ms,
                worth_a_ring_ms(rate_of(sender)),
                watched_word(sender),
            )
            for sender in senders
        ]
        if not calls:
            return []
        return [
            Ticked(bool(ring), requeued, doubts, bool(waits))
            for ring, requeued, doubts, waits in self._scripts.run_all(calls)
        ]

    def _claimed(self, sender: AnySender, answer: Sequence[Any]) -> Claimed:
        """One that cannot be read does not take the others along: its lease ends, three times at most."""
        claims: list[Claim] = []
        unreadable: list[str] = []
        for taken in answer[2:]:
            try:
                claims.append(self._claim(sender, taken))
            except (ValueError, KeyError, TypeError):
                unreadable.append(str(taken[0]))
        return Claimed(
            claims=tuple(claims),
            internal_errors=int(answer[0]),
            unreadable=tuple(unreadable),
            is_limited=bool(answer[1]),
        )

    def _claim(self, sender: AnySender, taken: Sequence[Any]) -> Claim:
        message_id, fence, contact, request, attempts, refusals, tries, known = taken
        return Claim(
            sender=sender,
            message_id=MessageId(message_id),
            fence=str(fence),
            contact=ContactId(contact),
            request=load_request(request),
            attempts=int(attempts),
            tries=int(tries),
            window_refusals=int(refusals),
            known=load_known(known, self._window_length),
        )

    def _begin_call(self, begin: Begin, now: datetime) -> Call:
        claim = begin.claim
        rate = rate_of(claim.sender)
        return Call.of(
            "begin",
            claim.sender.business,
            to_ms(now),
            claim.sender.alias,
            claim.contact.value,
            claim.message_id.value,
            claim.fence,
            begin.nonce,
            begin.versions,
            to_ms(begin.begin_before),
            to_ms(now + self._lease),
            rate.interval_ms,
            rate.tolerance_ms,
            dump(begin.attempt),
            watched_word(claim.sender),
            int(begin.is_outside_window),
            _route_word(begin.attempt.get("route", {})),
        )

    def _begin_answer(self, answer: Sequence[Any]) -> BeginAnswer:
        match answer[0]:
            case "go":
                return Go(int(answer[1]))
            case "changed" | "late":
                return Changed(load_known(answer[1], self._window_length))
            case "limited":
                return Limited()
            case _:
                return Lost()


def _settle_call(settle: Settle, now: datetime) -> Call:
    claim = settle.claim
    return Call.of(
        "settle",
        claim.sender.business,
        to_ms(now),
        claim.sender.alias,
        claim.contact.value,
        claim.message_id.value,
        claim.fence,
        settle.outcome,
        to_ms(settle.until) if settle.until else "",
        settle.reason,
        dump(settle.result) if settle.result else "",
        dump(settle.route) if settle.route else "",
        settle.provider_message_id,
        " ".join(settle.groups),
        int(settle.is_try),
        settle.versions,
        dump(settle.effects) if settle.effects else "",
        settle.provider,
        _counted_as(settle),
    )


def _counted_as(settle: Settle) -> str:
    """For the metrics: the code of the error, or what route sent nothing."""
    if settle.result is not None:
        return code_label(str(settle.result.get("error", {}).get("code", "")))
    return "" if settle.route is None else _route_word(settle.route)


def _route_word(route: Mapping[str, Any]) -> str:
    """What is shown of a route is the decision's business; without kind or rule it is counted without."""
    return f"{route.get('kind', '')}:{route.get('rule', '')}"
