"""The public door over WSGI: who is let in, what is recorded, what is answered."""

import json
from io import BytesIO

import pytest
import redis

from shared.domain.identifiers import ContactId, MessageId
from shared.domain.message import MessageState
from shared.store.connection import connect
from tests.builders import ANNA, NOW, World, cm_sender, template
from tests.counting import counted
from tests.public_door import AT, HOOK, cm_body, meta_body, post_meta, sign, text
from webhook.app import create_receiver


@pytest.fixture
def world(any_redis: redis.Redis) -> World:
    return World(any_redis)


@pytest.fixture
def door(world: World):
    return create_receiver(world.deps).test_client()


def window(world: World, alias: str = "shop", contact: ContactId = ANNA):
    return world.deps.contacts.get(world.deps.sender(alias), contact).window


class TestHandshake:
    def test_the_right_token_gets_the_bare_challenge(self, door):
        query = {"hub.mode": "subscribe", "hub.challenge": "<b>1</b>", "hub.verify_token": "meta-verify"}

        answer = door.get("/webhooks/shop", query_string=query)

        assert (answer.status_code, answer.text) == (200, "<b>1</b>")
        assert answer.mimetype == "text/plain"

    @pytest.mark.parametrize(
        ("path", "token", "mode", "expected"),
        [
            ("/webhooks/shop", "wrong", "subscribe", 403),
            ("/webhooks/shop", "meta-verify", "unsubscribe", 403),
            ("/webhooks/shop", "è", "subscribe", 403),
            ("/webhooks/negozio", "meta-verify", "subscribe", 403),
            ("/webhooks/nobody", "meta-verify", "subscribe", 404),
            ("/webhooks/shop/", "meta-verify", "subscribe", 200),
        ],
    )
    def test_anything_else_is_refused(self, door, path, token, mode, expected):
        query = {"hub.mode": mode, "hub.challenge": "1", "hub.verify_token": token}

        assert door.get(path, query_string=query).status_code == expected


class TestMeta:
    def test_a_signed_message_opens_the_window_for_the_very_next_call(self, door, world):
        answer = post_meta(door, meta_body(text()))

        assert (answer.status_code, answer.data) == (200, b"")
        assert window(world).is_open(NOW)

    def test_metas_published_escapes_verify_on_the_bytes_of_the_wire(self, world):
        body = (
            rb'{"object":"whatsapp_business_account","entry":[{"id":"100200300400500","changes":[{"value":'
            rb'{"messaging_product":"whatsapp","messages":[{"text":{"body":"caf\u00e9 \ud83d\ude00 a\/b"}}]},'
            rb'"field":"messages"}]}]}'
        )
        header = "sha256=0495d423a10bba1f5b787319949742a41f77a54da877cc1da6e8e46bd3db17ae"
        from shared.configuration import Secret
        from webhook.receiver.signatures import is_signed

        assert is_signed(body, header, [Secret("example_app_secret")])
        assert not is_signed(json.dumps(json.loads(body)).encode(), header, [Secret("example_app_secret")])

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "sha256=",
            "sha1=" + "a" * 64,
            "sha256=" + "g" * 64,
            "sha256=" + "é" * 64,
            "sha256=" + "a" * 64,
            "sha256=" + "a" * 63,
        ],
    )
    def test_a_bad_signature_is_401_and_writes_nothing(self, door, world, header):
        headers = {} if header is None else {"X-Hub-Signature-256": header.encode().decode("latin-1")}

        answer = door.post("/webhooks/shop", data=meta_body(text()), headers=headers)

        assert answer.status_code == 401
        assert world.client.keys("*") == []

    def test_both_secrets_of_a_rotation_are_live(self, any_redis):
        from dataclasses import replace

        from shared.configuration import Configuration, Secret
        from tests.builders import meta_sender

        rotating = meta_sender(app_secrets=(Secret("old"), Secret("new")))
        world = World(any_redis, configuration=Configuration(senders={"shop": rotating}))
        door = create_receiver(replace(world.deps)).test_client()
        body = meta_body(text())

        for secret, expected in (("old", 200), ("new", 200), ("older", 401)):
            assert post_meta(door, body, **sign(body, secret)).status_code == expected

    def test_every_message_of_a_batch_counts_and_a_bad_one_costs_only_itself(self, door, world):
        other = ContactId("+393339999999")
        body = meta_body(text(), {"id": 7, "type": []}, text("393339999999", id="wamid.IN2"))

        assert post_meta(door, body).status_code == 200
        assert window(world).is_open(NOW)
        assert window(world, contact=other).is_open(NOW)
        assert world.client.xlen("quarantine:{default}") == 1

    def test_a_number_that_is_not_ours_opens_nothing(self, door, world):
        assert post_meta(door, meta_body(text(), pnid="999")).status_code == 200

        assert world.client.keys("window:*") == []
        assert world.client.xlen("quarantine:{default}") == 1

    def test_what_is_not_ours_is_kept_once_however_often_it_is_in_a_body(self, door, world):
        messages = [text(id=f"wamid.{n}") for n in range(50)]

        assert post_meta(door, meta_body(*messages, pnid="999")).status_code == 200

        assert world.client.xlen("quarantine:{default}") == 1

    def test_an_authentic_body_that_is_not_json_is_kept_and_answered_200(self, door, world):
        assert post_meta(door, b"\xff{not json").status_code == 200

        ((_, entry),) = world.client.xrange("quarantine:{default}")
        assert entry["reason"] == "not_json"

    def test_a_template_approved_by_whatsapp_is_approved_here(self, door, world):
        world.deps.templates.create("default", template(gates={"provider": "approved"}), nonce="n")
        value = {
            "event": "APPROVED",
            "message_template_id": 9001,
            "message_template_name": "ordine_pronto",
            "message_template_language": "it",
            "reason": "NONE",
        }
        change = {"field": "message_template_status_update", "value": value}
        entry = {"id": "102290129340398", "time": int(AT), "changes": [change]}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()

        assert post_meta(door, body).status_code == 200

        assert world.deps.templates.get("default", template().id).status == "approved"

    def test_a_status_moves_its_message(self, door, world):
        from tests.play import accept, drain

        post_meta(door, meta_body(text()))
        message_id: MessageId = accept(world)
        drain(world)
        reference = str(world.providers["shop"].sent[0].reference)
        status = {
            "id": "wamid.OUT",
            "status": "delivered",
            "timestamp": AT,
            "recipient_id": "393331234567",
            "biz_opaque_callback_data": reference,
        }

        assert post_meta(door, meta_body(statuses=[status])).status_code == 200

        assert world.deps.messages.get("default", message_id).state is MessageState.DELIVERED


class TestCm:
    def test_a_message_at_the_secret_address_opens_the_window(self, door, world):
        assert door.post(HOOK, json=cm_body()).status_code == 200

        assert window(world, "negozio").is_open(NOW)

    def test_its_address_does_not_speak_for_a_number_whose_updates_meta_signs(self, door, world):
        assert door.post(HOOK, json=cm_body(to={"number": "+15550783881"})).status_code == 200

        assert not window(world, "shop").is_open(NOW)
        assert world.client.xlen("quarantine:{default}") == 1

    def test_the_same_post_twice_has_one_effect(self, door, world):
        door.post(HOOK, json=cm_body())
        door.post(HOOK, json=cm_body())

        assert len(world.deps.contacts.get(cm_sender(), ANNA).inbound) == 1

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/webhooks/negozio/wrong", 401),
            ("/webhooks/negozio/%C3%A8", 401),
            ("/webhooks/negozio", 401),
            ("/webhooks/shop/cm-hook-token", 401),
            ("/webhooks/nobody/cm-hook-token", 404),
        ],
    )
    def test_a_wrong_address_records_nothing(self, door, world, path, expected):
        assert door.post(path, json=cm_body()).status_code == expected
        assert world.client.keys("*") == []

    def test_a_late_window_refusal_sends_the_message_back(self, door, world):
        from tests.play import accept, drain, opt_anna_in

        door.post(HOOK, json=cm_body())
        world.deps.templates.create("default", template(cm_sender()), nonce="n")
        opt_anna_in(world)
        message_id = accept(world, sender="negozio")
        drain(world, "negozio")
        reference = str(world.providers["negozio"].sent[0].reference)
        report = {
            "received": "2026-11-22T12:00:05",
            "to": "00393331234567",
            "reference": reference,
            "status": {"code": "3", "errorCode": "62", "errorDescription": "more than 24 hours have passed"},
            "operator": "",
        }

        assert door.post(HOOK, json={"messages": {"msg": report}}).status_code == 200
        drain(world, "negozio")

        kinds = [outgoing.route.kind for outgoing in world.providers["negozio"].sent]
        assert kinds == ["session", "template"]
        assert world.deps.messages.get("default", message_id).state is MessageState.SUBMITTED


class TestBounds:
    def test_a_declared_body_that_is_too_large_is_413(self, door, world):
        answer = door.post("/webhooks/shop", data=b"x" * (4 * 1024 * 1024 + 1))

        assert answer.status_code == 413
        assert world.client.keys("*") == []

    @pytest.mark.parametrize("size", [4 * 1024 * 1024, 4 * 1024 * 1024 + 1])
    def test_a_chunked_body_is_bounded_too(self, door, size):
        body = b" " * size
        chunked = {"Transfer-Encoding": "chunked"}
        environ = {"wsgi.input_terminated": True}

        answer = door.post(
            "/webhooks/shop",
            input_stream=BytesIO(body),
            headers={**sign(body), **chunked},
            environ_overrides=environ,
        )

        assert answer.status_code == (200 if size == 4 * 1024 * 1024 else 413)

    @pytest.mark.parametrize("method", ["put", "delete", "patch"])
    def test_other_methods_are_405(self, door, method):
        assert getattr(door, method)("/webhooks/shop").status_code == 405

    def test_deep_nesting_does_not_break_the_door(self, door):
        body = b"[" * 100_000 + b"]" * 100_000

        assert post_meta(door, body).status_code == 200

    def test_an_absent_redis_is_503_with_a_time_to_come_back(self, redis_url):
        away = connect("redis://127.0.0.1:1/0")
        world = World(away)
        door = create_receiver(world.deps).test_client()

        answer = post_meta(door, meta_body(text()))

        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0


class TestRoundTrips:
    @pytest.mark.parametrize("messages", [1, 50])
    def test_a_post_costs_one_round_trip_however_much_is_in_it(self, redis_url, messages):
        client, trips = counted(redis_url)
        world = World(client)
        door = create_receiver(world.deps).test_client()
        warm = meta_body(text(id="wamid.warm1"), text(id="wamid.warm2"))
        post_meta(door, warm)
        trips.clear()

        post_meta(door, meta_body(*[text(id=f"wamid.{n}") for n in range(messages)]))

        assert len(trips) == 1
