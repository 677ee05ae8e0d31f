"""A dry run through the internal door: what would happen, and nothing kept."""

from datetime import timedelta

import pytest

from shared.clock import rfc3339
from shared.configuration import Configuration, Policy
from shared.domain.consent import Category
from shared.domain.lint import PromotionalContent
from tests.builders import (
    ANNA,
    DAY,
    NOW,
    World,
    app,
    meta_sender,
    opt_in,
    template,
)
from tests.door import ORDERS, TEMPLATE, anna_writes, keys_of, send
from webhook.api.app import create_api


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
