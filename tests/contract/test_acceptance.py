"""Accepting messages without a door: each by itself, in order, in one round trip."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.acceptance import Receipt, Refusal, RefusalCode, accept, accept_one, read_submission
from shared.domain.message import MessageState
from shared.problems import Code, kinds
from shared.store.template_history import TemplateEntry
from tests.builders import NOW, World, app, template

ORDERS = app("orders")
TEXT = {"to": "+393331234567", "sender": "shop", "text": "Ciao Anna, il tuo ordine 991 è pronto."}


@pytest.fixture
def world(any_redis) -> World:
    return World(any_redis)


def submission(key=None, **changes):
    return read_submission({**TEXT, **changes}, key)


def entry(event):
    return TemplateEntry(at=NOW, by="desk", event=event)


def code_of(answer):
    return answer.code if isinstance(answer, Refusal) else "accepted"


def test_each_is_accepted_or_refused_by_itself_in_its_place(world):
    world.deps.templates.create("default", template(), nonce="n")
    mismatch = {"name": "ordine_pronto", "language": "it", "variables": ["Anna"]}
    late = submission(expires_at="2086-11-22T11:59:59Z")

    answers = accept(
        world.deps,
        ORDERS,
        [
            submission(),
            late,
            submission(sender="nobody"),
            submission(to="IT.1234567890", sender="negozio"),
            submission(template=mismatch),
            submission(to="+393330000002"),
        ],
    )

    assert list(map(code_of, answers)) == [
        "accepted",
        RefusalCode.INVALID_REQUEST,
        RefusalCode.INVALID_REQUEST,
        RefusalCode.UNSUPPORTED_BY_PROVIDER,
        RefusalCode.TEMPLATE_MISMATCH,
        "accepted",
    ]
    assert world.deps.messages.count("default", MessageState.QUEUED) == 2
    assert answers[5].request.to.value == "+393330000002"


def test_each_sender_is_rung_once(world):
    accept(world.deps, ORDERS, [submission(sender=alias) for alias in ("shop", "negozio", "shop", "negozio")])

    assert sorted(world.rung) == ["negozio", "shop"]


def test_a_key_is_answered_again_and_not_reused(world):
    first = accept_one(world.deps, ORDERS, submission("k"))
    again, reused = accept(world.deps, ORDERS, [submission("k"), submission("k", text="another")])

    assert isinstance(first, Receipt)
    assert again.is_repeat
    assert again.accepted.message_id == first.accepted.message_id
    assert reused.code is RefusalCode.IDEMPOTENCY_KEY_REUSED


def test_a_repeat_is_answered_after_its_time(world):
    in_time = submission("k", expires_at="2086-11-22T12:00:05Z")
    first = accept_one(world.deps, ORDERS, in_time)
    world.clock.advance(timedelta(seconds=10))

    again, too_late = accept(
        world.deps, ORDERS, [in_time, submission("other", expires_at="2086-11-22T12:00:05Z")]
    )

    assert again.accepted.message_id == first.accepted.message_id
    assert too_late.code is RefusalCode.INVALID_REQUEST


def test_what_cannot_be_read_is_a_refusal_by_field():
    refusal = read_submission({"to": "+393331234567", "txet": "ciao"}, None)

    assert refusal.code is RefusalCode.INVALID_REQUEST
    assert "did you mean text?" in refusal.errors["txet"][0]


@pytest.mark.parametrize("code", RefusalCode)
def test_the_door_has_a_status_for_each_refusal(code):
    assert Code(code.value) in kinds()


def test_a_template_that_another_process_has_edited_is_seen_before_a_request_is_judged(any_redis):
    here, there = World(any_redis), World(any_redis)
    there.deps.templates.create("default", template(), nonce="n")
    asked = {"name": "ordine_pronto", "language": "it", "variables": ["Anna", "991"]}
    assert isinstance(accept_one(here.deps, ORDERS, submission(template=asked)), Receipt)

    three = replace(
        template(), body="Ciao {{1}}, l'ordine {{2}} è pronto: {{3}}.", samples=("Anna", "991", "x")
    )
    there.deps.templates.edit("default", template(), three, {}, nonce="e", entry=entry("edited"))
    two, fitting = accept(
        here.deps,
        ORDERS,
        [
            submission(template=asked),
            submission(template={**asked, "variables": ["Anna", "991", "alle 10"]}),
        ],
    )

    assert list(two.errors) == ["template.variables.3"]
    assert isinstance(fitting, Receipt)


def test_a_template_that_was_deleted_and_registered_anew_is_not_taken_for_the_old_one(world):
    world.deps.templates.create("default", template(), nonce="n")
    asked = {"name": "ordine_pronto", "language": "it", "variables": ["Anna", "991"]}
    accept_one(world.deps, ORDERS, submission(template=asked))

    world.deps.templates.delete("default", template().id, entry=entry("deleted"))
    other = replace(template(), body="Ciao {{1}}, è pronto.", samples=("Anna",))
    world.deps.templates.create("default", other, nonce="o")
    refused = accept_one(world.deps, ORDERS, submission(template=asked))

    assert list(refused.errors) == ["template.variables.2"]
