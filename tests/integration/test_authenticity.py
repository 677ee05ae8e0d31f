"""Who is believed at the public door: signatures, tokens, rotations, source addresses.

Whoever is not believed meets a Redis that is not there: to ask it anything would be a 503.
"""

import hashlib
import hmac
import json
from ipaddress import ip_address, ip_network

import pytest

from shared.configuration import Configuration, Secret
from shared.errors import SettingsError
from shared.settings import load_settings
from shared.store.connection import connect
from tests.builders import World, cm_sender, meta_sender
from tests.public_door import HOOK, cm_body, meta_body, sign, text
from webhook.api.app import create_api
from webhook.app import create_receiver
from webhook.receiver.sources import source_of

SHOP = "/webhooks/shop"
#: Meta's escapes as they come over the wire, with the signature of exactly these bytes (reference, 1.2).
VECTOR = (
    rb'{"object":"whatsapp_business_account","entry":[{"id":"100200300400500","changes":[{"value":'
    rb'{"messaging_product":"whatsapp","messages":[{"text":{"body":"caf\u00e9 \ud83d\ude00 a\/b"}}]},'
    rb'"field":"messages"}]}]}'
)
VECTOR_SECRET = "example_app_secret"
VECTOR_SIGNATURE = "sha256=0495d423a10bba1f5b787319949742a41f77a54da877cc1da6e8e46bd3db17ae"
REDUMPED = {
    "as Python writes it": json.dumps(json.loads(VECTOR)).encode(),
    "compact": json.dumps(json.loads(VECTOR), separators=(",", ":")).encode(),
    "literal": json.dumps(json.loads(VECTOR), separators=(",", ":"), ensure_ascii=False).encode(),
    "in another order": json.dumps(json.loads(VECTOR), separators=(",", ":"), sort_keys=True).encode(),
    "with a line break": VECTOR + b"\n",
}
BODY = meta_body(text())
DIGEST = hmac.new(b"meta-app-secret", BODY, hashlib.sha256).hexdigest()
ALLOWED = (ip_network("203.0.113.0/24"), ip_network("2001:db8::/32"))
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def door_of(client, *, proxies=(), **senders):
    senders = senders or {"shop": meta_sender(), "negozio": cm_sender()}
    world = World(client, configuration=Configuration(senders=senders), trusted_proxies=proxies)
    return create_receiver(world.deps).test_client()


@pytest.fixture
def away():
    return connect("redis://127.0.0.1:1/0")


@pytest.fixture
def blind(away):
    """A door whose Redis fails on any command."""
    return door_of(away)


class TestSignature:
    def test_the_published_vector_is_believed(self, any_redis):
        door = door_of(any_redis, shop=meta_sender(app_secrets=(Secret(VECTOR_SECRET),)))

        answer = door.post(SHOP, data=VECTOR, headers={"X-Hub-Signature-256": VECTOR_SIGNATURE})

        assert answer.status_code == 200

    @pytest.mark.parametrize("body", REDUMPED.values(), ids=REDUMPED)
    def test_the_same_object_in_other_bytes_is_not(self, away, body):
        door = door_of(away, shop=meta_sender(app_secrets=(Secret(VECTOR_SECRET),)))

        answer = door.post(SHOP, data=body, headers={"X-Hub-Signature-256": VECTOR_SIGNATURE})

        assert json.loads(body) == json.loads(VECTOR)
        assert answer.status_code == 401

    @pytest.mark.parametrize(
        "written", ["caffè 😀 @ a/b <ciao>", r"caff\u00e8 \ud83d\ude00 \u0040 a\/b \u003cciao>"]
    )
    def test_a_body_is_believed_as_it_was_written_literal_or_escaped(self, any_redis, written):
        body = meta_body(text(body="@@")).replace(b"@@", written.encode())

        assert door_of(any_redis).post(SHOP, data=body, headers=sign(body)).status_code == 200

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
    )
    def test_whatever_the_body_is_called_its_bytes_count(self, any_redis, content_type):
        headers = {**sign(BODY), "Content-Type": content_type}

        assert door_of(any_redis).post(SHOP, data=BODY, headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param("", id="empty"),
            pytest.param("sha256=", id="prefix alone"),
            pytest.param(DIGEST, id="no prefix"),
            pytest.param(f"sha1={DIGEST}", id="sha1 before it"),
            pytest.param("sha1=" + hmac.new(b"meta-app-secret", BODY, hashlib.sha1).hexdigest(), id="sha1"),
            pytest.param(f"SHA256={DIGEST}", id="upper-case prefix"),
            pytest.param(f"sha256={DIGEST.upper()}", id="upper-case hex"),
            pytest.param(f"sha256={DIGEST[:-1]}", id="short"),
            pytest.param(f"sha256={DIGEST}0", id="long"),
            pytest.param(f" sha256={DIGEST[:-1]}", id="blank before it"),
            pytest.param("sha256=" + "0" * 64, id="zeros"),
            pytest.param("sha256=" + "g" * 64, id="no hex"),
            pytest.param("sha256=" + "é" * 64, id="no ASCII"),
            pytest.param("sha256=" + "é" * 32, id="no ASCII, 64 bytes"),
            pytest.param(f"sha256={DIGEST},sha256={DIGEST}", id="twice in one"),
            pytest.param(f"sha256={DIGEST}" * 10_000, id="huge"),
        ],
    )
    def test_any_other_header_is_401_and_asks_redis_nothing(self, blind, header):
        headers = {"X-Hub-Signature-256": header.encode().decode("latin-1")}

        assert blind.post(SHOP, data=BODY, headers=headers).status_code == 401

    @pytest.mark.parametrize(
        "headers", [[], [("X-Hub-Signature", f"sha256={DIGEST}")]], ids=["none", "old name"]
    )
    def test_no_header_is_401_and_asks_redis_nothing(self, blind, headers):
        assert blind.post(SHOP, data=BODY, headers=headers).status_code == 401

    def test_the_right_header_twice_is_401(self, blind):
        name, value = next(iter(sign(BODY).items()))

        assert blind.post(SHOP, data=BODY, headers=[(name, value), (name, value)]).status_code == 401

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
    def test_what_is_not_signed_is_not_even_read(self, blind, body):
        assert (
            blind.post(SHOP, data=body, headers={"X-Hub-Signature-256": "sha256=" + "0" * 64}).status_code
            == 401
        )
        assert blind.post("/webhooks/negozio/wrong", data=body).status_code == 401


class TestRotation:
    @pytest.mark.parametrize(("live", "believed"), [(("old",), "o"), (("old", "new"), "on"), (("new",), "n")])
    def test_every_live_secret_is_believed_and_a_removed_one_is_not(self, any_redis, live, believed):
        secrets = tuple(map(Secret, live))
        door = door_of(
            any_redis, shop=meta_sender(app_secrets=secrets), negozio=cm_sender(webhook_tokens=secrets)
        )

        for secret in ("old", "new"):
            expected = 200 if secret[0] in believed else 401
            assert door.post(SHOP, data=BODY, headers=sign(BODY, secret)).status_code == expected
            assert door.post(f"/webhooks/negozio/{secret}", json=cm_body()).status_code == expected


class TestRoutes:
    def test_each_provider_has_one_way_in(self, blind):
        ways = [rule.rule for rule in blind.application.url_map.iter_rules() if "POST" in rule.methods]

        assert sorted(ways) == ["/webhooks/<alias>", "/webhooks/<alias>/<token>"]

    @pytest.mark.parametrize("path", [SHOP, "/webhooks/negozio/x", "/webhooks/shop/x", "/webhooks/negozio"])
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_every_way_in_refuses_what_is_not_signed(self, blind, path, slash):
        assert blind.post(path + slash, data=BODY).status_code == 401

    def test_the_internal_door_takes_no_webhooks(self, away):
        api = create_api(World(away).deps)

        assert not [rule.rule for rule in api.url_map.iter_rules() if "webhook" in rule.rule]

    @pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH"])
    @pytest.mark.parametrize("path", [SHOP, HOOK])
    def test_other_methods_are_405(self, blind, path, method):
        assert blind.open(path, method=method).status_code == 405

    @pytest.mark.parametrize(
        ("path", "headers", "body"), [(f"{SHOP}/", sign(BODY), BODY), (f"{HOOK}/", {}, json.dumps(cm_body()))]
    )
    def test_a_slash_at_the_end_changes_nothing(self, any_redis, path, headers, body):
        assert door_of(any_redis).post(path, data=body, headers=headers).status_code == 200


class TestDepth:
    @pytest.mark.parametrize("depth", [1_000, 100_000])
    @pytest.mark.parametrize("pair", [b"[]", b'{"a":}'], ids=["lists", "objects"])
    def test_nesting_breaks_nothing_wherever_it_is(self, any_redis, depth, pair):
        door = door_of(any_redis)
        nested = pair[:-1] * depth + b"1" + pair[-1:] * depth
        within = meta_body(text(type="zzz", zzz="@@")).replace(b'"@@"', nested)
        from_cm = json.dumps(cm_body(message={"custom": "@@"})).encode().replace(b'"@@"', nested)

        for body in (nested, within):
            assert door.post(SHOP, data=body, headers=sign(body)).status_code == 200
        for body in (nested, from_cm):
            assert door.post(HOOK, data=body).status_code == 200


class TestSources:
    @pytest.mark.parametrize(
        ("peer", "forwarded_for", "expected"),
        [
            ("198.51.100.7", None, "198.51.100.7"),
            ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
            ("198.51.100.7", "nonsense", "198.51.100.7"),
            ("::ffff:198.51.100.7", None, "198.51.100.7"),
            ("10.0.0.1", None, "10.0.0.1"),
            ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
            ("::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
            ("fd00::1", "2001:db8::9", "2001:db8::9"),
            ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", " 203.0.113.9 ,10.2.2.2 , fd00::2", "203.0.113.9"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "", None),
            ("10.0.0.1", "203.0.113.9,", None),
            ("10.0.0.1", "unknown, 203.0.113.9", None),
            ("10.0.0.1", "203.0.113.9:4711", None),
            ("10.0.0.1", "[2001:db8::9]", None),
            ("10.0.0.1", "203.0.113.09", None),
            ("10.0.0.1", "203.0.113.9é", None),
            ("", "203.0.113.9", None),
            (None, None, None),
        ],
    )
    def test_the_source_is_the_nearest_address_that_is_no_proxy_of_ours(self, peer, forwarded_for, expected):
        assert source_of(peer, forwarded_for, PROXIES) == (ip_address(expected) if expected else None)

    @pytest.mark.parametrize(
        ("peer", "forwarded_for", "is_let_in"),
        [
            ("203.0.113.9", None, True),
            ("2001:db8::9", None, True),
            ("::ffff:203.0.113.9", None, True),
            ("198.51.100.7", None, False),
            ("198.51.100.7", "203.0.113.9", False),
            ("10.0.0.1", None, False),
            ("10.0.0.1", "203.0.113.9", True),
            ("10.0.0.1", "203.0.113.9, 198.51.100.7", False),
            ("10.0.0.1", "198.51.100.7, 203.0.113.9", True),
            ("10.0.0.1", "203.0.113.9, nonsense", False),
        ],
    )
    def test_with_a_list_only_who_is_on_it_is_let_in(self, any_redis, away, peer, forwarded_for, is_let_in):
        senders = {
            "shop": meta_sender(allowed_source_ips=ALLOWED),
            "negozio": cm_sender(allowed_source_ips=ALLOWED),
        }
        door = door_of(any_redis if is_let_in else away, proxies=PROXIES, **senders)
        headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
        environ = {"REMOTE_ADDR": peer}
        query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "meta-verify"}

        answers = [
            door.post(SHOP, data=BODY, headers={**headers, **sign(BODY)}, environ_overrides=environ),
            door.post(HOOK, json=cm_body(), headers=headers, environ_overrides=environ),
            door.get(SHOP, query_string=query, headers=headers, environ_overrides=environ),
        ]

        assert {answer.status_code for answer in answers} == {200 if is_let_in else 401}

    def test_a_list_binds_the_sender_that_has_it(self, any_redis):
        senders = {"shop": meta_sender(), "negozio": cm_sender(allowed_source_ips=ALLOWED)}
        door = door_of(any_redis, **senders)

        assert door.post(SHOP, data=BODY, headers=sign(BODY)).status_code == 200
        assert door.post(HOOK, json=cm_body()).status_code == 401

    def test_a_right_address_does_not_stand_for_a_signature(self, away):
        door = door_of(away, shop=meta_sender(allowed_source_ips=ALLOWED))

        assert door.post(SHOP, data=BODY, environ_overrides={"REMOTE_ADDR": "203.0.113.9"}).status_code == 401


class TestTrustedProxies:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("", ()),
            ("10.0.0.7", (ip_network("10.0.0.7"),)),
            (" 10.0.0.0/8 , fd00::/8,", (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))),
        ],
    )
    def test_they_are_addresses_and_networks(self, monkeypatch, written, expected):
        monkeypatch.setenv("FINESTRA_TRUSTED_PROXIES", written)

        assert load_settings().trusted_proxies == expected

    @pytest.mark.parametrize("written", ["nginx", "10.0.0.1/8", "10.0.0.7;10.0.0.8", "*"])
    def test_anything_else_is_a_mistake_shown_with_all_others(self, monkeypatch, written):
        monkeypatch.setenv("FINESTRA_TRUSTED_PROXIES", written)
        monkeypatch.setenv("FINESTRA_WORKER_SLOTS", "0")

        with pytest.raises(SettingsError) as refusal:
            load_settings()

        named = [mistake.split(":")[0] for mistake in refusal.value.mistakes]
        assert sorted(named) == ["FINESTRA_TRUSTED_PROXIES", "FINESTRA_WORKER_SLOTS"]
