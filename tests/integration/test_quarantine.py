"""What could not be read, from the door to its replay: nothing is lost, and nothing counts twice."""

import json
from datetime import timedelta

import pytest
import structlog

from shared.clock import rfc3339
from shared.configuration import Configuration
from shared.domain.identifiers import ContactId
from shared.observability import LogEvent
from shared.providers.meta.parse import parse
from shared.providers.reading import set_aside
from shared.store.keys import Keys
from tests.builders import ANNA, DAY, NOW, World, app, cm_sender, meta_sender, template
from tests.door import DESK, assert_problem
from tests.public_door import cm_body, meta_body, text
from webhook.api.app import create_api
from webhook.receiver.recording import record_body

QUARANTINE = "/v1/quarantine"
BRUNO = ContactId("+393339999999")
UNREADABLE = {"id": 7, "type": []}
HOUR = timedelta(hours=1)
NEWS = {
    "event": "APPROVED",
    "message_template_id": 9001,
    "message_template_name": "ordine_pronto",
    "message_template_language": "it",
    "reason": "NONE",
}


def parse_nothing(document, received_at):
    """The parser of a version that does not know yet what came."""
    return [set_aside("unknown_shape", document)]


def arrive(world, body, alias="shop", read=parse_nothing):
    """A body comes in, at a version that reads it by `read`."""
    record_body(world.deps, world.deps.sender(alias), body, read)


def kept(world, raw="{}", reason="odd", sender="shop", business="default", cut="0"):
    fields = {
        "at": str(int(NOW.timestamp() * 1000)),
        "sender": sender,
        "reason": reason,
        "raw": raw,
        "cut": cut,
    }
    return world.client.xadd(Keys(business).quarantine(), fields)


def listed(client, query=""):
    return client.get(f"{QUARANTINE}{query}", headers=DESK).json["items"]


def only_id(client):
    (item,) = listed(client)
    return item["id"]


def replay(client, entry_id, query=""):
    return client.post(f"{QUARANTINE}/{entry_id}/replay{query}", headers=DESK)


def replay_all(client, **body):
    return client.post(f"{QUARANTINE}/replay", json=body, headers=DESK).json


def window(world, contact=ANNA, alias="shop"):
    return world.deps.contacts.get(world.deps.sender(alias), contact).window


def inbound(world, contact=ANNA):
    return world.deps.contacts.get(world.deps.sender("shop"), contact).inbound


class TestTheStory:
    def test_what_we_learned_to_read_is_recorded_by_its_own_time_and_leaves(self, world, client):
        arrive(world, meta_body(text()))
        entry_id = only_id(client)
        world.clock.advance(HOUR)

        answer = replay(client, entry_id)

        assert answer.json == {
            "id": entry_id,
            "outcome": "recorded",
            "updates": {"recorded": 1},
            "reason": None,
        }
        assert window(world).last_inbound_at == NOW
        assert window(world).is_open(NOW + DAY - timedelta(seconds=1))
        assert not window(world).is_open(NOW + DAY)
        assert listed(client) == []

    def test_once_more_is_harmless(self, world, client):
        arrive(world, meta_body(text()))
        arrive(world, meta_body(text(odd=1)))
        first, second = (item["id"] for item in listed(client))
        replay(client, first)

        assert replay(client, second).json["updates"] == {"duplicate": 1}
        assert_problem(replay(client, second), 404, "not_found")
        assert len(inbound(world)) == 1

    def test_a_message_older_than_a_window_is_recorded_and_opens_none(self, world, client):
        arrive(world, meta_body(text()))
        world.clock.advance(2 * DAY)

        assert replay(client, only_id(client)).json["outcome"] == "recorded"

        assert not window(world).is_open(world.clock.now())
        assert len(inbound(world)) == 1

    def test_a_time_ahead_counts_as_the_time_it_came_and_not_as_now(self, world, client):
        ahead = str(int((NOW + 3 * HOUR).timestamp()))
        arrive(world, meta_body(text(timestamp=ahead)))
        world.clock.advance(2 * HOUR)

        replay(client, only_id(client))

        assert window(world).last_inbound_at == NOW

    def test_what_is_half_readable_is_half_recorded_and_stays(self, world, client):
        arrive(world, meta_body(text(), UNREADABLE, text("393339999999", id="wamid.IN2")))
        entry_id = only_id(client)

        first = replay(client, entry_id).json
        again = replay(client, entry_id).json

        assert (first["outcome"], first["updates"]) == ("set_aside_again", {"recorded": 2, "set_aside": 1})
        assert (again["outcome"], again["updates"]) == ("set_aside_again", {"duplicate": 2, "set_aside": 1})
        assert first["reason"] not in (None, "unknown_shape")
        assert window(world).is_open(NOW)
        assert window(world, BRUNO).is_open(NOW)
        assert only_id(client) == entry_id

    def test_one_update_alone_is_replayed_like_a_whole_body(self, world, client):
        """The parser keeps an update it cannot read in an envelope of its own, its neighbours left out."""

        def parse_texts_only(document, received_at):
            one = document["entry"][0]["changes"][0]["value"]["messages"]
            document["entry"][0]["changes"][0]["value"]["messages"] = [one[1]]
            return [set_aside("sticker", document)]

        arrive(world, meta_body(text("393339999999", id="wamid.IN2"), text()), read=parse_texts_only)

        assert replay(client, only_id(client)).json["updates"] == {"recorded": 1}

        assert window(world).is_open(NOW)
        assert not window(world, BRUNO).is_open(NOW)

    def test_a_message_of_cm_com_is_read_by_its_own_parser(self, world, client):
        arrive(world, json.dumps(cm_body()).encode(), alias="negozio")

        assert replay(client, only_id(client)).json["outcome"] == "recorded"

        assert window(world, alias="negozio").is_open(NOW)

    def test_a_number_that_became_ours_is_heard(self, any_redis):
        arrive(World(any_redis), meta_body(text(), pnid="999"), read=parse)
        apps = {"desk": app("desk", ("admin",))}
        senders = {"shop": meta_sender(), "nuovo": meta_sender("nuovo", phone_number_id="999")}
        world = World(any_redis, configuration=Configuration(senders=senders, apps=apps))
        client = create_api(world.deps).test_client()

        assert replay(client, only_id(client)).json["outcome"] == "recorded"

        assert window(world, alias="nuovo").is_open(NOW)

    def test_a_number_that_is_still_not_ours_stays_and_is_kept_once(self, world, client):
        arrive(world, meta_body(text(), text(id="wamid.IN2"), pnid="999"), read=parse)

        answer = replay(client, only_id(client)).json

        assert answer["outcome"] == "set_aside_again"
        assert (answer["updates"], answer["reason"]) == ({"set_aside": 1}, "unknown_number")
        assert len(listed(client)) == 1

    def test_news_of_a_template_without_a_time_is_as_old_as_the_day_it_came(self, world, client):
        """What was rejected since is not approved by an older word that is read late."""

        def body(event, **entry):
            change = {"field": "message_template_status_update", "value": NEWS | {"event": event}}
            entries = [{"id": "102290129340398", "changes": [change], **entry}]
            return json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()

        world.deps.templates.create("default", template(), nonce="n")
        arrive(world, body("APPROVED"))
        world.clock.advance(HOUR)
        arrive(world, body("REJECTED"), read=parse)
        world.clock.advance(HOUR)

        assert replay(client, only_id(client)).json["outcome"] == "recorded"

        assert world.deps.templates.get("default", template().id).status == "rejected"

    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            ("{", "not_json"),
            ("[" * 100_000, "not_json"),
            ('{"entry": []}', "no_update"),
            ("3", "not_an_object"),
        ],
    )
    def test_what_holds_nothing_to_record_stays(self, world, client, raw, reason):
        entry_id = kept(world, raw)

        answer = replay(client, entry_id).json

        assert (answer["outcome"], answer["reason"]) == ("set_aside_again", reason)
        assert only_id(client) == entry_id

    def test_what_was_cut_is_refused_and_stays(self, world, client):
        arrive(world, meta_body(text(body="x" * 300_000)))
        (item,) = listed(client)

        answer = replay(client, item["id"]).json

        assert (item["cut"], item["bytes"]) == (True, 256 * 1024)
        assert (answer["outcome"], answer["updates"], answer["reason"]) == ("cut", {}, "unknown_shape")
        assert len(listed(client)) == 1

    def test_what_came_for_a_sender_that_is_no_more_stays(self, world, client):
        entry_id = kept(world, sender="old")

        answer = replay(client, entry_id).json

        assert (answer["outcome"], answer["reason"]) == ("sender_gone", "odd")
        assert only_id(client) == entry_id

    def test_nothing_is_removed_when_it_could_not_be_recorded(self, world, client):
        """The scripts answer with an error of theirs: 500, and the entry is still there."""
        arrive(world, meta_body(text()))
        entry_id = only_id(client)
        world.client.set(Keys("default").contact(ANNA), "of another type")

        assert replay(client, entry_id).status_code == 500

        assert only_id(client) == entry_id


class TestInBulk:
    def test_all_are_tried_in_the_order_they_came(self, world, client):
        good = kept(world, meta_body(text()).decode())
        bad = kept(world, "{")
        other = kept(world, meta_body(text("393339999999", id="wamid.IN2")).decode())

        answer = replay_all(client)

        assert [(item["id"], item["outcome"]) for item in answer["items"]] == [
            (good, "recorded"),
            (bad, "set_aside_again"),
            (other, "recorded"),
        ]
        assert answer["next"] is None
        assert only_id(client) == bad

    def test_a_reason_and_a_sender_choose(self, world, client):
        kept(world, "{", reason="even")
        chosen = kept(world, "{", reason="odd", sender="negozio")
        kept(world, "{", reason="odd")

        answer = replay_all(client, reason="odd", sender="negozio")

        assert [item["id"] for item in answer["items"]] == [chosen]

    def test_it_goes_on_behind_what_stays(self, world, client):
        ids = [kept(world, "{") for _ in range(5)]

        first = replay_all(client, limit=3)
        second = replay_all(client, limit=3, after=first["next"])

        assert [item["id"] for item in (*first["items"], *second["items"])] == ids
        assert second["next"] is None

    def test_nothing_to_do_is_an_empty_answer(self, client):
        assert replay_all(client) == {"items": [], "next": None}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"limit": 0}, "limit"),
            ({"limit": 1001}, "limit"),
            ({"after": "yesterday"}, "after"),
            ({"sender": "nix"}, "sender"),
            ({"reasons": "odd"}, "reasons"),
        ],
    )
    def test_a_wrong_field_is_named(self, client, body, field):
        answer = client.post(f"{QUARANTINE}/replay", json=body, headers=DESK)

        assert list(assert_problem(answer, 422, "invalid_request")) == [field]


class TestLook:
    def test_a_list_has_no_text_and_the_entry_has(self, world, client):
        arrive(world, meta_body(text(body="Ciao, sono Anna")))

        page = client.get(QUARANTINE, headers=DESK)
        shown = client.get(f"{QUARANTINE}/{only_id(client)}", headers=DESK)

        (item,) = page.json["items"]
        assert item == {
            "id": item["id"],
            "at": rfc3339(NOW),
            "sender": "shop",
            "reason": "unknown_shape",
            "bytes": len(shown.json["raw"]),
            "cut": False,
        }
        assert "Anna" not in page.text
        assert shown.json.items() >= item.items()
        assert "Ciao, sono Anna" in shown.json["raw"]

    def test_pages_follow_each_other_newest_first(self, world, client):
        ids = [kept(world) for _ in range(3)]

        first = client.get(f"{QUARANTINE}?limit=2", headers=DESK).json
        second = client.get(f"{QUARANTINE}?limit=2&before={first['next']}", headers=DESK).json

        assert [item["id"] for item in (*first["items"], *second["items"])] == ids[::-1]
        assert second["next"] is None

    def test_a_reason_and_a_sender_choose(self, world, client):
        kept(world, reason="even")
        chosen = kept(world, reason="odd", sender="negozio")
        kept(world, reason="odd")

        assert [item["id"] for item in listed(client, "?reason=odd&sender=negozio")] == [chosen]

    @pytest.mark.parametrize(
        ("query", "status", "code"),
        [
            ("?sender=nix", 404, "unknown_sender"),
            ("?before=yesterday", 422, "invalid_request"),
            ("?before=99999999999999999999-0", 422, "invalid_request"),
            ("?before=1-0%0A", 422, "invalid_request"),
            ("?limit=0", 422, "invalid_request"),
            ("?limit=501", 422, "invalid_request"),
            ("?raisin=odd", 422, "invalid_request"),
        ],
    )
    def test_a_wrong_query_is_refused(self, client, query, status, code):
        assert_problem(client.get(f"{QUARANTINE}{query}", headers=DESK), status, code)

    @pytest.mark.parametrize("entry_id", ["1-0", "nix", "1", "99999999999999999999-0", "1-0%0A", "%D9%A1-0"])
    def test_what_is_not_there_is_404_everywhere(self, client, entry_id):
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/replay")):
            answer = client.open(f"{QUARANTINE}/{entry_id}{path}", method=method, headers=DESK)
            assert_problem(answer, 404, "not_found")


class TestDelete:
    def test_what_is_deleted_is_gone(self, world, client):
        first, second = kept(world), kept(world)

        answer = client.delete(f"{QUARANTINE}/{first}", headers=DESK)

        assert (answer.status_code, answer.json["id"]) == (200, first)
        assert only_id(client) == second


class TestWhose:
    def client_of(self, any_redis, configured, **restriction):
        apps = {"desk": app("desk", ("admin",), **restriction)}
        world = World(any_redis, configuration=Configuration(senders=configured, apps=apps))
        return world, create_api(world.deps).test_client()

    def test_with_several_businesses_a_sender_picks_one(self, any_redis):
        senders = {"shop": meta_sender(), "negozio": cm_sender(business="other")}
        world, client = self.client_of(any_redis, senders)
        kept(world, "of shop")
        theirs = kept(world, "of negozio", sender="negozio", business="other")

        assert list(assert_problem(client.get(QUARANTINE, headers=DESK), 422, "invalid_request")) == [
            "sender"
        ]
        assert [item["id"] for item in listed(client, "?sender=negozio")] == [theirs]
        shown = client.get(f"{QUARANTINE}/{theirs}?sender=negozio", headers=DESK)
        assert shown.json["raw"] == "of negozio"

    def test_what_came_before_a_sender_moved_to_another_business_stays(self, any_redis):
        senders = {"shop": meta_sender(), "negozio": cm_sender(business="other")}
        world, client = self.client_of(any_redis, senders)
        entry_id = kept(world, sender="negozio")

        assert replay(client, entry_id, "?sender=shop").json["outcome"] == "sender_gone"

    def test_an_app_sees_what_came_for_its_own_senders_only(self, any_redis):
        senders = {"shop": meta_sender(), "negozio": cm_sender()}
        world, client = self.client_of(any_redis, senders, senders=("negozio",))
        other = kept(world)
        own = kept(world, sender="negozio")

        assert [item["id"] for item in listed(client)] == [own]
        assert_problem(client.get(f"{QUARANTINE}/{other}", headers=DESK), 404, "not_found")
        assert_problem(client.get(f"{QUARANTINE}?sender=shop", headers=DESK), 403, "sender_not_allowed")


def test_replays_and_deletions_are_in_the_log_with_who_asked_and_no_text(world, client):
    arrive(world, meta_body(text(body="canary")))
    arrive(world, b"canary", read=parse)
    newest, oldest = (item["id"] for item in listed(client))

    with structlog.testing.capture_logs() as logs:
        replay(client, oldest)
        client.delete(f"{QUARANTINE}/{newest}", headers=DESK)

    deeds = [line for line in logs if line["event"] != LogEvent.REQUEST]
    assert [(line["event"], line["app"], line["sender"], line["reason"]) for line in deeds] == [
        (LogEvent.QUARANTINE_REPLAYED, "desk", "shop", "unknown_shape"),
        (LogEvent.QUARANTINE_REMOVED, "desk", "shop", "not_json"),
    ]
    assert (logs[0]["outcome"], logs[0]["updates"]) == ("recorded", {"recorded": 1})
    assert logs[0]["came_at"] == rfc3339(NOW)
    assert "canary" not in str(logs)
