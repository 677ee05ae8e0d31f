"""What people do with messages at the internal door: list, cancel, send again, resolve; and who did it."""

import json
from datetime import timedelta

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.configuration import Configuration
from shared.observability import LogEvent
from shared.providers.base import IN_DOUBT
from tests.builders import World, app, cm_sender, meta_sender
from tests.door import DESK, ORDERS, accepted, anna_writes, assert_problem, in_doubt, refused, state
from tests.play import drain
from webhook.api.app import create_api

MESSAGES = "/v1/messages"
BERTA = "+393330000002"
DEAD = "failed,refused,unknown,expired"
SECOND = timedelta(seconds=1)


def listed(client, query="", headers=ORDERS):
    answer = client.get(f"{MESSAGES}?{query}", headers=headers)
    assert answer.status_code == 200, answer.json
    return answer.json


def ids(client, query="", headers=ORDERS):
    return [item["id"] for item in listed(client, query, headers)["items"]]


def do(client, message_id, action, headers=ORDERS, **body):
    return client.post(f"{MESSAGES}/{message_id}/{action}", json=body, headers=headers)


def bulk(client, action, headers=ORDERS, **body):
    return client.post(f"{MESSAGES}/{action}", json=body, headers=headers)


#: The body is read before the message is looked for.
MISSING = dict.fromkeys(("cancel", "retry", "resolve"), (404, "not_found"))


class TestList:
    def test_newest_first_a_page_at_a_time_without_text(self, world, client):
        sent = []
        for number in range(5):
            sent.append(accepted(client, reference=f"order-{number}", to=f"+39333000000{number}"))
            world.clock.advance(SECOND)

        first = listed(client, "limit=2")
        second = listed(client, f"limit=2&after={first['next']}")
        third = listed(client, f"limit=2&after={second['next']}")

        pages = [item["id"] for page in (first, second, third) for item in page["items"]]
        assert pages == sent[::-1]
        assert third["next"] is None
        assert first["items"][0]["reference"] == "order-4"
        assert "Ciao" not in str(first)

    def test_many_of_one_instant_are_each_listed_once(self, world, client):
        batch = [{"sender": "shop", "to": f"+39333{n:07}", "text": "ciao"} for n in range(450)]
        results = client.post(f"{MESSAGES}/batch", json={"messages": batch}, headers=ORDERS).json["results"]
        found, query = [], "limit=150"
        while query:
            page = listed(client, query)
            found += [item["id"] for item in page["items"]]
            query = f"limit=150&after={page['next']}" if page["next"] else ""

        assert sorted(found) == sorted(result["id"] for result in results)
        assert len(found) == 450

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", "dcba"),
            ("to=%2B393330000002", "cb"),
            ("to=%2B393330000002&state=cancelled", "b"),
            ("reference=campaign", "dba"),
            ("reference=campaign&state=queued", "da"),
            ("reference=campaign&to=%2B393330000002", "b"),
            ("state=cancelled", "b"),
            ("state=queued,cancelled", "dcba"),
            ("sender=negozio", "d"),
            ("reason=cancelled", "b"),
            ("code=131000", ""),
            ("to=%2B393339999999", ""),
        ],
    )
    def test_by_what_it_is(self, world, client, query, expected):
        by_name = {"a": accepted(client, reference="campaign")}
        world.clock.advance(SECOND)
        by_name["b"] = accepted(client, reference="campaign", to=BERTA)
        do(client, by_name["b"], "cancel")
        world.clock.advance(SECOND)
        by_name["c"] = accepted(client, to=BERTA)
        world.clock.advance(SECOND)
        by_name["d"] = accepted(client, reference="campaign", sender="negozio")

        found = ids(client, query)

        assert sorted(found) == sorted(by_name[name] for name in expected)
        if "state=queued,cancelled" not in query:  # there the order is that of the states
            assert found == [by_name[name] for name in expected]

    def test_dead_letters_say_why_and_what_to_do(self, world, client):
        refused(world, client)
        in_doubt(world, client)

        dead = listed(client, f"state={DEAD}")["items"]

        doubt, refusal = dead
        assert (doubt["state"], doubt["error"]["code"], doubt["attempts"]) == ("unknown", "timeout", 1)
        assert doubt["advice"] == IN_DOUBT.advice
        assert (refusal["state"], refusal["reason"]) == ("refused", "window_closed_no_template")
        assert "template" in refusal["advice"]
        assert ids(client, f"state={DEAD}&code=timeout") == [doubt["id"]]
        assert ids(client, f"state={DEAD}&reason=window_closed_no_template") == [refusal["id"]]

    def test_what_went_needs_no_advice(self, world, client):
        accepted(client)

        (item,) = listed(client)["items"]
        assert (item["advice"], item["error"], item["reason"]) == (None, None, None)

    def test_an_app_sees_its_own_an_admin_all(self, world, client):
        own, of_desk = accepted(client, reference="r"), accepted(client, DESK, reference="r")

        for query in ("", "reference=r", "state=queued", "to=%2B393331234567"):
            assert ids(client, query) == [own]
            assert sorted(ids(client, query, DESK)) == sorted([own, of_desk])
        assert ids(client, "app=orders", DESK) == [own]
        assert_problem(client.get(f"{MESSAGES}?app=desk", headers=ORDERS), 403, "scope_missing")

    def test_an_admin_sees_the_dead_letters_of_an_app_that_is_gone(self, world, client):
        of_desk = refused(world, client)
        only_desk = Configuration(
            senders={"shop": meta_sender(), "negozio": cm_sender()}, apps={"desk": app("desk", ("admin",))}
        )
        later = create_api(World(world.client, configuration=only_desk).deps).test_client()

        assert ids(later, f"state={DEAD}", DESK) == [of_desk]

    @pytest.mark.parametrize(
        ("query", "field"),
        [("state=lost", "state"), ("after=x", "after"), ("limit=0", "limit"), ("to=x", "to"), ("x=1", "x")],
    )
    def test_a_wrong_question_is_422(self, client, query, field):
        errors = assert_problem(client.get(f"{MESSAGES}?{query}", headers=ORDERS), 422, "invalid_request")
        assert list(errors) == [field]

    def test_a_sender_that_is_not_there_is_404(self, client):
        assert_problem(client.get(f"{MESSAGES}?sender=nobody", headers=ORDERS), 404, "unknown_sender")


class TestOne:
    def test_cancelling_stops_it_and_says_so_again(self, world, client):
        message_id = accepted(client)

        answers = [do(client, message_id, "cancel") for _ in range(2)]
        drain(world)

        assert [answer.status_code for answer in answers] == [200, 200]
        assert [answer.json["state"] for answer in answers] == ["cancelled", "cancelled"]
        assert world.providers["shop"].sent == []

    def test_a_refused_one_goes_once_its_cause_is_gone(self, world, client):
        message_id = refused(world, client)
        anna_writes(world)
        world.rung.clear()

        answer = do(client, message_id, "retry")
        drain(world)

        assert (answer.status_code, answer.json["state"]) == (200, "queued")
        assert world.rung == ["shop"]
        shown = client.get(f"{MESSAGES}/{message_id}", headers=ORDERS).json
        assert (shown["state"], shown["reason"]) == ("submitted", None)
        assert [attempt["number"] for attempt in shown["attempts"]] == [1]

    def test_a_doubt_is_sent_again_under_a_new_number(self, world, client):
        message_id = in_doubt(world, client)

        assert_problem(do(client, message_id, "retry"), 409, "message_in_doubt")
        assert do(client, message_id, "retry", accept_duplicate=True).status_code == 200
        drain(world)

        references = [str(outgoing.reference) for outgoing in world.providers["shop"].sent]
        assert len(set(references)) == 2
        shown = client.get(f"{MESSAGES}/{message_id}", headers=ORDERS).json
        assert [attempt["outcome"] for attempt in shown["attempts"]] == ["unknown", "submitted"]
        assert "retried" in [entry["event"] for entry in shown["timeline"]]

    def test_what_expired_needs_a_new_time(self, world, client):
        anna_writes(world)
        message_id = accepted(client, expires_in=1)
        world.clock.advance(2 * SECOND)
        world.deps.lanes.sweep("default", now=world.clock.now())

        errors = assert_problem(do(client, message_id, "retry"), 422, "invalid_request")
        answer = do(client, message_id, "retry", expires_in=60)
        drain(world)

        assert list(errors) == ["expires_in"]
        assert answer.json["expires_at"] == "2086-11-22T12:01:02.000Z"
        assert state(world, message_id) == "submitted"

    @pytest.mark.parametrize("outcome", ["submitted", "delivered", "failed"])
    def test_a_doubt_is_resolved_by_hand(self, world, client, outcome):
        message_id = in_doubt(world, client)

        answer = do(client, message_id, "resolve", outcome=outcome)

        assert (answer.status_code, answer.json["state"]) == (200, outcome)
        assert answer.json["reason"] == ("resolved_by_hand" if outcome == "failed" else None)
        assert_problem(do(client, message_id, "cancel"), 409, "message_final")

    @pytest.mark.parametrize(
        ("make", "action", "body", "code"),
        [
            ("queued", "retry", {}, "message_waiting"),
            ("queued", "resolve", {"outcome": "failed"}, "message_not_in_doubt"),
            ("cancelled", "retry", {}, "message_final"),
            ("in doubt", "cancel", {}, "message_in_doubt"),
            ("refused", "cancel", {}, "message_final"),
        ],
    )
    def test_what_cannot_be_done_is_409_and_changes_nothing(self, world, client, make, action, body, code):
        makers = {"refused": refused, "in doubt": in_doubt}
        message_id = makers[make](world, client) if make in makers else accepted(client)
        if make == "cancelled":
            do(client, message_id, "cancel")
        before = state(world, message_id)

        assert_problem(do(client, message_id, action, **body), 409, code)

        assert state(world, message_id) is before

    def test_a_retry_needs_no_body(self, world, client):
        message_id = refused(world, client)

        assert client.post(f"{MESSAGES}/{message_id}/retry", headers=ORDERS).status_code == 200

    @pytest.mark.parametrize(
        ("action", "body"), [("cancel", {}), ("retry", {}), ("resolve", {"outcome": "failed"})]
    )
    def test_another_apps_message_is_not_there(self, world, client, action, body):
        message_id = accepted(client, DESK)

        assert_problem(do(client, message_id, action, **body), 404, "not_found")
        assert state(world, message_id) == "queued"


class TestBulk:
    def test_a_campaign_is_counted_then_stopped(self, world, client):
        campaign = [accepted(client, reference="campaign", to=f"+39333000000{n}") for n in range(5)]
        other = accepted(client, to=BERTA)

        counted = bulk(client, "cancel", reference="campaign", dry_run=True).json
        first = bulk(client, "cancel", reference="campaign", limit=3).json
        second = bulk(client, "cancel", reference="campaign", limit=3, after=first["next"]).json

        assert (counted["matched"], counted["done"], counted["next"]) == (5, 0, None)
        assert (first["done"], second["done"], second["next"]) == (3, 2, None)
        assert {state(world, message_id) for message_id in campaign} == {"cancelled"}
        assert state(world, other) == "queued"

    def test_what_was_refused_is_sent_again_in_the_order_it_was_accepted(self, world, client):
        sent = [refused(world, client, text=f"ciao {n}") for n in range(4)]
        anna_writes(world)

        answer = bulk(client, "retry", state=["refused"], reason="window_closed_no_template").json
        drain(world)

        assert (answer["matched"], answer["done"]) == (4, 4)
        assert [outgoing.reference.message_id.value for outgoing in world.providers["shop"].sent] == sent

    def test_doubts_and_expired_ones_only_where_the_body_says_so(self, world, client):
        doubt = in_doubt(world, client)
        expired = accepted(client, expires_in=1, to=BERTA)
        world.clock.advance(2 * SECOND)
        world.deps.lanes.sweep("default", now=world.clock.now())

        nothing = bulk(client, "retry", app="orders").json
        both = bulk(client, "retry", app="orders", accept_duplicate=True, expires_in=60).json

        assert (nothing["matched"], both["done"]) == (0, 2)
        assert {state(world, doubt), state(world, expired)} == {"queued"}

    def test_only_ones_own(self, world, client):
        of_desk = accepted(client, DESK, reference="r")

        assert bulk(client, "cancel", reference="r").json["matched"] == 0
        assert bulk(client, "cancel", DESK, reference="r").json["done"] == 1
        assert state(world, of_desk) == "cancelled"

    @pytest.mark.parametrize(
        ("action", "body", "field"),
        [
            ("cancel", {}, "body"),
            ("cancel", {"state": ["failed"]}, "state"),
            ("retry", {"state": ["queued"]}, "state"),
            ("retry", {"state": ["unknown"]}, "accept_duplicate"),
            ("retry", {"state": ["expired"]}, "expires_in"),
            ("cancel", {"reference": "r", "limit": 1001}, "limit"),
            ("cancel", {"reference": "r", "after": "x"}, "after"),
        ],
    )
    def test_a_wrong_question_is_422(self, client, action, body, field):
        errors = assert_problem(bulk(client, action, **body), 422, "invalid_request")
        assert list(errors) == [field]


class TestAudit:
    def test_it_says_who_did_what(self, world, client):
        message_id = in_doubt(world, client)
        accepted(client, reference="campaign")
        do(client, message_id, "resolve", outcome="delivered")
        bulk(client, "cancel", DESK, reference="campaign")

        answer = client.get("/v1/audit", headers=DESK).json

        cancelled, resolved = answer["items"]
        assert (resolved["app"], resolved["action"]) == ("orders", "resolve")
        assert resolved["message_id"] == message_id
        assert (resolved["details"], resolved["done"]) == ({"outcome": "delivered"}, 1)
        assert (cancelled["app"], cancelled["action"], cancelled["done"]) == ("desk", "cancel", 1)
        assert cancelled["filter"] == {"state": ["deferred", "held", "queued"], "reference": "campaign"}
        assert all(entry["request_id"].startswith("req-") for entry in answer["items"])

    def test_it_is_read_a_page_at_a_time_by_admins(self, client):
        for _ in range(3):
            do(client, accepted(client), "cancel")

        first = client.get("/v1/audit?limit=2", headers=DESK).json
        second = client.get(f"/v1/audit?limit=2&after={first['next']}", headers=DESK).json

        assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)
        assert_problem(client.get("/v1/audit", headers=ORDERS), 403, "scope_missing")

    def test_what_was_only_counted_is_not_in_it(self, world, client):
        accepted(client, reference="campaign")
        bulk(client, "cancel", reference="campaign", dry_run=True)

        assert client.get("/v1/audit", headers=DESK).json["items"] == []

    def test_the_log_says_it_too(self, client):
        message_id = accepted(client)

        with structlog.testing.capture_logs() as lines:
            do(client, message_id, "cancel")

        (line,) = [line for line in lines if line["event"] == LogEvent.MESSAGES_CHANGED]
        assert (line["action"], line["message_id"], line["done"]) == ("cancel", message_id, 1)


words = st.sampled_from(["+393331234567", "shop", "orders", "queued", "failed", "r", "x", "", "msg_"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
fields = (
    "messages state app reason reference sender code limit after dry_run to accept_duplicate expires_in "
    "idempotency_key text outcome"
)
names = st.sampled_from(fields.split())
actions = st.sampled_from(["batch", "cancel", "retry", "{id}/retry", "{id}/resolve"])


def test_any_body_is_taken_or_refused(fake_redis):
    client = create_api(World(fake_redis).deps).test_client()

    @settings(max_examples=100)
    @given(action=actions, body=st.dictionaries(names, values, max_size=4) | values)
    def check(action, body):
        path = f"{MESSAGES}/{action.format(id=accepted(client))}"
        answer = client.post(path, data=json.dumps(body), headers=ORDERS)
        assert answer.status_code in {200, 403, 404, 409, 422}, answer.get_json(force=True)

    check()
