"""What the internal door says of a message, and to whom."""

from datetime import timedelta

import pytest

from shared.clock import rfc3339
from shared.providers.base import NOT_SENT, Rejected
from tests.builders import (
    NOW,
)
from tests.door import DESK, ORDERS, TEMPLATE, UNKNOWN_MESSAGE, anna_writes, assert_problem, send
from tests.play import drain


class TestShowMessage:
    def test_a_message_shows_its_route_its_attempts_and_its_timeline(self, world, client):
        anna_writes(world)
        path = send(client, template=TEMPLATE).json["links"]["self"]
        world.providers["shop"].answers = [Rejected(code="131000", row=NOT_SENT, detail="…")]
        drain(world)
        world.clock.advance(timedelta(seconds=1))
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
        assert (second["started_at"], second["outcome"]) == (rfc3339(NOW + timedelta(seconds=1)), "submitted")
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
