"""The drain against the stores: which route leaves, what is recorded, what a crash leaves behind."""

import threading
from datetime import timedelta

import pytest

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageState, WhenClosed
from shared.domain.retry import ErrorClass
from shared.domain.routes import RouteKind
from shared.domain.session_content import Text
from shared.providers.base import NOT_SENT, ErrorRow, Rejected
from tests.builders import ANNA, DAY, NOW, TEXT, World, meta_sender, opt_out, template, wrote
from tests.play import accept, drain, opt_anna_in, record
from workers.ticker import Ticker

SECOND = timedelta(seconds=1)
WINDOW_CLOSED = Rejected(code="131047", row=ErrorRow(error_class=ErrorClass.WINDOW, advice="…"))
IN_DOUBT = Rejected(code="timeout", row=ErrorRow(error_class=ErrorClass.IN_DOUBT, advice="…"))
TOKEN_EXPIRED = Rejected(code="190", row=ErrorRow(error_class=ErrorClass.HALT, advice="New token."))


@pytest.fixture
def world(any_redis) -> World:
    world = World(any_redis)
    for sender in world.settings.configuration.senders.values():
        world.deps.templates.create("default", template(sender), nonce="n")
    return world


def anna_writes(world: World, at=NOW) -> None:
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(at))], now=world.clock.now())


def sent_kinds(world: World, alias: str = "shop") -> list[RouteKind]:
    return [outgoing.route.kind for outgoing in world.providers[alias].sent]


def test_an_open_window_gets_a_session_message(world):
    anna_writes(world)
    message_id = accept(world)

    drain(world)

    stored = record(world, message_id)
    assert stored.state is MessageState.SUBMITTED
    assert (stored.route["kind"], stored.route["rule"]) == ("session", "window_open")
    assert world.providers["shop"].sent[0].route.content == TEXT


def test_a_closed_window_gets_the_approved_template(world):
    opt_anna_in(world)
    message_id = accept(world)

    drain(world)

    stored = record(world, message_id)
    assert (stored.route["kind"], stored.route["rule"]) == ("template", "window_closed")
    assert stored.attempts[0]["provider_message_id"] == stored.provider_message_id


def test_no_template_goes_to_a_contact_without_an_opt_in(world):
    message_id = accept(world)

    drain(world)

    stored = record(world, message_id)
    assert (stored.state, stored.reason) == (MessageState.REFUSED, "no_opt_in")
    assert world.providers["shop"].sent == []


def test_a_provider_error_is_retried_after_its_wait(world):
    anna_writes(world)
    message_id = accept(world)
    world.providers["shop"].answers = [Rejected(code="131000", row=NOT_SENT)]

    drain(world)
    assert record(world, message_id).state is MessageState.DEFERRED
    drain(world)
    assert len(world.providers["shop"].sent) == 1
    world.clock.advance(SECOND)
    drain(world)

    stored = record(world, message_id)
    assert stored.state is MessageState.SUBMITTED
    assert [attempt["outcome"] for attempt in stored.attempts] == ["deferred", "submitted"]


def test_a_window_refused_by_the_provider_is_decided_once_more(world):
    anna_writes(world, NOW - SECOND)
    opt_anna_in(world)
    message_id = accept(world)
    world.providers["shop"].answers = [WINDOW_CLOSED]

    drain(world)

    stored = record(world, message_id)
    assert sent_kinds(world) == [RouteKind.SESSION, RouteKind.TEMPLATE]
    assert stored.state is MessageState.SUBMITTED


def test_a_second_window_refusal_ends_it(world):
    anna_writes(world, NOW - SECOND)
    opt_anna_in(world)
    message_id = accept(world)
    world.providers["shop"].answers = [WINDOW_CLOSED, WINDOW_CLOSED]

    drain(world)

    stored = record(world, message_id)
    assert (stored.state, stored.reason) == (MessageState.FAILED, "provider_window_closed")
    assert len(world.providers["shop"].sent) == 2


def test_a_doubt_is_shown_and_never_repeated(world):
    anna_writes(world)
    message_id = accept(world)
    world.providers["shop"].answers = [IN_DOUBT]

    drain(world)
    world.clock.advance(timedelta(minutes=5))
    drain(world)

    assert record(world, message_id).state is MessageState.UNKNOWN
    assert len(world.providers["shop"].sent) == 1


def test_an_expired_token_halts_the_sender_and_loses_nothing(world):
    anna_writes(world)
    first, second = accept(world), accept(world, to=ContactId("+393331111111"))
    opt_anna_in(world, ContactId("+393331111111"))
    world.providers["shop"].answers = [TOKEN_EXPIRED]

    drain(world)
    assert world.deps.senders.get(world.deps.sender("shop")).is_halted(NOW)
    world.deps.senders.resume(world.deps.sender("shop"), now=NOW)
    drain(world)

    assert record(world, first).state is MessageState.SUBMITTED
    assert record(world, second).state is MessageState.SUBMITTED


def test_waiting_for_the_window_ends_when_the_contact_writes(world):
    message_id = accept(world, templates=(), when_closed=WhenClosed.WAIT)
    drain(world)
    assert record(world, message_id).state is MessageState.HELD

    anna_writes(world)
    drain(world)

    assert record(world, message_id).state is MessageState.SUBMITTED
    assert sent_kinds(world) == [RouteKind.SESSION]


def test_an_opt_out_stops_what_is_queued(world):
    opt_anna_in(world)
    message_id = accept(world)
    world.deps.contacts.set_consent(meta_sender(), ANNA, opt_out(), list(Category), now=NOW)

    drain(world)

    assert (record(world, message_id).state, world.providers["shop"].sent) == (MessageState.REFUSED, [])


def test_messages_of_one_contact_leave_in_order(world):
    anna_writes(world)
    accepted = [accept(world, content=Text(f"numero {n}")) for n in range(15)]

    drain(world)

    assert [o.reference.message_id for o in world.providers["shop"].sent] == accepted


def test_cm_messages_go_in_batches(world):
    contacts = [ContactId(f"+3933300000{n:02}") for n in range(12)]
    for contact in contacts:
        opt_anna_in(world, contact)
        accept(world, to=contact, sender="negozio")

    drain(world, "negozio")

    assert world.providers["negozio"].batches == [12]


def test_a_stopping_worker_claims_nothing(world):
    anna_writes(world)
    accept(world)
    stopping = threading.Event()
    stopping.set()

    report = drain(world, stopping=stopping)

    assert (report.settled, world.providers["shop"].sent) == ([], [])


def test_a_stale_clock_claims_nothing(world):
    anna_writes(world)
    accept(world)
    world.clock.stale = True

    drain(world)

    assert world.providers["shop"].sent == []


def test_the_report_speaks_of_outcomes_and_codes_only(world):
    anna_writes(world)
    accept(world)
    world.providers["shop"].answers = [Rejected(code="131056", row=NOT_SENT)]

    report = drain(world)

    assert str(report) == "shop → deferred 1 (131056)"


def test_the_ticker_rings_for_a_retry_that_is_due(world):
    anna_writes(world)
    accept(world)
    world.providers["shop"].answers = [Rejected(code="131000", row=NOT_SENT)]
    drain(world)
    world.clock.advance(SECOND)

    Ticker(world.deps, ring_for_app=lambda business, app: None).beat()

    assert world.rung == ["shop"]


def test_what_expires_while_it_waits_is_never_sent(world):
    message_id = accept(world, templates=(), when_closed=WhenClosed.WAIT)
    drain(world)
    world.clock.advance(DAY)

    Ticker(world.deps, ring_for_app=lambda business, app: None).beat()

    assert record(world, message_id).state is MessageState.EXPIRED
