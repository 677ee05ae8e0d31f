"""The internal door against the stores: what it answers, what it keeps, and what it never says."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from shared.clock import rfc3339
from shared.configuration import Configuration, Policy, Secret
from shared.domain.consent import Category
from shared.domain.identifiers import MessageId
from shared.domain.lint import PromotionalContent
from shared.domain.message import MessageState
from shared.domain.session_content import Text
from shared.domain.templates import Approval, Gate
from shared.observability import LogEvent
from shared.providers.base import NOT_SENT, Rejected
from shared.store.connection import connect
from tests.builders import (
    ANNA,
    DAY,
    NOW,
    World,
    app,
    cm_sender,
    meta_sender,
    opt_in,
    opt_out,
    request,
    template,
    wrote,
)
from webhook.api.app import create_api
from workers.outbound import Drain

SECOND = timedelta(seconds=1)
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


@pytest.fixture
def world(any_redis) -> World:
    return World(any_redis)


@pytest.fixture
def client(world):
    return create_api(world.deps).test_client()


@pytest.fixture
def away():
    """A world whose Redis does not answer."""
    return create_api(World(connect("redis://127.0.0.1:1/0")).deps).test_client()


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


def drain(world):
    with ThreadPoolExecutor(1) as slots:
        sender = world.deps.sender("shop")
        Drain(world.deps, sender, slots, most_slots=1, stopping=threading.Event()).run()


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


class TestAccept:
    def test_an_accepted_message_is_stored_and_the_bell_rings(self, world, client):
        anna_writes(world)

        answer = send(client, reference="order-991", expires_in=3600)

        body = answer.json
        assert answer.status_code == 202
        assert body["id"].startswith("msg_")
        assert (body["state"], body["to"], body["sender"]) == ("queued", "+393331234567", "shop")
        assert (body["reference"], body["accepted_at"]) == ("order-991", rfc3339(NOW))
        assert body["expires_at"] == rfc3339(NOW + timedelta(hours=1))
        assert (body["forecast"]["kind"], body["forecast"]["rule"]) == ("session", "window_open")
        assert body["links"] == {"self": f"/v1/messages/{body['id']}"}
        assert world.rung == ["shop"]
        stored = world.deps.messages.get("default", MessageId(body["id"]))
        assert (stored.state, stored.app) == (MessageState.QUEUED, "orders")
        assert stored.request == request(
            content=Text(TEXT["text"]),
            templates=(),
            reference="order-991",
            expires_at=NOW + timedelta(hours=1),
        )

    def test_accepting_is_one_round_trip(self, world, client):
        send(client)
        asked = []
        execute = world.client.execute_command
        world.client.execute_command = lambda *words, **more: (
            asked.append(words[0]) or execute(*words, **more)
        )

        assert send(client, headers=ORDERS | {"Idempotency-Key": "k"}).status_code == 202

        assert asked == ["EVALSHA"]

    def test_values_are_cleaned_and_alternates_kept(self, world, client):
        alternate = {"name": "pronto", "language": "en", "variables": {"nome": "Anna"}}
        asked = TEMPLATE | {"variables": ["Anna\n\tMaria", " 991 "], "alternates": [alternate]}

        answer = send(client, template=asked, category="marketing", priority="bulk", in_doubt="resend")

        stored = world.deps.messages.get("default", MessageId(answer.json["id"])).request
        assert [dict(call.values) for call in stored.templates] == [
            {"1": "Anna Maria", "2": "991"},
            {"nome": "Anna"},
        ]
        assert (stored.category, stored.priority.name, stored.in_doubt) == ("marketing", "BULK", "resend")

    def test_a_sender_may_be_left_out_when_there_is_only_one(self, any_redis):
        configuration = Configuration(
            senders={"shop": meta_sender(), "negozio": cm_sender()},
            apps={"orders": app(senders=("negozio",))},
        )
        client = create_api(World(any_redis, configuration=configuration).deps).test_client()

        answer = client.post("/v1/messages", json=without(TEXT, "sender"), headers=ORDERS)

        assert answer.json["sender"] == "negozio"

    def test_a_sender_that_prefers_templates_still_sends_the_text_of_a_request_without_one(self, any_redis):
        configuration = Configuration(
            senders={"shop": meta_sender(when_open="template")}, apps={"o": app("o")}
        )
        world = World(any_redis, configuration=configuration)
        anna_writes(world)

        answer = send(create_api(world.deps).test_client(), headers={"Authorization": "Bearer o-key"})

        assert answer.json["forecast"]["kind"] == "session"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"to": "anna"}, "to"),
            ({"to": 393331234567}, "to"),
            ({"sender": "nobody"}, "sender"),
            ({"sender": None}, "sender"),
            ({"text": ""}, "text"),
            ({"text": "   "}, "text"),
            ({"text": "x" * 4097}, "text"),
            ({"text": None}, "text"),
            ({"txt": "ciao"}, "txt"),
            ({"when_open": "template"}, "when_open"),
            ({"when_open": "always"}, "when_open"),
            ({"when_closed": "never"}, "when_closed"),
            ({"category": "promo"}, "category"),
            ({"priority": "urgent"}, "priority"),
            ({"in_doubt": "maybe"}, "in_doubt"),
            ({"reference": "x" * 257}, "reference"),
            ({"expires_in": 0}, "expires_in"),
            ({"expires_in": 30 * 86400 + 1}, "expires_in"),
            ({"expires_in": "soon"}, "expires_in"),
            ({"expires_at": rfc3339(NOW)}, "expires_at"),
            ({"expires_at": rfc3339(NOW + 31 * DAY)}, "expires_at"),
            ({"expires_at": "2086-11-23T12:00:00"}, "expires_at"),
            ({"expires_at": "0001-01-01T00:00:00+23:59"}, "expires_at"),
            ({"expires_in": 60, "expires_at": rfc3339(NOW + DAY)}, "expires_at"),
            ({"template": TEMPLATE | {"name": "Ordine Pronto"}}, "template.name"),
            ({"template": TEMPLATE | {"language": "it it"}}, "template.language"),
            ({"template": TEMPLATE | {"variables": ["Anna", " \n"]}}, "template.variables.2"),
            ({"template": TEMPLATE | {"variables": {"no me": "x"}}}, "template.variables.no me"),
            ({"template": TEMPLATE | {"variables": [991]}}, "template.variables.1"),
            ({"template": TEMPLATE | {"variables": "Anna"}}, "template.variables"),
            ({"template": TEMPLATE | {"header": 7}}, "template.header"),
            (
                {"template": TEMPLATE | {"alternates": [TEMPLATE | {"variables": [""]}]}},
                "template.alternates.0.variables.1",
            ),
        ],
    )
    def test_a_wrong_field_is_named(self, world, client, change, field):
        errors = assert_problem(send(client, **change), 422, "invalid_request")

        assert list(errors) == [field]
        assert keys_of(world) == {}

    def test_an_unknown_field_comes_with_a_mend(self, client):
        errors = assert_problem(send(client, templat=TEMPLATE), 422, "invalid_request")

        assert errors == {"templat": ["unknown field; did you mean template?"]}

    def test_a_misspelt_query_sends_nothing(self, world, client):
        errors = assert_problem(send(client, query="?dryrun=true"), 422, "invalid_request")

        assert (list(errors), keys_of(world)) == (["dryrun"], {})

    def test_variables_that_are_not_the_templates_are_refused(self, world, client):
        world.deps.templates.create("default", template(), nonce="n")
        asked = TEMPLATE | {"variables": ["Anna"]}

        errors = assert_problem(send(client, template=asked), 422, "template_mismatch")
        assert errors == {"template.variables.2": ["needs a value; the template's variables: 1, 2"]}

        other = {"name": "altro", "language": "it", "variables": [], "alternates": [asked]}
        errors = assert_problem(send(client, template=other), 422, "template_mismatch")
        assert list(errors) == ["template.alternates.0.variables.2"]

    def test_meta_takes_user_ids(self, client):
        assert send(client, to="NL.90011223344").json["to"] == "NL.90011223344"

    def test_an_expiry_counts_in_whole_milliseconds(self, world, client):
        answer = send(client, expires_at="2086-11-22T13:30:00.123999+01:00")

        assert answer.json["expires_at"] == "2086-11-22T12:30:00.123Z"
        stored = world.deps.messages.get("default", MessageId(answer.json["id"]))
        assert rfc3339(stored.request.expires_at) == answer.json["expires_at"]

    def test_cm_takes_no_user_ids(self, client):
        answer = send(client, to="NL.90011223344", sender="negozio")

        assert list(assert_problem(answer, 422, "unsupported_by_provider")) == ["to"]


class TestIdempotency:
    KEYED = ORDERS | {"Idempotency-Key": "order-991"}

    def test_the_same_key_and_body_get_the_same_answer_byte_for_byte(self, world, client):
        first = send(client, headers=self.KEYED, template=TEMPLATE, expires_in=60)
        anna_writes(world)
        world.deps.senders.halt(world.deps.sender("shop"), "why", now=NOW)
        world.clock.advance(timedelta(hours=2))

        again = send(client, headers=self.KEYED, template=TEMPLATE, expires_in=60)

        assert (again.status_code, again.data) == (202, first.data)
        assert world.deps.messages.count("default", MessageState.QUEUED) == 1

    def test_another_order_of_the_fields_is_the_same_body(self, client):
        first = client.post("/v1/messages", json=TEXT, headers=self.KEYED)

        again = client.post("/v1/messages", json=dict(reversed(TEXT.items())), headers=self.KEYED)

        assert again.data == first.data

    def test_a_repeat_after_the_expiry_still_gets_its_answer(self, world, client):
        expires_at = rfc3339(NOW + timedelta(minutes=1))
        first = send(client, headers=self.KEYED, expires_at=expires_at)
        world.clock.advance(timedelta(hours=1))

        again = send(client, headers=self.KEYED, expires_at=expires_at)

        assert again.data == first.data
        other = send(client, headers=ORDERS | {"Idempotency-Key": "other"}, expires_at=expires_at)
        assert_problem(other, 422, "invalid_request")

    def test_the_same_key_with_another_body_is_refused(self, client):
        send(client, headers=self.KEYED)

        assert_problem(send(client, headers=self.KEYED, text="altro"), 422, "idempotency_key_reused")

    def test_keys_belong_to_an_app_and_a_sender(self, client):
        first = send(client, headers=self.KEYED)
        other_app = send(client, headers=DESK | {"Idempotency-Key": "order-991"})
        other_sender = send(client, headers=self.KEYED, sender="negozio")

        assert len({first.json["id"], other_app.json["id"], other_sender.json["id"]}) == 3

    @pytest.mark.parametrize("key", ["", "k" * 256])
    def test_a_key_has_1_to_255_characters(self, client, key):
        errors = assert_problem(
            send(client, headers=ORDERS | {"Idempotency-Key": key}), 422, "invalid_request"
        )

        assert list(errors) == ["Idempotency-Key"]


class TestDryRun:
    def test_it_shows_route_and_request_and_stores_nothing(self, world, client):
        world.deps.templates.create("default", template(), nonce="n")
        world.deps.contacts.set_consent(meta_sender(), ANNA, opt_in(), [Category.UTILITY], now=NOW)
        anna_writes(world)
        before = keys_of(world)

        answer = send(client, query="?dry_run=true", template=TEMPLATE)

        assert answer.status_code == 200
        assert answer.json["route"]["rule"] == "window_open"
        assert answer.json["request"] == {
            "url": "http://unused",
            "json": {"references": ["0" * 26 + "1"]},
        }
        closing = rfc3339(NOW + DAY - timedelta(seconds=60))
        assert answer.json["would_change"] == [
            f"When the window is about to close, at {closing}: template (window_closed).",
            "If the contact opts out of utility: refuse (opted_out).",
        ]
        assert (keys_of(world), world.rung, world.providers["shop"].sent) == (before, [], [])

    @pytest.mark.parametrize(("promotional", "is_said"), [("refuse", True), ("warn", True), ("allow", False)])
    def test_a_text_that_promotes_is_at_most_warned_about(self, any_redis, promotional, is_said):
        policy = Policy(promotional_content=PromotionalContent(promotional))
        configuration = Configuration(
            senders={"shop": meta_sender()}, apps={"o": app("orders")}, policy=policy
        )
        client = create_api(World(any_redis, configuration=configuration).deps).test_client()

        plain = send(client, query="?dry_run=true").json
        promoting = send(client, query="?dry_run=true", text="Sconto per te!").json

        assert plain["warnings"] == []
        said = ["The text promotes, 'sconto': it announces lower prices."]
        assert promoting["warnings"] == (said if is_said else [])
        assert send(client, text="Sconto per te!").status_code == 202

    def test_a_refusal_has_no_request_and_says_what_would_change_it(self, world, client):
        world.deps.templates.create("default", template(gates={}), nonce="n")
        world.deps.senders.halt(world.deps.sender("shop"), "why", now=NOW)

        answer = send(client, query="?dry_run=true", template=TEMPLATE)

        assert (answer.json["route"]["rule"], answer.json["request"]) == ("no_opt_in", None)
        assert answer.json["would_change"] == [
            "If the contact writes: defer (sender_halted).",
            "If the contact opts in to utility: defer (template_pending).",
            "If the contact opts out of utility: refuse (opted_out).",
        ]


class TestShowMessage:
    def test_a_message_shows_its_route_its_attempts_and_its_timeline(self, world, client):
        anna_writes(world)
        path = send(client, template=TEMPLATE).json["links"]["self"]
        world.providers["shop"].answers = [Rejected(code="131000", row=NOT_SENT, detail="…")]
        drain(world)
        world.clock.advance(SECOND)
        drain(world)

        answer = client.get(path, headers=ORDERS)

        body = answer.json
        assert (body["state"], body["app"], body["waiting"]) == ("submitted", "orders", None)
        assert (body["route"]["kind"], body["route"]["rule"]) == ("session", "window_open")
        first, second = body["attempts"]
        assert (first["number"], first["outcome"]) == (1, "deferred")
        assert first["error"] == {
            "code": "131000",
            "class": "retry",
            "detail": "…",
            "advice": NOT_SENT.advice,
        }
        assert (second["started_at"], second["outcome"]) == (rfc3339(NOW + SECOND), "submitted")
        assert second["provider_message_id"] == body["provider_message_id"]
        assert [entry["event"] for entry in body["timeline"]] == [
            "accepted",
            "sending",
            "deferred",
            "sending",
            "submitted",
        ]
        assert body["timeline"][0]["at"] == rfc3339(NOW)
        assert "Ciao" not in answer.text

    def test_behind_a_halted_sender_it_says_what_it_waits_for(self, world, client):
        path = send(client).json["links"]["self"]
        world.deps.senders.halt(world.deps.sender("shop"), "why", now=NOW)

        assert client.get(path, headers=ORDERS).json["waiting"] == "sender_halted"

    def test_an_app_sees_its_own_and_admin_all(self, client):
        own = send(client).json["links"]["self"]
        foreign = send(client, headers=DESK).json["links"]["self"]

        assert client.get(own, headers=DESK).status_code == 200
        assert_problem(client.get(foreign, headers=ORDERS), 404, "not_found")

    @pytest.mark.parametrize("path", [UNKNOWN_MESSAGE, "/v1/messages/nix", "/v1/messages/msg_*"])
    def test_what_is_not_there_is_404(self, client, path):
        assert_problem(client.get(path, headers=ORDERS), 404, "not_found")


class TestContacts:
    def test_an_unknown_contact_has_a_closed_window(self, client):
        body = client.get(CONTACT, headers=ORDERS).json

        assert body["window"] == {
            "open": False,
            "last_inbound_at": None,
            "expires_at": None,
            "refused_at": None,
            "remaining_seconds": 0,
        }
        assert body["consent"]["status"] == "unknown"
        assert body["identities"] == {
            "phone_number": "+393331234567",
            "whatsapp_number": None,
            "user_id": None,
        }
        assert body["latest"] == []

    def test_a_contact_shows_window_consent_and_the_latest_both_ways(self, world, client):
        anna_writes(world, NOW - 2 * SECOND)
        world.deps.contacts.set_consent(meta_sender(), ANNA, opt_in(), [Category.UTILITY], now=NOW)
        sent = send(client).json["id"]
        send(client, headers=DESK)
        send(client, sender="negozio")

        answer = client.get(CONTACT, headers=ORDERS)

        body = answer.json
        assert body["window"]["remaining_seconds"] == 86398
        assert body["window"]["expires_at"] == rfc3339(NOW + DAY - 2 * SECOND)
        assert body["consent"]["status"] == "opted_in"
        assert body["consent"]["categories"]["utility"] == {
            "status": "opted_in",
            "at": rfc3339(NOW - DAY),
            "source": "test",
            "evidence": None,
        }
        assert body["consent"]["categories"]["marketing"]["status"] == "unknown"
        assert [(item["direction"], item.get("state"), item.get("kind")) for item in body["latest"]] == [
            ("outbound", "queued", None),
            ("inbound", None, "text"),
        ]
        assert body["latest"][0]["id"] == sent
        assert "ciao" not in answer.text

    def test_admin_sees_the_messages_of_all_apps(self, client):
        send(client)

        assert len(client.get(CONTACT, headers=DESK).json["latest"]) == 1

    def test_a_user_id_is_a_contact_too(self, client):
        body = client.get("/v1/contacts/NL.90011223344?sender=shop", headers=ORDERS).json

        assert body["identities"] == {
            "phone_number": None,
            "whatsapp_number": None,
            "user_id": "NL.90011223344",
        }

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("/v1/contacts/anna?sender=shop", 422, "invalid_request"),
            ("/v1/contacts/+393331234567", 422, "invalid_request"),
            ("/v1/contacts/+393331234567?sender=nix", 404, "unknown_sender"),
        ],
    )
    def test_a_wrong_address_is_refused(self, client, path, status, code):
        assert_problem(client.get(path, headers=ORDERS), status, code)


class TestConsent:
    def put(self, client, **body):
        return client.put(CONSENT, json=body, headers=DESK)

    def statuses(self, answer):
        return [record["status"] for record in answer.json["categories"].values()]

    def test_an_opt_in_covers_utility_and_authentication(self, client):
        answer = self.put(client, status="opted_in", source="checkout", evidence="box ticked")

        assert answer.status_code == 200
        assert self.statuses(answer) == ["opted_in", "unknown", "opted_in"]
        assert answer.json["categories"]["utility"] == {
            "status": "opted_in",
            "at": rfc3339(NOW),
            "source": "checkout",
            "evidence": "box ticked",
        }
        assert (answer.json["contact"], answer.json["changed"]) == ("+393331234567", True)

    def test_an_opt_out_covers_all(self, client):
        assert self.statuses(self.put(client, status="opted_out")) == ["opted_out"] * 3

    def test_named_categories_are_the_ones_that_change(self, client):
        answer = self.put(client, status="opted_in", categories=["marketing"])

        assert self.statuses(answer) == ["unknown", "opted_in", "unknown"]
        assert answer.json["status"] == "unknown"

    def test_older_than_what_stands_changes_nothing_and_shows_what_stands(self, world, client):
        world.deps.contacts.set_consent(meta_sender(), ANNA, opt_out(NOW), list(Category), now=NOW)

        answer = self.put(client, status="opted_in", at=rfc3339(NOW - SECOND))

        assert (answer.status_code, answer.json["changed"]) == (200, False)
        assert self.statuses(answer) == ["opted_out"] * 3

    def test_a_time_counts_in_whole_seconds(self, client):
        answer = self.put(client, status="opted_in", at="2086-11-20T10:30:00.900+01:00")

        assert answer.json["categories"]["utility"]["at"] == "2086-11-20T09:30:00.000Z"

    def test_a_clock_may_run_ahead_by_a_second(self, client):
        ahead = self.put(client, status="opted_in", at=rfc3339(NOW + SECOND))
        assert ahead.json["categories"]["utility"]["at"] == rfc3339(NOW)

        too_far = self.put(client, status="opted_in", at=rfc3339(NOW + 2 * SECOND))
        assert list(assert_problem(too_far, 422, "invalid_request")) == ["at"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "status"),
            ({"status": "yes"}, "status"),
            ({"status": "opted_in", "categories": []}, "categories"),
            ({"status": "opted_in", "categories": ["promo"]}, "categories.0"),
            ({"status": "opted_in", "at": "yesterday"}, "at"),
            ({"status": "opted_in", "source": ""}, "source"),
            ({"status": "opted_in", "why": "x"}, "why"),
        ],
    )
    def test_a_wrong_field_is_named(self, world, client, body, field):
        assert list(assert_problem(self.put(client, **body), 422, "invalid_request")) == [field]
        assert keys_of(world) == {}


class TestTemplates:
    def register(self, client, **changes):
        return client.post("/v1/templates", json=NEW_TEMPLATE | changes, headers=DESK)

    def decide(self, client, gate, decision, reason=None):
        path = "/v1/templates/conferma_ordine/it/approval?sender=negozio"
        return client.post(path, json={"gate": gate, "decision": decision, "reason": reason}, headers=DESK)

    @pytest.mark.parametrize(
        "body", ["Salve {1}, ordine {2} ricevuto.", "Salve {{1}}, ordine {{ 2 }} ricevuto."]
    )
    def test_a_body_is_stored_in_the_providers_form(self, client, body):
        answer = self.register(client, body=body)

        assert answer.status_code == 201
        assert answer.json["body"] == "Salve {{1}}, ordine {{2}} ricevuto."
        assert answer.json["variables"] == ["1", "2"]

    @pytest.mark.parametrize(
        ("sender", "is_automatic", "provider_gate"),
        [
            ("shop", False, "approved"),
            ("negozio", False, "pending"),
            ("negozio", True, "approved"),
        ],
    )
    def test_the_gates_at_registration(self, any_redis, sender, is_automatic, provider_gate):
        senders = {
            "shop": meta_sender(),
            "negozio": cm_sender(is_provider_approval_automatic=is_automatic),
        }
        world = World(
            any_redis, configuration=Configuration(senders=senders, apps={"desk": app("desk", ("admin",))})
        )

        answer = self.register(create_api(world.deps).test_client(), sender=sender)

        assert answer.json["approval"] == {
            "provider": {"state": provider_gate, "reason": None},
            "whatsapp": {"state": "pending", "reason": None},
        }
        assert answer.json["status"] == "draft"

    @pytest.mark.parametrize(
        ("tag", "category"),
        [
            ("UTILITY", "utility"),
            ("MARKETING", "marketing"),
            ("TRANSACTIONAL", "utility"),
            ("SHIPPING_UPDATE", "utility"),
        ],
    )
    def test_a_tag_is_kept_and_proposes_a_category(self, client, tag, category):
        self.register(client, tag=tag)

        shown = client.get("/v1/templates/conferma_ordine/it?sender=negozio", headers=ORDERS).json
        assert (shown["tag"], shown["category"]) == (tag, category)

    @pytest.mark.parametrize("tag", ["AUTHENTICATION", "OTP"])
    def test_a_one_time_code_is_registered_in_whatsapps_own_form(self, client, tag):
        button = {"kind": "one_time_code", "label": "Copia il codice"}
        form = {"body": "{1} è il tuo codice.", "samples": ["123456"], "buttons": [button], "tag": tag}

        assert self.register(client, sender="shop", **form).json["category"] == "authentication"
        errors = assert_problem(self.register(client, **form), 422, "template_lint")
        assert [entry["code"] for entry in errors["tag"]] == ["unsupported_by_provider"]

    def test_a_registration_keeps_the_warnings_of_the_lint(self, client):
        first = self.register(client)
        again = self.register(client, name="conferma_2", tag="AUTO_REPLY")

        assert (first.status_code, first.json["warnings"]) == (201, [])
        assert again.status_code == 201
        assert [(entry["code"], entry["level"]) for entry in again.json["warnings"]] == [
            ("tag_old", "warning"),
            ("duplicate_text", "warning"),
        ]

    def test_linting_registers_nothing_and_answers_200_whatever_it_finds(self, world, client):
        wrong = NEW_TEMPLATE | {"name": "Conferma", "tag": "AUTO_REPLY"}

        answers = [
            client.post("/v1/templates/lint", json=each, headers=DESK) for each in (NEW_TEMPLATE, wrong)
        ]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json == {"findings": []}
        assert [(each["field"], each["level"]) for each in answers[1].json["findings"]] == [
            ("name", "error"),
            ("tag", "warning"),
        ]
        assert keys_of(world) == {}

    def test_the_lint_refuses_with_a_code_for_each_mistake(self, client):
        answer = self.register(client, name="Conferma", body="{1} e {3}", samples=["Anna"])

        errors = assert_problem(answer, 422, "template_lint")
        codes = {field: {entry["code"] for entry in entries} for field, entries in errors.items()}
        assert codes["name"] == {"name_format"}
        assert "variables_not_sequential" in codes["body"]
        assert codes["samples"] == {"samples_missing"}
        assert all(entry["mend"] for entries in errors.values() for entry in entries)

    def test_it_exists_once_for_an_account(self, client):
        self.register(client)

        assert_problem(self.register(client), 409, "template_exists")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"tag": "PROMO"}, "tag"),
            ({"language": "italiano puro"}, "language"),
            ({"header": {"text": "x"}}, "header.kind"),
            ({"header": {"kind": "image", "text": "x"}}, "header.text"),
            ({"buttons": [{"kind": "quick_reply"}]}, "buttons.0.label"),
            ({"buttons": [{"kind": "url", "label": "Segui"}]}, "buttons.0.url"),
            ({"ttl_seconds": "60"}, "ttl_seconds"),
            ({"sender": "nix"}, "sender"),
            ({"samples": "Anna"}, "samples"),
            ({"boddy": "x"}, "boddy"),
        ],
    )
    def test_a_wrong_field_is_named(self, client, changes, field):
        assert list(assert_problem(self.register(client, **changes), 422, "invalid_request")) == [field]

    def test_both_gates_by_hand_make_it_usable(self, client):
        self.register(client)

        first = self.decide(client, "provider", "approved")
        second = self.decide(client, "whatsapp", "approved")

        assert (first.json["status"], second.json["status"]) == ("submitted", "approved")

    def test_a_rejection_keeps_its_reason(self, client):
        self.register(client)

        answer = self.decide(client, "whatsapp", "rejected", "too promotional")

        assert answer.json["status"] == "rejected"
        assert answer.json["approval"]["whatsapp"] == {"state": "rejected", "reason": "too promotional"}

    @pytest.mark.parametrize("gate", ["provider", "whatsapp"])
    def test_meta_decides_for_itself(self, world, client, gate):
        world.deps.templates.create("default", template(gates={Gate.PROVIDER: Approval.APPROVED}), nonce="n")
        path = "/v1/templates/ordine_pronto/it/approval?sender=shop"

        answer = client.post(path, json={"gate": gate, "decision": "approved"}, headers=DESK)

        assert_problem(answer, 409, "decided_by_provider")
        assert world.deps.templates.get("default", template().id).gates[Gate.WHATSAPP] is Approval.PENDING

    def test_an_unknown_template_is_404(self, client):
        assert_problem(self.decide(client, "whatsapp", "approved"), 404, "unknown_template")

    def test_the_list_shows_each_account_once(self, any_redis):
        senders = {"shop": meta_sender(), "twin": meta_sender("twin"), "negozio": cm_sender()}
        world = World(
            any_redis, configuration=Configuration(senders=senders, apps={"desk": app("desk", ("admin",))})
        )
        for sender in senders.values():
            world.deps.templates.create("default", template(sender), nonce="n")
        client = create_api(world.deps).test_client()

        body = client.get("/v1/templates", headers=DESK).json
        of_one = client.get("/v1/templates?sender=twin", headers=DESK).json

        assert [item["sender"] for item in body["items"]] == ["shop", "negozio"]
        assert body["next"] is None
        assert [item["sender"] for item in of_one["items"]] == ["twin"]


class TestSenders:
    def test_a_hand_halts_and_resumes(self, world, client):
        halted = client.post("/v1/senders/shop/halt", json={"why": "moving"}, headers=DESK).json
        listed = client.get("/v1/senders", headers=ORDERS).json["items"]
        resumed = client.post("/v1/senders/shop/resume", headers=DESK).json

        assert (halted["state"], halted["why"], halted["since"]) == ("halted", "moving", rfc3339(NOW))
        assert [item["state"] for item in listed] == ["halted", "active"]
        assert (resumed["state"], resumed["why"], resumed["since"]) == ("active", None, None)
        assert world.rung == ["shop"]

    def test_a_halt_says_why(self, client):
        answer = client.post("/v1/senders/shop/halt", json={}, headers=DESK)

        assert list(assert_problem(answer, 422, "invalid_request")) == ["why"]

    def test_an_unknown_sender_is_404(self, client):
        answer = client.post("/v1/senders/nix/halt", json={"why": "x"}, headers=DESK)

        assert_problem(answer, 404, "unknown_sender")


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
SCOPES = ["messages", "contacts:read", "contacts", "templates:read", "templates", "events", "admin"]


class TestKeys:
    @pytest.mark.parametrize(("method", "path", "body", "opens"), ROUTES)
    @pytest.mark.parametrize("scope", SCOPES)
    def test_a_scope_opens_what_it_should(self, any_redis, method, path, body, opens, scope):
        configuration = Configuration(
            senders={"shop": meta_sender(), "negozio": cm_sender()}, apps={"a": app("a", (scope,))}
        )
        client = create_api(World(any_redis, configuration=configuration).deps).test_client()

        answer = client.open(path, method=method, json=body, headers={"Authorization": "Bearer a-key"})

        if scope in opens | {"admin"}:
            assert answer.status_code not in (401, 403)
        else:
            assert_problem(answer, 403, "scope_missing")
            for needed in opens or {"admin"}:
                assert needed in answer.get_json(force=True)["detail"]

    @pytest.mark.parametrize(
        ("method", "path", "body", "_opens"),
        [*ROUTES, ("GET", "/v1/senders", None, set()), ("GET", "/openapi.json", None, set())],
    )
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic b3JkZXJzLWtleQ=="},
            {"Authorization": "Bearer é"},
            {"Authorization": "orders-key"},
        ],
    )
    def test_nothing_opens_without_a_key(self, client, method, path, body, _opens, headers):
        answer = client.open(path, method=method, json=body, headers=headers)

        assert_problem(answer, 401, "key_required")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_whoever_is_refused_stands_in_the_log_and_no_number_does(self, client):
        with structlog.testing.capture_logs() as logs:
            client.get(CONTACT, headers={"Authorization": "Bearer nix"})
            client.delete(CONTACT, headers=ORDERS)

        route = "/v1/contacts/<contact>"
        refused = [line for line in logs if line["event"] is LogEvent.ACCESS_REFUSED]
        assert [(line["event"], line["missing"]) for line in refused] == [
            (LogEvent.ACCESS_REFUSED, "key"),
            (LogEvent.ACCESS_REFUSED, "contacts"),
        ]
        assert {line["route"] for line in logs} == {route}

    def test_both_keys_of_a_rotation_open(self, any_redis):
        both = app("orders", api_keys=(Secret("old"), Secret("new é")))
        configuration = Configuration(senders={"shop": meta_sender()}, apps={"orders": both})
        client = create_api(World(any_redis, configuration=configuration).deps).test_client()

        keys = ["old", "new é".encode().decode("latin-1")]
        answers = [client.get("/v1/senders", headers={"Authorization": f"bearer {key}"}) for key in keys]
        assert [answer.status_code for answer in answers] == [200, 200]

    def test_an_app_uses_its_own_senders_only(self, any_redis):
        configuration = Configuration(
            senders={"shop": meta_sender(), "negozio": cm_sender()},
            apps={"orders": app("orders", ("admin",), senders=("negozio",))},
        )
        client = create_api(World(any_redis, configuration=configuration).deps).test_client()

        for answer in (
            send(client),
            client.get(CONTACT, headers=ORDERS),
            client.put(CONSENT, json={"status": "opted_in"}, headers=ORDERS),
            client.post("/v1/senders/shop/resume", headers=ORDERS),
            client.post("/v1/templates", json=NEW_TEMPLATE | {"sender": "shop"}, headers=ORDERS),
        ):
            assert_problem(answer, 403, "sender_not_allowed")
        listed = client.get("/v1/senders", headers=ORDERS).json["items"]
        assert [item["alias"] for item in listed] == ["negozio"]


class TestDryRunMismatch:
    def test_a_dry_run_refuses_what_the_call_would_refuse(self, client, world):
        world.deps.templates.create("default", template(), nonce="n")
        body = {
            "to": ANNA.value,
            "sender": "shop",
            "text": "Ciao",
            "template": {"name": "ordine_pronto", "language": "it", "variables": ["Anna"]},
        }

        answers = [
            client.post(f"/v1/messages{query}", json=body, headers=ORDERS) for query in ("", "?dry_run=true")
        ]

        assert [answer.json["code"] for answer in answers] == ["template_mismatch"] * 2
        assert answers[0].json["errors"] == answers[1].json["errors"]


class TestErrors:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b'{"text": NaN}',
            b'{"text": "\xff"}',
            b'{"text": "\\ud83d"}',
            b'{"expires_in": ' + b"9" * 5000 + b"}",
            b"[" * 100_000,
        ],
    )
    def test_what_is_not_json_is_400(self, client, body):
        assert_problem(client.post("/v1/messages", data=body, headers=ORDERS), 400, "not_json")

    @pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"3"])
    def test_json_of_another_shape_is_422(self, client, body):
        answer = client.post("/v1/messages", data=body, headers=ORDERS)

        assert list(assert_problem(answer, 422, "invalid_request")) == ["body"]

    def test_over_4_mib_is_413(self, client):
        body = b" " * (4 * 1024 * 1024 + 1)

        assert_problem(client.post("/v1/messages", data=body, headers=ORDERS), 413, "body_too_large")

    def test_no_such_address_is_404_and_another_method_405(self, client):
        assert_problem(client.get("/v1/nix", headers=ORDERS), 404, "not_found")
        answer = client.delete("/v1/messages", headers=ORDERS)
        assert_problem(answer, 405, "method_not_allowed")
        assert "POST" in answer.headers["Allow"]

    @pytest.mark.parametrize(("method", "path", "body", "_opens"), ROUTES)
    def test_redis_away_is_503_everywhere(self, away, method, path, body, _opens):
        answer = away.open(path, method=method, json=body, headers=DESK)

        assert_problem(answer, 503, "store_unavailable")
        assert int(answer.headers["Retry-After"]) > 0

    def test_a_bug_is_500_and_neither_answer_nor_log_quotes_it(self, world):
        def explode():
            raise RuntimeError("canary +393331234567")

        client = create_api(replace(world.deps, new_message_id=explode)).test_client()
        with structlog.testing.capture_logs() as logs:
            answer = send(client)

        assert_problem(answer, 500, "internal_error")
        assert "canary" not in answer.text
        line, told = logs
        assert told["status"] == 500
        assert (line["event"], line["error"]) == (LogEvent.BUG, "RuntimeError")
        assert "explode" in line["at"]
        assert "canary" not in str(logs)

    @pytest.mark.parametrize(
        ("given", "is_echoed"),
        [("abc-123", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("<script>", False)],
    )
    def test_a_sane_request_id_is_echoed(self, client, given, is_echoed):
        answer = client.get("/v1/nix", headers={"X-Request-ID": given})

        assert (answer.headers["X-Request-ID"] == given) is is_echoed
        assert answer.headers["X-Request-ID"]


class TestHealth:
    def test_live_and_ready_need_no_key(self, real_redis):
        client = create_api(World(real_redis).deps).test_client()

        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").json == {"status": "ok"}

    def test_redis_away_is_not_ready_but_live(self, away):
        answer = away.get("/readyz")

        assert (answer.status_code, away.get("/livez").status_code) == (503, 200)
        assert "Redis" in answer.json["reason"]

    def test_a_redis_that_evicts_is_not_ready(self, real_redis):
        client = create_api(World(real_redis).deps).test_client()
        real_redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            answer = client.get("/readyz")
        finally:
            real_redis.config_set("maxmemory-policy", "noeviction")

        assert answer.status_code == 503
        assert "allkeys-lru" in answer.json["reason"]


class TestLogs:
    def test_one_line_for_each_accepted_message_and_none_for_a_repeat(self, client):
        with structlog.testing.capture_logs() as logs:
            first = send(client, headers=ORDERS | {"Idempotency-Key": "k"})
            send(client, headers=ORDERS | {"Idempotency-Key": "k"})

        assert logs == [
            {
                "event": LogEvent.MESSAGE_ACCEPTED,
                "log_level": "info",
                "message_id": first.json["id"],
                "sender": "shop",
                "app": "orders",
                "priority": "normal",
            }
        ]

    def test_no_text_and_no_number_is_logged(self, world, client, away):
        canary = {
            "text": "canary",
            "template": TEMPLATE | {"variables": ["canary", "991"]},
            "reference": "canary",
        }
        processors = [structlog.contextvars.merge_contextvars]
        with structlog.testing.capture_logs(processors=processors) as logs:
            send(client, **canary)
            send(client, query="?dry_run=true", **canary)
            send(away.application.test_client(), **canary)
            send(client, canary="canary")
            client.put(CONSENT, json={"status": "opted_out", "evidence": "canary"}, headers=DESK)
            client.get(CONTACT, headers=ORDERS)

        assert {line["event"] for line in logs} == {
            LogEvent.MESSAGE_ACCEPTED,
            LogEvent.REQUEST,
            LogEvent.STORE_UNAVAILABLE,
        }
        assert all(line["request_id"] and line["app"] in {"orders", "desk"} for line in logs)
        assert "canary" not in str(logs)
        assert "3331234567" not in str(logs)
