"""The audit of every hand: each route that people use leaves who, what and on what, and no person."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.configuration import Configuration, Secret
from shared.domain.events import UpdateSetAside
from tests.builders import ANNA, NOW, World, app
from tests.door import accepted, in_doubt, refused

DESK = {"Authorization": "Bearer desk-key", "X-Request-ID": "by-hand-1"}
NUMBER, TEXT = ANNA.value, "a canary's words"
CONTACT = f"/v1/contacts/{NUMBER}"
CONTENT = {
    "tag": "UTILITY",
    "body": "Salve {1}, abbiamo ricevuto il tuo ordine {2}. Ti scriviamo appena parte.",
    "samples": ["Anna", "991"],
}
NEW = {"sender": "negozio", "name": "conferma", "language": "it", **CONTENT}
TEMPLATE = "/v1/templates/conferma/it"
OF_IT = {"sender": "negozio", "template": "conferma/it"}


@pytest.fixture
def world(fake_redis, meta) -> World:
    pushed = app("orders", ("messages", "events"), callback_url="https://orders.example/hook")
    apps = {"orders": pushed, "desk": app("desk", ("admin",))}
    configuration = Configuration(senders=meta.configuration().senders, apps=apps)
    world = World(fake_redis, configuration=configuration, secret_keys=(Secret("a key of this test"),))
    world.meta = meta
    return world


@dataclass(frozen=True, kw_only=True)
class Hand:
    """What somebody does, and what the audit keeps of it besides who and when."""

    endpoint: str
    method: str
    #: May name what `before` answers.
    path: str
    action: str
    body: dict[str, Any] | None = None
    before: Callable[[World, Any], str | None] = lambda _world, _client: None
    details: dict[str, Any] = field(default_factory=dict)


def set_aside(world, _client):
    """The id of an entry."""
    raw = json.dumps({"text": TEXT, "from": NUMBER})
    world.deps.recorder.record([(world.deps.sender("shop"), UpdateSetAside(reason="odd", raw=raw))], now=NOW)
    return world.deps.quarantine.page("default", before=None, limit=1).entries[0].id


def refused_submission(world, _client):
    named = {"reason": "invalid_request", "app": "orders", "sender": "shop", "errors": "{}"}
    world.deps.refused_submissions.keep("default", "task-1", json.dumps({"to": NUMBER}), **named, now=NOW)
    return world.deps.refused_submissions.page("default", before=None, limit=1).entries[0].id


def registered(_world, client):
    assert client.post("/v1/templates", json=NEW, headers=DESK).status_code == 201


def waiting(_world, client):
    """The id of a message to Anna."""
    return accepted(client)


QUARANTINED = {"sender": "shop", "reason": "odd"}
REFUSED = {"app": "orders", "reason": "invalid_request"}
HALT = {"why": f"{NUMBER} called: {TEXT}", "kind": "template"}
APPROVAL = {"gate": "provider", "decision": "approved"}
HANDS = [
    Hand(
        endpoint="senders.halt_sender",
        method="POST",
        path="/v1/senders/shop/halt",
        body=HALT,
        action="sender.halt",
        details={"sender": "shop", "kind": "template", "until": None},
    ),
    Hand(
        endpoint="senders.resume_sender",
        method="POST",
        path="/v1/senders/shop/resume",
        action="sender.resume",
        details={"sender": "shop"},
    ),
    Hand(
        endpoint="events.retry_parked",
        method="POST",
        path="/v1/callbacks/orders/retry",
        action="callbacks.retry",
        details={"app": "orders"},
    ),
    Hand(
        endpoint="quarantine.show_entry",
        method="GET",
        path="/v1/quarantine/{}",
        before=set_aside,
        action="quarantine.show",
        details=QUARANTINED,
    ),
    Hand(
        endpoint="quarantine.replay_entry",
        method="POST",
        path="/v1/quarantine/{}/replay",
        before=set_aside,
        action="quarantine.replay",
        details={**QUARANTINED, "outcome": "set_aside_again"},
    ),
    Hand(
        endpoint="quarantine.replay_entries",
        method="POST",
        path="/v1/quarantine/replay",
        body={},
        before=set_aside,
        action="quarantine.replay",
        details={**QUARANTINED, "outcome": "set_aside_again"},
    ),
    Hand(
        endpoint="quarantine.delete_entry",
        method="DELETE",
        path="/v1/quarantine/{}",
        before=set_aside,
        action="quarantine.delete",
        details=QUARANTINED,
    ),
    Hand(
        endpoint="submissions.show_submission",
        method="GET",
        path="/v1/submissions/{}",
        before=refused_submission,
        action="submission.show",
        details=REFUSED,
    ),
    Hand(
        endpoint="submissions.delete_submission",
        method="DELETE",
        path="/v1/submissions/{}",
        before=refused_submission,
        action="submission.delete",
        details=REFUSED,
    ),
    Hand(
        endpoint="templates.register_template",
        method="POST",
        path="/v1/templates",
        body=NEW,
        action="template.register",
        details=OF_IT,
    ),
    Hand(
        endpoint="template_library.import_template",
        method="POST",
        path="/v1/templates/import",
        body={
            "sender": "negozio",
            "source": "library",
            "name": "order_ready",
            "language": "it",
            "as": "conferma",
        },
        action="template.register",
        details=OF_IT,
    ),
    Hand(
        endpoint="template_library.import_template",
        method="POST",
        path="/v1/templates/import",
        body={"sender": "shop", "source": "provider", "name": "benvenuto", "language": "it"},
        before=lambda world, _client: world.meta.put("benvenuto"),
        action="template.import",
        details={"sender": "shop", "template": "benvenuto/it"},
    ),
    Hand(
        endpoint="template_approval.submit_template",
        method="POST",
        path=f"{TEMPLATE}/submit?sender=negozio",
        before=registered,
        action="template.submit",
        details=OF_IT,
    ),
    Hand(
        endpoint="template_approval.edit_template",
        method="PUT",
        path=f"{TEMPLATE}?sender=negozio",
        body=CONTENT,
        before=registered,
        action="template.edit",
        details=OF_IT,
    ),
    Hand(
        endpoint="template_approval.approve_template",
        method="POST",
        path=f"{TEMPLATE}/approval?sender=negozio",
        body=APPROVAL,
        before=registered,
        action="template.decide",
        details={**OF_IT, "gate": "provider", "decision": "approved"},
    ),
    Hand(
        endpoint="template_approval.resume_template",
        method="POST",
        path=f"{TEMPLATE}/resume?sender=negozio",
        before=registered,
        action="template.resume",
        details=OF_IT,
    ),
    Hand(
        endpoint="template_approval.delete_template",
        method="DELETE",
        path=f"{TEMPLATE}?sender=negozio",
        before=registered,
        action="template.delete",
        details=OF_IT,
    ),
    Hand(
        endpoint="template_sync.sync_now",
        method="POST",
        path="/v1/templates/sync?sender=shop",
        action="template.sync",
        details={"sender": "shop"},
    ),
    Hand(
        endpoint="privacy.erase_contact",
        method="DELETE",
        path=f"{CONTACT}?sender=shop",
        before=waiting,
        action="erase",
    ),
    Hand(
        endpoint="privacy.export_contact",
        method="GET",
        path=f"{CONTACT}/record?sender=shop",
        before=waiting,
        action="export",
    ),
    Hand(
        endpoint="message_changes.cancel_message",
        method="POST",
        path="/v1/messages/{}/cancel",
        body={},
        before=waiting,
        action="cancel",
    ),
    Hand(
        endpoint="message_changes.retry_message",
        method="POST",
        path="/v1/messages/{}/retry",
        body={},
        before=refused,
        action="retry",
    ),
    Hand(
        endpoint="message_changes.resolve_message",
        method="POST",
        path="/v1/messages/{}/resolve",
        body={"outcome": "delivered"},
        before=in_doubt,
        action="resolve",
    ),
    Hand(
        endpoint="message_bulk.cancel_messages",
        method="POST",
        path="/v1/messages/cancel",
        body={"sender": "shop"},
        before=waiting,
        action="cancel",
    ),
    Hand(
        endpoint="message_bulk.retry_messages",
        method="POST",
        path="/v1/messages/retry",
        body={"sender": "shop"},
        before=refused,
        action="retry",
    ),
]

#: Change something and leave no deed, with the reason.
ELSEWHERE = {
    "messages.accept_message": "the message itself says whose it is",
    "message_batch.accept_batch": "likewise",
    "contacts.record_consent": "stands in the history of the consent, with its evidence",
    "consents.record_consents": "likewise",
    "inbound.mark_read": "changes nothing here",
    "templates.lint_template": "changes nothing",
    "template_preview.preview_template": "changes nothing",
}


def test_every_route_that_changes_something_is_looked_at(client):
    rules = client.application.url_map.iter_rules()
    changing = {rule.endpoint for rule in rules if rule.methods & {"POST", "PUT", "PATCH", "DELETE"}}

    assert changing == {hand.endpoint for hand in HANDS if hand.method != "GET"} | set(ELSEWHERE)


@pytest.mark.parametrize("hand", HANDS, ids=lambda hand: f"{hand.method} {hand.path}")
def test_a_hand_leaves_who_what_when_and_on_what_and_no_person(world, client, hand):
    named = hand.before(world, client)

    answer = client.open(hand.path.format(named), method=hand.method, json=hand.body, headers=DESK)

    assert answer.status_code < 300, answer.text
    listed = client.get("/v1/audit", headers=DESK)
    deed = listed.json["items"][0]
    assert (deed["app"], deed["action"], deed["request_id"]) == ("desk", hand.action, "by-hand-1")
    assert deed["at"].startswith("2086-11-22T12:")
    assert hand.details.items() <= deed["details"].items()
    assert NUMBER.removeprefix("+") not in listed.text
    assert TEXT not in listed.text


def test_nothing_is_kept_of_what_was_refused(client):
    for path in ("/v1/senders/nobody/halt", "/v1/quarantine/1-1/replay", f"{TEMPLATE}/submit?sender=negozio"):
        assert client.post(path, json={"why": "x"}, headers=DESK).status_code == 404

    assert client.get("/v1/audit", headers=DESK).json["items"] == []
