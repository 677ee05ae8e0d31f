"""No template request leaves without a live opt-in and two approvals, whatever is racing; on a real server.

What changes and what begins is numbered in the order in which Redis did it, so that no clock is believed.
"""

import json
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from shared.configuration import Configuration, Policy, Secret
from shared.domain.consent import Category
from shared.domain.events import TemplateStatusChanged
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.message import MessageState
from shared.domain.templates import Approval, Gate, TemplateStatus
from shared.domain.window import WindowPolicy
from shared.store.messages import Acceptance
from shared.store.updates import RecordingPolicy
from tests.builders import DAY, NOW, World, app, call, meta_sender, opt_in, opt_out, request, template
from tests.ordering import ordered
from tests.public_door import post_meta
from webhook.app import create_receiver
from workers.outbound import Drain

WORKERS = 50
SECOND = timedelta(seconds=1)
SENDER = meta_sender(throughput_per_second=100_000.0)
NAME = "ordine_pronto/it"
PEOPLE = [ContactId(f"+39333000{number:04}") for number in range(60)]


class Race:
    """Workers on one side, changes on the other, and what both did in order."""

    def __init__(self, client) -> None:
        configuration = Configuration(
            senders={"shop": SENDER}, apps={"orders": app("orders", ("messages",))}, policy=Policy()
        )
        keys = (Secret("a key of this test"),)
        self.world = World(client, configuration=configuration, secret_keys=keys)
        policy = RecordingPolicy(
            window=WindowPolicy(), languages=("it",), retention=30 * DAY, aliases_of={"default": ("shop",)}
        )
        deps, self.scripts = ordered(self.world.deps, client, policy)
        self.world.deps = self.deps = deps
        self.deps.templates.create("default", template(SENDER), nonce="1")

    def accept(self, contact: ContactId) -> MessageId:
        asked = request(to=contact, content=None, templates=(call(),))
        acceptance = Acceptance(message_id=self.deps.new_message_id(), app="orders", request=asked)
        return self.deps.messages.accept(SENDER, acceptance, now=NOW).message_id

    def drain(self, slots: ThreadPoolExecutor) -> None:
        Drain(self.deps, SENDER, slots, most_slots=WORKERS, stopping=threading.Event()).run()

    def wake(self) -> None:
        self.deps.lanes.sweep("default", now=self.world.clock.now())
        self.world.clock.advance(SECOND)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Two drains with fifty threads, until the end."""
        over = threading.Event()

        def work() -> None:
            while not over.is_set():
                self.drain(slots)

        with ThreadPoolExecutor(WORKERS) as slots, ThreadPoolExecutor(2) as drains:
            running = [drains.submit(work) for _ in range(2)]
            try:
                yield
            finally:
                over.set()
            for one in running:
                one.result()


@dataclass
class Standing:
    """What stood from which number on, by what it is about."""

    changes: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)

    def note(self, what: str, order: int, *, is_good: bool) -> None:
        self.changes.setdefault(what, []).append((order, is_good))

    def is_good(self, what: str, order: int) -> bool:
        before = [is_good for at, is_good in self.changes.get(what, []) if at < order]
        return bool(before) and before[-1]


class Changes:
    """Each thing is changed by one thread alone, so what it did is in order."""

    def __init__(self, race: Race, seed: int) -> None:
        self.race, self.random, self.standing = race, random.Random(seed), Standing()
        self.step = 0

    def consents(self, people: list[ContactId]) -> None:
        contact, is_in = self.random.choice(people), self.random.random() < 0.6
        self.step += 1
        at = NOW - DAY + self.step * SECOND
        record = opt_in(at) if is_in else opt_out(at)
        self.race.deps.contacts.set_consent(SENDER, contact, record, [Category.UTILITY], now=NOW)
        self.standing.note(contact.value, self.race.scripts.last_order, is_good=is_in)

    def erasures(self, people: list[ContactId]) -> None:
        """Answered means over: from then on nothing goes to the person until they opt in anew."""
        contact = self.random.choice(people)
        self.race.deps.erasure.erase("default", contact, now=NOW)
        self.standing.note(contact.value, self.race.scripts.order_now(), is_good=False)
        self.consents(people)

    def words_of_whatsapp(self, _people: list[ContactId]) -> None:
        self.step += 1
        approval, stopped = self.random.choice(
            [
                (Approval.APPROVED, None),
                (Approval.APPROVED, None),
                (Approval.REJECTED, None),
                (None, TemplateStatus.PAUSED),
                (Approval.PENDING, None),
            ]
        )
        told = TemplateStatusChanged(
            account=SENDER.account,
            name="ordine_pronto",
            language="it",
            approval=approval,
            stopped=stopped,
            reason=None,
            at=NOW - DAY + self.step * SECOND,
        )
        self.race.deps.recorder.record([(SENDER, told)], now=NOW)
        is_good = approval is Approval.APPROVED
        self.standing.note("whatsapp", self.race.scripts.last_order, is_good=is_good)

    def words_of_the_provider(self, _people: list[ContactId]) -> None:
        word = self.random.choice([Approval.APPROVED, Approval.APPROVED, Approval.REJECTED])
        self.race.deps.templates.decide("default", template(SENDER).id, Gate.PROVIDER, word, None)
        self.standing.note("provider", self.race.scripts.last_order, is_good=word is Approval.APPROVED)


def test_no_template_leaves_without_a_live_opt_in_and_two_approvals_whatever_is_racing(real_redis):
    race = Race(real_redis)
    makers = [Changes(race, seed) for seed in range(4)]
    for maker, people in ((makers[0], PEOPLE[:40]), (makers[1], PEOPLE[40:])):
        for contact in people:
            maker.step += 1
            at = NOW - DAY + maker.step * SECOND
            race.deps.contacts.set_consent(SENDER, contact, opt_in(at), [Category.UTILITY], now=NOW)
            maker.standing.note(contact.value, race.scripts.last_order, is_good=True)
    for maker, gate in ((makers[2], "whatsapp"), (makers[3], "provider")):
        maker.standing.note(gate, 0, is_good=True)

    with race.working(), ThreadPoolExecutor(5) as changing:
        jobs = [
            (makers[0].consents, PEOPLE[:40], 300),
            (makers[1].erasures, PEOPLE[40:], 30),
            (makers[2].words_of_whatsapp, [], 150),
            (makers[3].words_of_the_provider, [], 150),
        ]
        running = [changing.submit(_repeat, change, people, times) for change, people, times in jobs]
        while not all(one.done() for one in running):
            for contact in PEOPLE:
                race.accept(contact)
            race.wake()
        for one in running:
            one.result()

    begun = list(race.scripts.begun)
    assert len(begun) > 50
    standings = [maker.standing for maker in makers]
    wrong = [
        one
        for one in begun
        if not (
            any(standing.is_good(one.contact, one.order) for standing in standings[:2])
            and standings[2].is_good("whatsapp", one.order)
            and standings[3].is_good("provider", one.order)
        )
    ]
    assert wrong == []
    assert {one.template for one in begun} == {NAME}


def _repeat(change: Callable[[list[ContactId]], None], people: list[ContactId], times: int) -> None:
    for _ in range(times):
        change(people)


def template_body(event: str, at_seconds: int, **more: object) -> bytes:
    value = {
        "event": event,
        "message_template_id": 9001,
        "message_template_name": "ordine_pronto",
        "message_template_language": "it",
        "message_template_category": "UTILITY",
        "reason": "NONE",
        **more,
    }
    change = {"field": "message_template_status_update", "value": value}
    entry = {"id": SENDER.business_account_id, "time": at_seconds, "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def test_a_pause_by_webhook_in_mid_queue_stops_all_that_has_not_begun(real_redis):
    race = Race(real_redis)
    door = create_receiver(race.deps).test_client()
    people = [ContactId(f"+39333{number:07}") for number in range(1_000)]
    for contact in people:
        race.deps.contacts.set_consent(SENDER, contact, opt_in(), [Category.UTILITY], now=NOW)
    messages = [race.accept(contact) for contact in people]
    title = {"other_info": {"title": "FIRST_PAUSE", "description": "3 hours"}}

    with race.working():
        while len(race.scripts.begun) < 100:
            threading.Event().wait(0.001)
        answer = post_meta(door, template_body("PAUSED", int(NOW.timestamp()), **title))
        answered = race.scripts.order_now()
        while _states(race, messages)[MessageState.QUEUED]:
            threading.Event().wait(0.01)

    after = [one for one in race.scripts.begun if one.order > answered]
    stopped = race.deps.templates.get("default", template(SENDER).id).stop
    left = _states(race, messages)
    assert answer.status_code == 200
    assert after == []
    assert left[MessageState.DEFERRED] > 0
    assert left[MessageState.SUBMITTED] == len(race.scripts.begun)
    assert (stopped.reason, stopped.until) == ("FIRST_PAUSE", NOW + timedelta(hours=3))

    race.world.clock.advance(SECOND)
    post_meta(door, template_body("APPROVED", int(NOW.timestamp()) + 1))
    with ThreadPoolExecutor(WORKERS) as slots:
        while _states(race, messages)[MessageState.DEFERRED]:
            race.wake()
            race.drain(slots)
    assert _states(race, messages)[MessageState.SUBMITTED] == len(people)


def _states(race: Race, messages: list[MessageId]) -> dict[MessageState, int]:
    keys = [f"state:{{default}}:{state}" for state in MessageState]
    pipeline = race.world.client.pipeline(transaction=True)
    for key in keys:
        pipeline.zcard(key)
    return dict(zip(MessageState, pipeline.execute(), strict=True))
