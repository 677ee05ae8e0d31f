"""What the internal door answers to a message, what it keeps of it, and what a repeat gets."""

from datetime import timedelta

import pytest

from shared.clock import rfc3339
from shared.configuration import Configuration
from shared.domain.identifiers import MessageId
from shared.domain.message import MessageState
from shared.domain.session_content import Text
from tests.builders import (
    DAY,
    NOW,
    World,
    app,
    cm_sender,
    meta_sender,
    request,
    template,
)
from tests.door import DESK, ORDERS, TEMPLATE, TEXT, anna_writes, assert_problem, keys_of, send, without
from webhook.api.app import create_api


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
