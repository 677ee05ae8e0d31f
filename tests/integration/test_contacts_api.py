"""The internal door on contacts: their windows, and what they agreed to."""

from datetime import timedelta

import pytest

from shared.clock import rfc3339
from shared.domain.consent import Category
from tests.builders import (
    ANNA,
    DAY,
    NOW,
    meta_sender,
    opt_in,
    opt_out,
)
from tests.door import CONSENT, CONTACT, DESK, ORDERS, anna_writes, assert_problem, keys_of, send


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
        anna_writes(world, NOW - timedelta(seconds=2))
        world.deps.contacts.set_consent(meta_sender(), ANNA, opt_in(), [Category.UTILITY], now=NOW)
        sent = send(client).json["id"]
        send(client, headers=DESK)
        send(client, sender="negozio")

        answer = client.get(CONTACT, headers=ORDERS)

        body = answer.json
        assert body["window"]["remaining_seconds"] == 86398
        assert body["window"]["expires_at"] == rfc3339(NOW + DAY - timedelta(seconds=2))
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

        answer = self.put(client, status="opted_in", at=rfc3339(NOW - timedelta(seconds=1)))

        assert (answer.status_code, answer.json["changed"]) == (200, False)
        assert self.statuses(answer) == ["opted_out"] * 3

    def test_a_time_counts_in_whole_seconds(self, client):
        answer = self.put(client, status="opted_in", at="2086-11-20T10:30:00.900+01:00")

        assert answer.json["categories"]["utility"]["at"] == "2086-11-20T09:30:00.000Z"

    def test_a_clock_may_run_ahead_by_a_second(self, client):
        ahead = self.put(client, status="opted_in", at=rfc3339(NOW + timedelta(seconds=1)))
        assert ahead.json["categories"]["utility"]["at"] == rfc3339(NOW)

        too_far = self.put(client, status="opted_in", at=rfc3339(NOW + timedelta(seconds=2)))
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
