"""Nudges: a template asks a contact for an answer, and content that needs an open window follows it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.message import MessageState, WhenClosed
from shared.domain.retry import ErrorClass
from shared.inputs import replay
from shared.providers.base import ErrorRow, Rejected
from shared.store.changes import Hand
from shared.store.message_record import MessageRecord
from shared.store.messages import Acceptance
from tests.builders import ANNA, DAY, NOW, World, call, meta_sender, opt_in, request, status, template, wrote
from tests.door import ORDERS
from webhook.api.app import create_api
from workers.outbound import Drain

SECOND = timedelta(seconds=1)
BRUNO = ContactId("+393339999999")
REFUSED = Rejected(code="131026", row=ErrorRow(error_class=ErrorClass.PERMANENT, advice="…"))
WANTED = {
    "to": ANNA.value,
    "sender": "shop",
    "text": "Ciao",
    "template": {"name": "ordine_pronto", "language": "it", "variables": ["Anna", "991"]},
    "when_closed": "nudge",
}


@pytest.fixture
def world(any_redis) -> World:
    world = World(any_redis)
    world.deps.templates.create("default", template(), nonce="n")
    for contact in (ANNA, BRUNO):
        world.deps.contacts.set_consent(meta_sender(), contact, opt_in(NOW - DAY), list(Category), now=NOW)
    return world


def accept(world: World, **changes: object) -> MessageId:
    asked = request(when_closed=WhenClosed.NUDGE, **changes)
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=asked)
    return world.deps.messages.accept(world.deps.sender("shop"), acceptance, now=world.clock.now()).message_id


def drain(world: World) -> None:
    """Until nothing is ready, with a beat before: what a nudge's end wakes is woken by the clock."""
    world.client.delete("ticker:{default}")
    world.deps.lanes.sweep("default", now=world.clock.now())
    with ThreadPoolExecutor(4) as slots:
        sender = world.deps.sender("shop")
        Drain(world.deps, sender, slots, most_slots=4, stopping=threading.Event()).run()


def writes(world: World, text: str = "ciao", contact: ContactId = ANNA) -> None:
    world.clock.advance(SECOND)
    event = wrote(world.clock.now(), contact=contact, text=text)
    world.deps.recorder.record([(world.deps.sender("shop"), event)], now=world.clock.now())
    drain(world)


def record(world: World, message_id: MessageId | str) -> MessageRecord:
    found = world.deps.messages.get("default", MessageId(str(message_id)))
    assert found is not None
    return found


def standing(world: World, message_id: MessageId | str) -> tuple[str, str | None]:
    found = record(world, message_id)
    return found.state.value, found.reason


def nudge_of(world: World, message_id: MessageId) -> MessageId:
    return MessageId(str(record(world, message_id).nudged_by))


def sent(world: World) -> list[str]:
    """What left, in order: the kind, and the message's id."""
    return [f"{o.route.kind} {o.reference.message_id}" for o in world.providers["shop"].sent]


def cancel(world: World, message_id: MessageId) -> None:
    hand = Hand(name="desk", app=None)
    world.deps.changes.cancel("default", [message_id], hand=hand, now=world.clock.now())


def test_a_closed_window_gets_the_template_and_the_content_waits_for_the_answer(world):
    content = accept(world)
    drain(world)

    nudge = nudge_of(world, content)
    assert sent(world) == [f"template {nudge}"]
    assert standing(world, content) == ("held", "nudged")
    assert record(world, nudge).request.nudge_for == content.value
    assert (record(world, nudge).app, record(world, nudge).request.content) == ("orders", None)


def test_the_answer_releases_all_that_waits_in_order_and_one_nudge_was_enough(world):
    contents = [accept(world) for _ in range(3)]
    drain(world)
    contents.append(accept(world))
    drain(world)
    assert len({nudge_of(world, content) for content in contents}) == 1

    writes(world)

    assert sent(world)[1:] == [f"session {content}" for content in contents]


def test_many_that_nudge_at_once_send_one(world):
    contents = [accept(world) for _ in range(8)]
    sender = world.deps.sender("shop")
    versions = world.deps.messages.facts(sender, request()).versions

    def nudge(content: MessageId):
        """Again when the facts have changed, as a worker does."""
        seen = versions
        while True:
            acceptance = Acceptance(
                message_id=world.deps.new_message_id(), app="", request=request(content=None)
            )
            answer = world.deps.messages.nudge(sender, content, seen, acceptance, now=NOW)
            if answer is not None:
                return answer.by
            seen = world.deps.messages.facts(sender, request()).versions

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(nudge, contents))

    assert len(set(answers)) == 1


def test_a_nudge_that_is_written_twice_is_one(world):
    content, new_id = accept(world), world.deps.new_message_id()
    sender = world.deps.sender("shop")
    versions = world.deps.messages.facts(sender, request()).versions
    acceptance = Acceptance(message_id=new_id, app="", request=request(content=None))

    first, again = (
        world.deps.messages.nudge(sender, content, versions, acceptance, now=NOW) for _ in range(2)
    )

    assert first == again
    assert first.by == new_id


def test_each_contact_gets_its_own(world):
    for_anna, for_bruno = accept(world), accept(world, to=BRUNO)
    drain(world)

    assert nudge_of(world, for_anna) != nudge_of(world, for_bruno)
    writes(world, contact=BRUNO)
    assert standing(world, for_anna)[0] == "held"
    assert standing(world, for_bruno)[0] == "submitted"


def test_an_open_window_needs_no_nudge(world):
    writes(world)
    content = accept(world)
    drain(world)

    assert sent(world) == [f"session {content}"]
    assert record(world, content).nudged_by is None


def test_an_answer_that_opts_out_releases_nothing(world):
    contents = [accept(world) for _ in range(2)]
    drain(world)

    writes(world, "STOP")

    assert [kind.split()[0] for kind in sent(world)] == ["template"]
    assert [standing(world, content) for content in contents] == [("refused", "opted_out")] * 2


ENDS = {
    "the provider refuses it": lambda world, _: world.providers["shop"].answers.append(REFUSED),
    "it has no opt-in": lambda world, _: world.client.delete("contact:{default}:+393331234567"),
    "its template is gone": lambda world, _: world.client.delete(
        "template:{default}:102290129340398:ordine_pronto:it"
    ),
}


@pytest.mark.parametrize("how", ENDS)
def test_when_a_nudge_comes_to_nothing_so_does_what_it_was_for(world, how):
    contents = [accept(world) for _ in range(2)]
    ENDS[how](world, contents)
    drain(world)
    drain(world)

    assert standing(world, nudge_of(world, contents[0]))[0] in {"failed", "refused"}
    assert [standing(world, content) for content in contents] == [("refused", "nudge_failed")] * 2
    assert replay(record(world, contents[0]).route).rule == "nudge_failed"


def test_a_nudge_that_fails_late_takes_what_it_was_for_along(world):
    content = accept(world)
    drain(world)
    failed = status(nudge_of(world, content), MessageState.FAILED, error_class=ErrorClass.PERMANENT)
    world.deps.recorder.record([(world.deps.sender("shop"), failed)], now=world.clock.now())
    drain(world)

    assert standing(world, content) == ("refused", "nudge_failed")


def test_what_expires_with_its_nudge_expires(world):
    content = accept(world, expires_at=NOW + 5 * SECOND)
    drain(world)
    world.clock.advance(6 * SECOND)
    drain(world)
    drain(world)

    assert standing(world, content) == ("expired", "expired")


def test_while_another_nudge_is_alive_content_waits_for_that_one(world):
    """The first one's nudge fails; before the clock wakes it, a second asks for a nudge of its own."""
    world.providers["shop"].answers.append(REFUSED)
    first = accept(world)
    drain(world)
    second = accept(world)
    world.deps.lanes.sweep("another", now=NOW)  # no beat for ours: the second comes before the wake
    with ThreadPoolExecutor(1) as slots:
        sender = world.deps.sender("shop")
        Drain(world.deps, sender, slots, most_slots=1, stopping=threading.Event()).run()
    drain(world)

    assert standing(world, first) == ("held", "nudged")
    assert nudge_of(world, first) == nudge_of(world, second)
    writes(world)
    assert sent(world)[-2:] == [f"session {first}", f"session {second}"]


def test_an_answer_before_the_nudge_leaves_cancels_it(world):
    content = accept(world)
    stopping = threading.Event()
    (claim,) = world.deps.lanes.claim(world.deps.sender("shop"), 1, nonce="n", now=NOW).claims
    acceptance = Acceptance(
        message_id=world.deps.new_message_id(),
        app="",
        request=request(content=None, nudge_for=content.value),
    )
    nudged = world.deps.messages.nudge(claim.sender, content, claim.known.versions, acceptance, now=NOW)
    assert not stopping.is_set()
    world.deps.recorder.record([(claim.sender, wrote(NOW))], now=NOW)  # the worker is gone, its lease ends
    world.clock.advance(16 * SECOND)
    world.deps.lanes.tick([claim.sender], now=world.clock.now())
    drain(world)

    assert sent(world) == [f"session {content}"]
    assert standing(world, nudged.by) == ("cancelled", "nudge_not_needed")


def test_a_nudge_that_was_for_cancelled_content_alone_is_cancelled_with_the_last(world):
    world.client.hset(f"template:{{default}}:{template().id}", "stopped", "paused")
    first, second = accept(world), accept(world)
    drain(world)
    nudge = nudge_of(world, first)
    assert standing(world, nudge) == ("deferred", "template_paused")

    cancel(world, first)
    assert standing(world, nudge) == ("deferred", "template_paused")

    cancel(world, second)
    assert standing(world, nudge) == ("cancelled", "cancelled")
    third = accept(world)
    drain(world)
    assert nudge_of(world, third) != nudge


def test_content_that_is_retried_after_its_nudge_failed_nudges_anew(world):
    world.providers["shop"].answers.append(REFUSED)
    content = accept(world)
    drain(world)
    drain(world)
    first = nudge_of(world, content)
    answer = (
        create_api(world.deps).test_client().post(f"/v1/messages/{content}/retry", json={}, headers=ORDERS)
    )
    drain(world)

    assert answer.status_code == 200, answer.get_json(force=True)
    assert nudge_of(world, content) != first
    assert standing(world, content) == ("held", "nudged")


def test_once_answered_the_next_closed_window_gets_another_nudge(world):
    first = accept(world)
    drain(world)
    writes(world)
    world.client.delete("window:{default}:shop:+393331234567")  # as Redis does after a day
    world.clock.advance(DAY + SECOND)
    second = accept(world, expires_at=world.clock.now() + DAY)
    drain(world)

    assert nudge_of(world, first) != nudge_of(world, second)
    assert [kind.split()[0] for kind in sent(world)] == ["template", "session", "template"]


def test_nobody_waits_for_an_old_nudge_that_was_never_answered(world):
    first = accept(world)
    drain(world)
    world.clock.advance(2 * DAY)
    drain(world)
    second = accept(world, expires_at=world.clock.now() + DAY)
    drain(world)

    assert standing(world, first) == ("expired", "expired")
    assert nudge_of(world, first) != nudge_of(world, second)


def test_the_doors_show_who_waits_for_whom_and_ask_for_both_parts(world):
    client = create_api(world.deps).test_client()
    accepted = client.post("/v1/messages", json=WANTED, headers=ORDERS).json
    drain(world)
    content = client.get(f"/v1/messages/{accepted['id']}", headers=ORDERS).json
    nudge = client.get(f"/v1/messages/{content['nudged_by']}", headers=ORDERS).json

    assert (accepted["forecast"]["kind"], accepted["forecast"]["rule"]) == ("hold", "nudged")
    assert (content["nudge_for"], nudge["nudge_for"], nudge["nudged_by"]) == (None, accepted["id"], None)
    for missing in ("text", "template"):
        body = {name: value for name, value in WANTED.items() if name != missing}
        answer = client.post("/v1/messages", json=body, headers=ORDERS)
        assert answer.status_code == 422
        assert "when_closed" in answer.get_json(force=True)["errors"]


def test_alternates_of_the_template_serve_the_nudge_too(world):
    content = accept(world, templates=(call("ignoto"), call()))
    drain(world)

    assert sent(world) == [f"template {nudge_of(world, content)}"]
