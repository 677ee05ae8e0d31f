"""What tests of the internal door share: keys, bodies, and short words for what apps do."""

import json
import re

from flask import request
from jsonschema import Draft202012Validator

from shared.domain.identifiers import MessageId
from shared.providers.base import IN_DOUBT, Rejected
from tests.builders import (
    NOW,
    wrote,
)
from tests.play import drain
from webhook.api.app import _specification
from webhook.errors import MEDIA_TYPE

ORDERS = {"Authorization": "Bearer orders-key"}
DESK = {"Authorization": "Bearer desk-key"}
TEXT = {"to": "+393331234567", "sender": "shop", "text": "Ciao Anna, il tuo ordine 991 è pronto."}
TEMPLATE = {"name": "ordine_pronto", "language": "it", "variables": ["Anna", "991"]}
NEW_TEMPLATE = {
    "sender": "negozio",
    "name": "conferma_ordine",
    "language": "it",
    "tag": "UTILITY",
    "body": "Salve {1}, abbiamo ricevuto il tuo ordine {2}. Ti scriviamo appena parte.",
    "samples": ["Anna", "991"],
    "header": None,
    "footer": None,
    "buttons": [],
    "ttl_seconds": None,
}
CONSENT = "/v1/contacts/+393331234567/consent?sender=shop"
APPROVAL = "/v1/templates/ordine_pronto/it/approval?sender=negozio"
CONTACT = "/v1/contacts/+393331234567?sender=shop"
UNKNOWN_MESSAGE = "/v1/messages/msg_01ARZ3NDEKTSV4RRFFQ69G5FAV"
#: Method, path, body, the scopes that open it.
ROUTES = [
    ("POST", "/v1/messages", TEXT, {"messages"}),
    ("POST", "/v1/messages?dry_run=true", TEXT, {"messages"}),
    ("GET", UNKNOWN_MESSAGE, None, {"messages"}),
    ("GET", CONTACT, None, {"contacts:read", "contacts"}),
    ("PUT", CONSENT, {"status": "opted_in"}, {"contacts"}),
    ("GET", "/v1/templates", None, {"templates:read", "templates"}),
    ("GET", "/v1/templates/x/it?sender=shop", None, {"templates:read", "templates"}),
    ("POST", "/v1/templates", NEW_TEMPLATE, {"templates"}),
    ("POST", "/v1/templates/lint", NEW_TEMPLATE, {"templates:read", "templates"}),
    ("POST", APPROVAL, {"gate": "whatsapp", "decision": "approved"}, set()),
    ("POST", "/v1/senders/shop/halt", {"why": "x"}, set()),
    ("POST", "/v1/senders/shop/resume", None, set()),
    ("GET", "/v1/quarantine", None, set()),
    ("GET", "/v1/quarantine/1-0", None, set()),
    ("DELETE", "/v1/quarantine/1-0", None, set()),
    ("POST", "/v1/quarantine/1-0/replay", None, set()),
    ("POST", "/v1/quarantine/replay", {}, set()),
]


def send(client, headers=ORDERS, query="", **body):
    return client.post(f"/v1/messages{query}", json=TEXT | body, headers=headers)


def without(body, *names):
    return {name: value for name, value in body.items() if name not in names}


def keys_of(world):
    """What stands where, by value: the server has more than one way to dump the same."""
    read = {
        "string": world.client.get,
        "hash": world.client.hgetall,
        "set": world.client.smembers,
        "list": lambda key: world.client.lrange(key, 0, -1),
        "zset": lambda key: world.client.zrange(key, 0, -1, withscores=True),
        "stream": world.client.xrange,
    }
    return {key: read[world.client.type(key)](key) for key in world.client.keys("*")}


def anna_writes(world, at=NOW):
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(at))], now=world.clock.now())


def assert_problem(answer, status, code):
    body = answer.get_json(force=True)
    assert (answer.status_code, body.get("code")) == (status, code), body
    assert answer.content_type == "application/problem+json"
    assert body["type"] == f"/docs/errors#{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"].endswith(answer.headers["X-Request-ID"])
    return body.get("errors", {})


def accepted(client, headers=ORDERS, **body):
    answer = send(client, headers=headers, **body)
    assert answer.status_code == 202, answer.json
    return answer.json["id"]


def state(world, message_id):
    return world.deps.messages.get("default", MessageId(message_id)).state


def refused(world, client, **body):
    """A message that was refused: nobody has written, and there is no template."""
    message_id = accepted(client, **body)
    drain(world)
    assert state(world, message_id) == "refused"
    return message_id


def in_doubt(world, client, **body):
    anna_writes(world, world.clock.now())
    world.providers["shop"].answers.append(Rejected(code="timeout", row=IN_DOUBT))
    message_id = accepted(client, **body)
    drain(world)
    assert state(world, message_id) == "unknown"
    return message_id


def note_untold(untold, response):
    """A code that the specification does not have for its call; other addresses are no calls."""
    paths = _specification()["paths"]
    rule = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", request.url_rule.rule) if request.url_rule else ""
    if rule in paths and response.content_type == MEDIA_TYPE:
        code = json.loads(response.data)["code"]
        if code not in paths[rule][request.method.lower()]["x-codes"]:
            untold.append((request.method, rule, code))
    return response


def assert_documented(spec, answer, path, method="get"):
    """The answer's status, content type and body are the documented ones."""
    response = spec["paths"][path][method]["responses"][str(answer.status_code)]
    if "$ref" in response:
        response = spec["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"][answer.mimetype]["schema"]
    Draft202012Validator({**schema, "components": spec["components"]}).validate(answer.get_json(force=True))
