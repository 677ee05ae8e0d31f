"""The internal door as a whole: its errors, its health, what it logs, the senders it knows."""

from dataclasses import replace

import pytest
import structlog

from shared.clock import rfc3339
from shared.observability import LogEvent
from tests.builders import (
    NOW,
    World,
)
from tests.door import CONSENT, CONTACT, DESK, ORDERS, ROUTES, TEMPLATE, assert_problem, send
from webhook.api.app import create_api


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
        assert ("Idempotency-Key" in answer.json["detail"]) is (method != "GET")
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
