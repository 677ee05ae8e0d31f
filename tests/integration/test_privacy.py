"""The internal door and the command line on what is kept of a person."""

import json

import pytest

from shared.configuration import Secret
from shared.domain.consent import Category
from tests.builders import ANNA, DAY, NOW, World, opt_in, opt_out, template, wrote
from tests.door import DESK, ORDERS, send
from tests.play import drain
from webhook.api.app import create_api

PATH = f"/v1/contacts/{ANNA}"
SHOP = {"sender": "shop"}


@pytest.fixture
def world(fake_redis) -> World:
    world = World(fake_redis, secret_keys=(Secret("a key of this test"),))
    world.deps.templates.create("default", template(), nonce="n")
    world.deps.contacts.set_consent(
        world.deps.sender("shop"), ANNA, opt_in(NOW - DAY), list(Category), now=NOW
    )
    return world


def with_a_conversation(world: World, client) -> str:
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(text="Buongiorno"))], now=NOW)
    sent = send(client, to=ANNA.value, text="Ciao Anna").json["id"]
    drain(world)
    return sent


def erase(client, headers=DESK):
    return client.delete(PATH, query_string=SHOP, headers=headers)


class TestErase:
    def test_it_answers_what_was_removed_and_nobody_is_in_it(self, world, client):
        with_a_conversation(world, client)
        send(client, to=ANNA.value, text="wait")

        answer = erase(client)

        assert answer.status_code == 200
        assert answer.json["cancelled"] == 1
        assert {"messages": 2, "inbound": 1, "consents": 1, "windows": 1}.items() <= answer.json[
            "erased"
        ].items()
        assert answer.json["opt_out_kept"] is False
        assert ANNA.value[1:] not in answer.text
        assert erase(client).json["erased"] == {}

    def test_what_was_theirs_is_unknown_afterwards(self, world, client):
        sent = with_a_conversation(world, client)
        erase(client)

        assert client.get(f"/v1/messages/{sent}", headers=DESK).status_code == 404
        shown = client.get(PATH, query_string=SHOP, headers=DESK).json
        assert (shown["window"]["open"], shown["consent"]["status"], shown["latest"]) == (
            False,
            "unknown",
            [],
        )
        assert client.get("/v1/messages", query_string={"to": ANNA.value}, headers=DESK).json["items"] == []

    def test_the_audit_says_who_did_it_and_not_to_whom(self, world, client):
        erase(client)

        (deed,) = client.get("/v1/audit", headers=DESK).json["items"]
        assert (deed["app"], deed["action"], deed["message_id"]) == ("desk", "erase", None)
        assert len(deed["details"]["contact_hash"]) == 64
        assert ANNA.value[1:] not in json.dumps(deed)

    def test_it_needs_the_scope_contacts(self, client):
        assert erase(client, ORDERS).json["code"] == "scope_missing"

    def test_a_contact_that_is_none_is_a_mistake(self, client):
        assert client.delete("/v1/contacts/anna", query_string=SHOP, headers=DESK).status_code == 422

    def test_without_a_secret_key_it_is_refused_with_the_mend(self, fake_redis):
        client = create_api(World(fake_redis).deps).test_client()

        answer = erase(client)

        assert (answer.status_code, answer.json["code"]) == (409, "secret_key_missing")
        assert "FINESTRA_SECRET_KEY" in answer.json["detail"]


class TestRecord:
    def test_everything_that_is_kept_is_handed_out(self, world, client):
        sent = with_a_conversation(world, client)
        world.deps.contacts.set_consent(
            world.deps.sender("shop"), ANNA, opt_out(), [Category.MARKETING], now=NOW
        )

        record = client.get(f"{PATH}/record", query_string=SHOP, headers=DESK).json

        assert record["complete"] is True
        assert record["identities"]["all"] == [ANNA.value]
        assert [(each["sender"], each["open"]) for each in record["windows"]] == [
            ("shop", True),
            ("negozio", False),
        ]
        assert record["consent"]["categories"]["marketing"]["status"] == "opted_out"
        assert [word["status"] for word in record["consent_history"]] == ["opted_out", "opted_in"]
        (message,) = record["messages"]
        assert (message["id"], message["request"]["text"], message["state"]) == (
            sent,
            "Ciao Anna",
            "submitted",
        )
        assert [entry["event"] for entry in message["timeline"]] == ["accepted", "sending", "submitted"]
        assert [each["text"] for each in record["inbound"]] == ["Buongiorno"]
        assert client.get("/v1/audit", headers=DESK).json["items"][0]["action"] == "export"

    def test_nobody_has_an_empty_record(self, client):
        record = client.get("/v1/contacts/+390000000001/record", query_string=SHOP, headers=DESK).json

        assert (record["messages"], record["inbound"], record["consent_history"]) == ([], [], [])

    def test_it_needs_the_scope_contacts(self, client):
        assert client.get(f"{PATH}/record", query_string=SHOP, headers=ORDERS).status_code == 403


class TestCommands:
    def test_a_person_is_shown_exported_and_erased(self, world, client, finestra, tmp_path):
        with_a_conversation(world, client)
        path = tmp_path / "anna.json"

        shown = finestra("contact", "show", ANNA.value, "--sender", "shop").output
        finestra("contact", "export", ANNA.value, "--sender", "shop", "--output", str(path))
        erased = finestra("contact", "erase", ANNA.value, "--sender", "shop", "--yes").output

        assert "open until" in shown
        assert json.loads(path.read_text())["messages"][0]["request"]["text"] == "Ciao Anna"
        assert path.stat().st_mode & 0o077 == 0
        assert "messages" in erased
        assert ANNA.value not in erased

    def test_it_asks_before(self, world, finestra):
        assert finestra("contact", "erase", ANNA.value, "--sender", "shop").exit_code == 1
        assert world.client.keys("contact:*")

    def test_what_is_kept_is_shown_with_its_age_and_limit(self, world, client, finestra):
        with_a_conversation(world, client)
        world.deps.retention.beat("default", now=NOW)

        shown = finestra("retention").output

        assert "contacts_with_consent" in shown
        assert "for ever" in shown
        assert "0 erasures to be completed" in shown
