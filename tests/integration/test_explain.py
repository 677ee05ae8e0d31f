"""Every message of a run answers `explain`, and every stored route is replayed from its own inputs."""

import json

import pytest

from shared.clock import rfc3339, to_ms
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.message import MessageState, WhenClosed
from shared.domain.retry import ErrorClass
from shared.domain.routes import Defer
from shared.domain.templates import Approval, Gate, TemplateId
from shared.inputs import replay
from shared.providers.base import ErrorRow, Rejected
from shared.store.keys import Keys
from shared.store.message_record import MessageRecord
from tests.builders import (
    BOTH_APPROVED,
    DAY,
    NOW,
    World,
    call,
    cm_sender,
    meta_sender,
    opt_in,
    opt_out,
    request,
    status,
    template,
    wrote,
)
from tests.door import ORDERS
from tests.play import accept, drain
from webhook.api.app import create_api


def of_class(error_class: ErrorClass) -> Rejected:
    return Rejected(code="1", row=ErrorRow(error_class=error_class, advice="Look it up."))


#: What the provider answers to one contact each; all but the first two would be repeated, halted or in doubt.
ANSWERS = [of_class(c) for c in ErrorClass if c is not ErrorClass.HALT]


def contact(number: int) -> ContactId:
    return ContactId(f"+3933300000{number:02}")


def record_of(world: World, message_id: MessageId) -> MessageRecord:
    return world.deps.messages.get("default", message_id)


def play(world: World) -> list[MessageId]:
    """Two senders, ten contacts, every way of asking: with windows open, closing and closed."""
    pending = {**BOTH_APPROVED, Gate.PROVIDER: Approval.PENDING}
    for sender in (meta_sender(), cm_sender()):
        world.deps.templates.create("default", template(sender), nonce="1")
        late = template(sender, id=TemplateId(sender.account, "sollecito", "it"), gates=pending)
        world.deps.templates.create("default", late, nonce="2")
    shop = world.deps.sender("shop")
    for number, record in enumerate([opt_in(), opt_in(), opt_in(), opt_out()]):
        world.deps.contacts.set_consent(shop, contact(number), record, list(Category), now=NOW)
    writes = [wrote(at, contact=contact(n)) for n, at in ((0, NOW), (1, NOW - DAY + 0.0003 * DAY), (4, NOW))]
    world.deps.recorder.record([(shop, event) for event in writes], now=NOW)

    ids = []
    for alias in ("shop", "negozio"):
        for number in range(5):
            to = contact(number)
            ids += [accept(world, to, sender=alias, when_closed=when_closed) for when_closed in WhenClosed]
            ids.append(accept(world, to, sender=alias, content=None, templates=(call("sollecito"),)))
            ids.append(accept(world, to, sender=alias, templates=(call("ignoto"),)))
            ids.append(accept(world, to, sender=alias, templates=()))
        world.providers[alias].answers.extend(ANSWERS)
        for _ in range(20):
            drain(world, alias)
            world.clock.advance(0.0005 * DAY)
    taken = next(i for i in ids if record_of(world, i).state is MessageState.SUBMITTED)
    attempts = len(record_of(world, taken).attempts)
    read = status(taken, MessageState.READ, attempt=attempts)
    world.deps.recorder.record([(shop, read)], now=world.clock.now())
    world.deps.senders.halt(shop, "by hand", now=world.clock.now())
    ids.append(accept(world, contact(0)))
    return ids


@pytest.fixture
def run(world) -> tuple[World, list[MessageId]]:
    return world, play(world)


def test_every_stored_route_of_a_run_is_replayed_from_its_inputs(run):
    world, ids = run
    records = world.deps.messages.get_all("default", ids)
    routes = [r.route for r in records if r.route] + [a["route"] for r in records for a in r.attempts]

    assert {route["kind"] for route in routes} == {"session", "template", "hold", "defer", "refuse"}
    for route in routes:
        again = replay(route)
        assert (again.kind, again.rule) == (route["kind"], route["rule"])
        if isinstance(again, Defer):
            assert (rfc3339(again.until) if again.until else None, again.of) == (route["until"], route["of"])
        if route["kind"] == "template":
            assert f"{again.template.id.name}/{again.template.id.language}" == route["template"]


def test_every_message_of_a_run_answers_explain(run):
    world, ids = run
    client = create_api(world.deps).test_client()
    states = set()
    for message_id in ids:
        answer = client.get(f"/v1/messages/{message_id}/explain", headers=ORDERS)
        shown = client.get(f"/v1/messages/{message_id}", headers=ORDERS).json
        told = " ".join(answer.json["sentences"])

        assert (answer.status_code, answer.json["state"]) == (200, shown["state"])
        assert all(f"Attempt {attempt['number']} began" in told for attempt in shown["attempts"])
        assert not shown["route"] or shown["route"]["explanation"] in told
        assert request().content.body not in json.dumps(answer.json)
        states.add(shown["state"])

    # The last one came after the halt.
    assert "halted: by hand (since 2086-11-2" in answer.json["sentences"][-2]
    assert {"read", "submitted", "held", "refused", "deferred", "failed", "queued"} <= states


def test_a_message_of_another_app_is_not_explained(world):
    client = create_api(world.deps).test_client()
    answer = client.get(f"/v1/messages/{world.deps.new_message_id()}/explain", headers=ORDERS)

    assert answer.status_code == 404


def test_a_message_behind_a_provider_that_is_down_says_so_and_since_when(world):
    stored = {"probe_at": to_ms(NOW), "away_since": to_ms(NOW), "away_code": "http_503", "failures": 9}
    world.client.hset(Keys("default").sender("shop"), mapping=stored)
    path = f"/v1/messages/{accept(world)}/explain"
    sentences = create_api(world.deps).test_client().get(path, headers=ORDERS).json["sentences"]

    assert "does not answer (http_503 since 2086-11-22T12:00:00.000Z)" in sentences[-2]
