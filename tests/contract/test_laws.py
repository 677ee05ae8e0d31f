"""Whatever happens in whatever order, no message is lost, stuck or begun twice.

A machine accepts, claims, begins, settles, repeats and crashes as chance has it; after each step it reads
where everything stands in Redis (tests/laws.py). At the end it lets all run out, and nothing may be left.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from ulid import ULID

from shared.clock import ManualClock, from_ms
from shared.configuration import Policy
from shared.decision import describe, facts_of
from shared.domain.consent import Category, ConsentRecord
from shared.domain.halts import HaltKind
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.message import (
    BY_HAND,
    TRANSITIONS,
    InDoubt,
    MessageRequest,
    MessageState,
    WhenClosed,
)
from shared.domain.routes import RouteKind, SessionRoute, TemplateRoute
from shared.domain.routing import Facts, decide
from shared.domain.templates import Approval, Gate
from shared.providers.base import SendResult, Submitted
from shared.store.changes import Change, Hand, Resolution, Retry
from shared.store.claims import Begin, BeginAnswer, Changed, Claim, Go, Outcome, Settle
from shared.store.effects import plain_effects
from shared.store.messages import Acceptance
from tests.builders import (
    DAY,
    GRACE,
    NOW,
    Stores,
    opt_in,
    opt_out,
    request,
    status,
    wrote,
)
from tests.drawn import (
    SECOND,
    TEMPLATES,
    ages,
    apps,
    changes,
    contacts,
    contents,
    deeds,
    lifetimes,
    manners,
    messages,
    pauses,
    reports,
    results,
    texts,
    times,
    while_any,
    while_busy,
)
from tests.laws import CONTACTS, FINAL, LAWS, SENDER, WAITING, Standing
from workers.nudges import is_nudging, nudge, request_of, settle_nudged
from workers.outcomes import effects_on_others, settle_sent, settle_unsent, word_of_provider

pytestmark = pytest.mark.timeout(600)  # what fails is made smaller for up to five minutes


@dataclass(frozen=True, kw_only=True)
class Attempt:
    claim: Claim
    number: int
    kind: RouteKind


HAND = Hand(name="desk", app=None)


class Machine(RuleBasedStateMachine):
    """One sender with three contacts, two templates, and workers that forget and repeat themselves."""

    claims = Bundle("claims")
    begun = Bundle("begun")
    #: Every attempt that ever left: a status may come at any time.
    sent = Bundle("sent")

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.flushdb()
        self.client = client
        self.stores = Stores(client)
        self.clock = ManualClock(NOW)
        self.requests: dict[str, MessageRequest] = {}
        self.states: dict[str, MessageState] = {}
        self.numbers: set[tuple[str, int]] = set()
        self.settles: list[Settle] = []
        #: What a hand moved in this step.
        self.moved_by_hand: set[str] = set()
        for registered in TEMPLATES:
            self.stores.templates.create(SENDER.business, registered, nonce="n")
        for contact in CONTACTS:
            self.set_consent(contact, opt_in())
            self.stores.recorder.record([(SENDER, wrote(contact=contact))], now=NOW)

    @property
    def now(self):
        return self.clock.now()

    @rule(content=contents, manner=manners, app=apps, lifetime=lifetimes, times=times)
    def accept(self, content, manner, app, lifetime, times):
        if manner["when_closed"] is WhenClosed.NUDGE and not (content["content"] and content["templates"]):
            manner = {**manner, "when_closed": WhenClosed.WAIT}  # the doors refuse it
        asked = request(**content, **manner, expires_at=self.now + lifetime)
        acceptance = Acceptance(message_id=MessageId.from_ulid(str(ULID())), app=app, request=asked)
        for _ in range(times):
            self.stores.messages.accept(SENDER, acceptance, now=self.now)
        self.requests[acceptance.message_id.value] = asked

    @while_busy
    @rule(contact=contacts, age=ages, text=texts, times=times)
    def contact_writes(self, contact, age, text, times):
        event = wrote(self.now - age, contact=contact, text=text)
        self.stores.recorder.record([(SENDER, event)] * times, now=self.now)

    @rule(attempt=sent, report=reports, times=times)
    def status(self, attempt, report, times):
        state, row = report
        event = status(attempt.claim.message_id, state, attempt=attempt.number, row=row)
        self.stores.recorder.record([(SENDER, event)] * times, now=self.now)

    @while_busy
    @rule(target=claims, most=st.sampled_from([1, 2, 8]), times=times)
    def claim(self, most, times):
        return multiple(*self.claim_up_to(most, times=times))

    @rule(targets=(begun, sent), claim=consumes(claims), times=times)
    def work(self, claim, times):
        return multiple(*self.work_on([claim], times=times))

    @while_busy
    @rule(targets=(begun, sent), most=st.sampled_from([1, 8]), times=times)
    def claim_and_work(self, most, times):
        return multiple(*self.work_on(self.claim_up_to(most, times=times), times=times))

    @rule(attempt=consumes(begun), result=results, times=times)
    def answer(self, attempt, result, times):
        self.settle_attempt(attempt, result, times=times)

    @while_busy
    @rule(target=sent, result=results, times=times)
    def send(self, result, times):
        """All of it at once, as it goes when nothing happens in between."""
        attempts = self.work_on(self.claim_up_to(8, times=times), times=times)
        self.every_law_holds()
        for attempt in attempts:
            self.settle_attempt(attempt, result, times=times)
        return multiple(*attempts)

    @precondition(lambda self: self.settles)
    @rule(settle=st.runner().flatmap(lambda self: st.sampled_from(self.settles)))
    def settle_long_after(self, settle):
        self.stores.lanes.step([settle], [], now=self.now)

    @rule(claim=consumes(claims), times=times)
    def release(self, claim, times):
        self.settle(Settle(claim=claim, outcome=Outcome.RELEASED), times=times)

    @rule(attempt=consumes(begun))
    def crash(self, attempt):
        """Nobody settles it. A claim that nobody works on is a crash before the begin."""

    @while_busy
    @rule(seconds=pauses, has_beat=st.booleans())
    def time_passes(self, seconds, has_beat):
        self.clock.advance(timedelta(seconds=seconds))
        self.end_windows()
        if has_beat:
            self.beat()

    @while_busy
    @rule(change=changes, contact=contacts, changed=st.sampled_from(TEMPLATES))
    def facts_change(self, change, contact, changed):
        match change:
            case "halt":
                self.stores.senders.halt(SENDER, "why", now=self.now)
            case "halt_templates":
                self.stores.senders.halt(SENDER, "why", now=self.now, kind=HaltKind.TEMPLATE)
            case "halt_a_minute":
                self.stores.senders.halt(SENDER, "why", now=self.now, until=self.now + 60 * SECOND)
            case "resume":
                self.stores.senders.resume(SENDER, now=self.now)
            case "opt_out":
                self.set_consent(contact, opt_out(self.now))
            case "opt_in":
                self.set_consent(contact, opt_in(self.now))
            case Approval():
                for gate in Gate:
                    self.stores.templates.decide(SENDER.business, changed.id, gate, change, None)

    @while_any
    @rule(id_=messages, deed=deeds, lifetime=st.none() | lifetimes, times=times)
    def hand_changes(self, id_, deed, lifetime, times):
        match deed:
            case "cancel":
                self.cancel(id_, times)
            case Resolution():
                self.resolve(id_, deed, times)
            case _:
                self.retry(id_, lifetime, times, accepts_duplicate=deed == "retry anything")
        self.moved_by_hand.add(id_)

    def cancel(self, id_: str, times: int) -> None:
        changes, is_stopped = self.stores.changes, self.states[id_] in WAITING | {MessageState.CANCELLED}
        answers = [
            changes.cancel(SENDER.business, [MessageId(id_)], hand=HAND, now=self.now)[0].change
            for _ in range(times)
        ]
        assert answers == [Change.DONE if is_stopped else Change.REFUSED] * times

    def retry(self, id_: str, lifetime: timedelta | None, times: int, *, accepts_duplicate: bool) -> None:
        expires_at = None if lifetime is None else self.now + lifetime
        retry = Retry(nonce=str(ULID()), expires_at=expires_at, accepts_duplicate=accepts_duplicate)
        asked, changes = self.requests[id_], self.stores.changes
        message = (MessageId(id_), asked)
        answers = [
            changes.retry(SENDER.business, [message], retry, hand=HAND, now=self.now)[0].change
            for _ in range(times)
        ]
        assert len(set(answers)) == 1, answers
        if answers[0] is Change.DONE:
            assert self.states[id_] is not MessageState.UNKNOWN or accepts_duplicate, id_
            self.requests[id_] = replace(asked, expires_at=expires_at or asked.expires_at)

    def resolve(self, id_: str, resolution: Resolution, times: int) -> None:
        changes = self.stores.changes
        for _ in range(times):
            answer = changes.resolve(SENDER.business, MessageId(id_), resolution, hand=HAND, now=self.now)
            assert self.states[id_] is not MessageState.UNKNOWN or answer.change is Change.DONE

    @invariant()
    def every_law_holds(self):
        standing = Standing(self.client, list(self.requests))
        for law in LAWS:
            law(standing)
        self.messages_move_along_the_table(standing)

    def teardown(self):
        """Every worker dies; others come, and what is left runs out."""
        for _ in range(50):
            self.stores.senders.resume(SENDER, now=self.now)
            self.clock.advance(timedelta(hours=1))
            self.end_windows()
            self.beat()
            self.work_off()
            self.every_law_holds()
            if not self.left():
                break

        assert self.left() == []
        assert {*self.states.values()} <= FINAL | {MessageState.UNKNOWN}

    def work_off(self):
        attempts = self.work_on(self.claim_up_to(8))
        self.every_law_holds()
        for attempt in attempts:
            self.settle_attempt(attempt, Submitted())

    def left(self) -> list[str]:
        kinds = ("lane", "held", "ready", "placed", "leased", "claimed", "paused", "expiring")
        return [key for kind in kinds for key in self.client.keys(f"{kind}:*")]

    def messages_move_along_the_table(self, standing: Standing) -> None:
        for id_, state in standing.states.items():
            before = self.states.get(id_, MessageState.QUEUED)
            by_hand = BY_HAND.get(before, frozenset()) if id_ in self.moved_by_hand else frozenset()
            assert state is before or state in TRANSITIONS[before] | by_hand, (id_, before, state)
            is_again = (before, state) == (MessageState.UNKNOWN, MessageState.SENDING)
            assert not is_again or self.requests[id_].in_doubt is InDoubt.RESEND, id_
        self.states = standing.states
        self.moved_by_hand.clear()

    def claim_up_to(self, most: int, *, times: int = 1) -> list[Claim]:
        nonce = str(ULID())
        answers = [self.stores.lanes.claim(SENDER, most, nonce=nonce, now=self.now) for _ in range(times)]
        assert answers[0] in ([], answers[-1])  # that nothing was claimed is not remembered
        return answers[-1]

    def work_on(self, claims: list[Claim], *, times: int = 1) -> list[Attempt]:
        attempts = [self.decide_and_step(claim, times=times) for claim in claims]
        return [attempt for attempt in attempts if attempt is not None]

    def decide_and_step(self, claim: Claim, *, times: int) -> Attempt | None:
        """None: the route sends nothing and the claim is settled, or it may not begin."""
        answer = self.decide_once(claim, times=times)
        if isinstance(answer, Changed):
            answer = self.decide_once(replace(claim, known=answer.known), times=times)
            assert not isinstance(answer, Changed)
        return answer

    def decide_once(self, claim: Claim, *, times: int) -> Attempt | Changed | None:
        facts = facts_of(claim.known, SENDER, Policy(), self.now)
        route = decide(claim.request, facts)
        if is_nudging(route):
            self.nudge(claim, facts, times=times)
            return None
        if not isinstance(route, SessionRoute | TemplateRoute):
            unsent = replace(settle_unsent(claim, route, facts), versions=claim.known.versions)
            self.settle(replace(unsent, provider="idle" if claim.known.is_away else ""), times=times)
            return None
        is_outside = not facts.window.is_open_for(facts.margin, self.now)
        described = describe(route, claim.request, facts)
        answer = self.begin(claim, described, is_outside_window=is_outside, times=times)
        if isinstance(answer, Go):
            return Attempt(claim=claim, number=answer.attempt, kind=route.kind)
        return answer if isinstance(answer, Changed) else None

    def nudge(self, claim: Claim, facts: Facts, *, times: int) -> None:
        new_id = MessageId.from_ulid(str(ULID()))
        nudged, *repeats = [nudge(self.stores.messages, claim, new_id, self.now) for _ in range(times)]
        assert repeats in ([], [nudged])
        if nudged is not None and nudged.by == new_id:
            self.requests[new_id.value] = request_of(claim)
        self.settle(settle_nudged(claim, facts, nudged), times=times)

    def begin(
        self, claim: Claim, route: dict[str, Any], *, is_outside_window: bool, times: int
    ) -> BeginAnswer:
        begin = Begin(
            claim=claim,
            nonce=claim.fence,
            versions=claim.known.versions,
            decided_at=self.now,
            begin_before=claim.request.expires_at,
            is_outside_window=is_outside_window,
            attempt={"route": route},
        )
        first, *repeats = [self.stores.lanes.step([], [begin], now=self.now).answers[0] for _ in range(times)]
        if isinstance(first, Go):
            assert repeats in ([], [first])
            self.note_begun(claim.message_id.value, first.attempt)
        return first

    def note_begun(self, id_: str, attempt: int) -> None:
        assert (id_, attempt) not in self.numbers
        self.numbers.add((id_, attempt))

    def settle_attempt(self, attempt: Attempt, result: SendResult, *, times: int = 1) -> None:
        settle = settle_sent(attempt.claim, result, kind=attempt.kind, now=self.now, grace=GRACE, jitter=0.5)
        effects = effects_on_others(settle, result, self.now)
        told = effects and plain_effects(effects, SENDER, [SENDER], SENDER.business)
        word = word_of_provider(result, is_watched=True)
        self.settle(replace(settle, effects=told or None, provider=word), times=times)

    def settle(self, settle: Settle, *, times: int) -> None:
        for _ in range(times):
            self.stores.lanes.step([settle], [], now=self.now)
        self.settles.append(settle)

    def beat(self) -> None:
        self.client.delete("ticker:{default}")
        self.stores.lanes.sweep(SENDER.business, now=self.now)
        self.stores.lanes.tick([SENDER], now=self.now)

    def set_consent(self, contact: ContactId, record: ConsentRecord) -> None:
        self.stores.contacts.set_consent(SENDER, contact, record, list(Category), now=self.now)

    def end_windows(self) -> None:
        """What Redis does by its own clock, which no test can move."""
        for key in self.client.keys("window:*"):
            last, _, _ = self.client.get(key).partition("|")
            if from_ms(last) + DAY <= self.now:
                self.client.delete(key)


def run(client: redis.Redis, *, examples: int, steps: int) -> None:
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(lambda: Machine(client), settings=limits)


def test_the_laws_hold_whatever_happens(fake_redis):
    run(fake_redis, examples=60, steps=40)


def test_the_laws_hold_on_a_real_server(real_redis):
    run(real_redis, examples=10, steps=40)
