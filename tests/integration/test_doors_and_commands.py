"""What an app can do over HTTP, on-call can do with a command; or there is a reason why not."""

import re

import pytest

from tests.builders import World
from tests.unit.test_commands import COMMANDS
from webhook.api.app import create_api

#: By method and address, without its variables' names: the command that does it.
DOORS = {
    "GET /docs": "docs page",
    "GET /docs/errors": "docs errors",
    "GET /v1/audit": "audit",
    "GET /v1/callbacks": "callbacks list",
    "GET /v1/callbacks/<>/parked": "callbacks parked",
    "POST /v1/callbacks/<>/retry": "callbacks retry",
    "GET /v1/consents": "consent export",
    "POST /v1/consents/batch": "consent import",
    "GET /v1/contacts/<>": "contact show",
    "DELETE /v1/contacts/<>": "contact erase",
    "GET /v1/contacts/<>/record": "contact export",
    "PUT /v1/contacts/<>/consent": "consent set",
    "GET /v1/contacts/<>/consent/history": "consent show",
    "GET /v1/events": "events",
    "GET /v1/inbound/<>/media": "inbound media",
    "POST /v1/inbound/<>/read": "inbound read",
    "POST /v1/messages": "send",
    "GET /v1/messages": "message list",
    "GET /v1/messages/<>": "message show",
    "GET /v1/messages/<>/explain": "message explain",
    "POST /v1/messages/<>/cancel": "message cancel",
    "POST /v1/messages/<>/retry": "message retry",
    "POST /v1/messages/<>/resolve": "message resolve",
    "POST /v1/messages/cancel": "message cancel",
    "POST /v1/messages/retry": "message retry",
    "GET /v1/quarantine": "quarantine list",
    "GET /v1/quarantine/<>": "quarantine show",
    "DELETE /v1/quarantine/<>": "quarantine delete",
    "POST /v1/quarantine/<>/replay": "quarantine replay",
    "POST /v1/quarantine/replay": "quarantine replay",
    "GET /v1/retention": "retention",
    "GET /v1/senders": "sender list",
    "POST /v1/senders/<>/halt": "sender halt",
    "POST /v1/senders/<>/resume": "sender resume",
    "GET /v1/submissions": "submissions list",
    "GET /v1/submissions/<>": "submissions show",
    "DELETE /v1/submissions/<>": "submissions delete",
    "GET /v1/templates": "template list",
    "POST /v1/templates": "template register",
    "GET /v1/templates/<>/<>": "template show",
    "PUT /v1/templates/<>/<>": "template edit",
    "DELETE /v1/templates/<>/<>": "template delete",
    "POST /v1/templates/<>/<>/approval": "template approve",
    "GET /v1/templates/<>/<>/history": "template history",
    "POST /v1/templates/<>/<>/preview": "template preview",
    "POST /v1/templates/<>/<>/resume": "template resume",
    "POST /v1/templates/<>/<>/submit": "template submit",
    "GET /v1/templates/<>/<>/versions": "template versions",
    "POST /v1/templates/import": "template import",
    "GET /v1/templates/in-use": "template doctor",
    "GET /v1/templates/library": "template library",
    "POST /v1/templates/lint": "template lint",
    "GET /v1/templates/sync": "template sync",
    "POST /v1/templates/sync": "template sync",
}
WITHOUT_COMMAND = {
    "POST /v1/messages/batch": "a thousand messages are an app's work, by hand one is sent",
    "GET /v1/templates/library/<>/<>": "`template library --json` has each of them whole",
    "GET /livez": "health checks ask for it",
    "GET /readyz": "health checks ask for it",
    "GET /metrics": "Prometheus asks for it",
    "GET /openapi.json": "a document, for programs",
}


@pytest.fixture
def doors(fake_redis) -> set[str]:
    rules = create_api(World(fake_redis).deps).url_map.iter_rules()
    return {
        f"{method} {re.sub(r'<[^>]+>', '<>', rule.rule)}"
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_door_has_its_command_or_a_reason(doors):
    assert doors - set(DOORS) - set(WITHOUT_COMMAND) == set()
    assert set(DOORS) - doors == set()


def test_every_command_that_is_named_is_there():
    assert set(DOORS.values()) - set(COMMANDS) == set()
