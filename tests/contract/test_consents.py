"""The consent ledger: every word about a contact's consent is kept, and what stands can be listed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.consent import Category, ConsentRecord, ConsentStatus
from shared.domain.events import PreferenceChanged
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageState
from shared.store.consents import Decision, call_of
from tests.builders import ANNA, DAY, NOW, World, opt_in, opt_out, status, wrote
from tests.door import DESK, ORDERS
from tests.play import accept, drain, opt_anna_in
from webhook.api.app import create_api

SECOND = timedelta(seconds=1)
BRUNO, USER = ContactId("+393339999999"), ContactId("IT.90011223344")
BATCH = "/v1/consents/batch?sender=shop"


@pytest.fixture
def world(any_redis) -> World:
    return World(any_redis)


@pytest.fixture
def client(world):
    return create_api(world.deps).test_client()


def decide(world: World, record: ConsentRecord, *categories: Category, contact=ANNA, app="desk") -> int:
    shop = world.deps.sender("shop")
    of = categories or (Category.UTILITY,)
    return world.deps.contacts.set_consent(shop, contact, record, of, now=world.clock.now(), app=app)


def hear(world: World, *events) -> None:
    shop = world.deps.sender("shop")
    world.deps.recorder.record([(shop, event) for event in events], now=world.clock.now())


def told_whatsapp(what: ConsentStatus, at=NOW) -> PreferenceChanged:
    return PreferenceChanged(recipient="1", contact=ANNA, category=Category.MARKETING, status=what, at=at)


def history(world: World, contact=ANNA):
    return world.deps.consents.history("default", contact)[1]


def listed(world: World, limit=10) -> list[str]:
    found, after = [], None
    while True:
        page = world.deps.consents.page("default", after=after, limit=limit)
        found += [contact.value for contact, _ in page.consents]
        after = page.next
        if after is None:
            return found


class TestHistory:
    def test_a_decision_is_kept_with_all_that_was_said_of_it(self, world):
        said = ConsentRecord(
            status=ConsentStatus.OPTED_IN, at=NOW - DAY, source="a|b", evidence="ein\nBeleg | 1"
        )
        decide(world, said, Category.UTILITY, Category.MARKETING)

        (word,) = history(world)

        assert (word.status, word.at, word.recorded_at) == ("opted_in", NOW - DAY, NOW)
        assert (word.source, word.evidence) == ("a|b", "ein\nBeleg | 1")
        assert word.categories == word.changed == (Category.UTILITY, Category.MARKETING)
        assert (word.by, word.app, word.sender) == ("api", "desk", "shop")

    def test_what_changed_nothing_because_something_newer_stands_is_kept_and_marked(self, world):
        decide(world, opt_out(NOW))
        decide(world, opt_in(NOW - SECOND), Category.UTILITY, Category.MARKETING)

        newest, older = history(world)

        assert (newest.status, newest.changed) == ("opted_out", (Category.UTILITY,))
        assert (older.status, older.changed) == ("opted_in", (Category.MARKETING,))

    def test_a_repeated_call_adds_nothing_and_answers_the_same(self, world):
        call = call_of(
            world.deps.sender("shop"),
            Decision(contact=ANNA, record=opt_in(), categories=[Category.UTILITY]),
            NOW,
        )

        answers = world.deps.messages._scripts.run_all([call, call])

        assert answers == [["recorded", 1], ["recorded", 1]]
        assert len(history(world)) == 1

    def test_the_same_word_heard_later_is_one_word_and_changes_nothing(self, world):
        decide(world, opt_in())
        world.clock.advance(SECOND)

        assert decide(world, opt_in()) == 0
        assert [word.recorded_at for word in history(world)] == [NOW]

    def test_a_keyword_names_the_message_that_it_was(self, world):
        hear(world, wrote(text="STOP", event_id="wamid.1"))

        (word,) = history(world)

        assert (word.status, word.by, word.evidence) == ("opted_out", "keyword", "wamid.1")
        assert set(word.changed) == set(Category)

    def test_what_was_told_to_whatsapp_is_in_it(self, world):
        hear(world, told_whatsapp(ConsentStatus.OPTED_OUT, NOW - SECOND))
        hear(world, told_whatsapp(ConsentStatus.OPTED_IN, NOW))
        hear(world, told_whatsapp(ConsentStatus.OPTED_OUT, NOW - 2 * SECOND))

        words = history(world)

        assert [word.status for word in words] == ["resumed", "opted_out", "opted_out"]
        assert [word.changed for word in words] == [(Category.MARKETING,)] * 2 + [()]
        assert {word.by for word in words} == {"user_preferences"}

    def test_an_error_that_says_marketing_is_unwanted_names_the_message(self, world):
        opt_anna_in(world)
        hear(world, wrote(NOW))
        message_id = accept(world)
        drain(world)

        hear(world, replace(status(message_id, MessageState.FAILED), unwanted=Category.MARKETING))

        word = history(world)[0]
        assert (word.status, word.by, word.evidence) == ("opted_out", "provider_error", message_id.value)
        assert word.changed == (Category.MARKETING,)

    def test_the_latest_two_hundred_that_were_heard_are_kept(self, world):
        for number in range(205):
            decide(world, opt_in(NOW - number * SECOND))

        words = history(world)

        assert len(words) == 200
        assert words[0].at == NOW - 5 * SECOND
        assert words[-1].at == NOW - 204 * SECOND

    def test_of_two_names_together_the_latest_two_hundred_are_kept(self, world):
        for number in range(150):
            world.clock.advance(SECOND)
            for contact in (USER, ANNA):
                decide(world, opt_in(NOW - number * SECOND), contact=contact, app=contact.value)
        hear(world, replace(wrote(), user_id=USER))

        words = history(world)

        assert len(words) == 200
        assert min(word.recorded_at for word in words) == NOW + 51 * SECOND

    def test_it_follows_a_contact_whose_names_join(self, world):
        decide(world, opt_in(NOW - 2 * SECOND), contact=USER)
        decide(world, opt_out(NOW - SECOND), contact=ANNA)
        hear(world, replace(wrote(), user_id=USER))

        assert [word.status for word in history(world, USER)] == ["opted_out", "opted_in"]
        assert history(world, USER) == history(world, ANNA)
        assert listed(world) == [ANNA.value]

    def test_it_comes_with_a_contact_that_had_none(self, world):
        decide(world, opt_in(), contact=USER)
        hear(world, replace(wrote(), user_id=USER))

        assert [word.status for word in history(world, ANNA)] == ["opted_in"]
        assert listed(world) == [ANNA.value]

    def test_the_door_shows_it_newest_first_and_by_whom(self, world, client):
        client.put(
            f"/v1/contacts/{ANNA}/consent?sender=shop",
            json={"status": "opted_in", "source": "shop", "at": "2086-11-22T11:00:00Z"},
            headers=DESK,
        )
        hear(world, wrote(text="stop", event_id="wamid.1"))

        body = client.get(f"/v1/contacts/{ANNA}/consent/history?sender=shop", headers=ORDERS).json

        assert [(item["status"], item["by"], item["app"]) for item in body["items"]] == [
            ("opted_out", "keyword", None),
            ("opted_in", "desk", "desk"),
        ]
        assert body["contact"] == ANNA.value
        assert body["next"] is None

    def test_nobody_has_said_anything_of_an_unknown_contact(self, client):
        body = client.get("/v1/contacts/+393330000009/consent/history?sender=shop", headers=ORDERS).json

        assert body == {"contact": "+393330000009", "items": [], "next": None}


def entry(**changes: object) -> dict[str, object]:
    plain = {"contact": ANNA.value, "status": "opted_in", "source": "crm", "at": "2086-11-22T11:00:00Z"}
    return {**plain, **changes}


class TestBatch:
    def post(self, client, *entries, headers=DESK):
        return client.post(BATCH, json={"consents": list(entries)}, headers=headers)

    def test_each_is_recorded_or_refused_by_itself_in_order(self, world, client):
        decide(world, opt_out(NOW), *Category, contact=BRUNO)

        answer = self.post(
            client,
            entry(contact="not a number"),
            entry(),
            entry(contact=BRUNO.value),
            entry(at="2086-11-22T13:00:00Z"),
            entry(status="maybe", categories=["news"]),
            "no object",
            {"contact": ANNA.value, "status": "opted_in"},
        )

        results = answer.json["results"]
        assert [result["result"] for result in results] == [
            "refused",
            "recorded",
            "unchanged",
            "refused",
            "refused",
            "refused",
            "refused",
        ]
        assert list(results[0]["errors"]) == ["contact"]
        assert results[3]["errors"] == {"at": ["must not be in the future"]}
        assert set(results[4]["errors"]) == {"status", "categories.0"}
        assert set(results[6]["errors"]) == {"at"}
        assert [word.by for word in history(world)] == ["import"]

    def test_sent_again_it_changes_nothing(self, world, client):
        self.post(client, entry())
        world.clock.advance(SECOND)

        (result,) = self.post(client, entry()).json["results"]

        assert result["result"] == "unchanged"
        assert len(history(world)) == 1

    def test_a_business_scoped_id_is_taken(self, world, client):
        assert self.post(client, entry(contact=USER.value)).json["results"] == [{"result": "recorded"}]
        assert listed(world) == [USER.value]

    def test_it_needs_the_scope_and_one_to_a_thousand(self, client):
        assert self.post(client, entry(), headers=ORDERS).status_code == 403
        assert self.post(client).status_code == 422
        assert self.post(client, *[entry()] * 1_001).status_code == 422


class TestList:
    def test_every_contact_with_a_consent_is_listed_once_whatever_the_page(self, world):
        names = [f"+3933300000{number:02}" for number in range(7)]
        for name in reversed(names):
            decide(world, opt_in(), contact=ContactId(name))
        hear(world, told_whatsapp(ConsentStatus.OPTED_OUT))

        for limit in (1, 3, 8, 100):
            assert listed(world, limit) == [*names, ANNA.value]

    def test_what_was_said_in_one_breath_is_one_line(self, world, client):
        decide(world, opt_in(NOW - DAY), Category.UTILITY, Category.AUTHENTICATION)
        hear(world, told_whatsapp(ConsentStatus.OPTED_OUT, NOW))

        body = client.get("/v1/consents?sender=shop", headers=ORDERS).json

        assert body["next"] is None
        (item,) = body["items"]
        assert item["contact"] == ANNA.value
        assert {(c["status"], *c["categories"]) for c in item["consents"]} == {
            ("opted_in", "utility", "authentication"),
            ("opted_out", "marketing"),
        }

    def test_the_door_pages_by_a_cursor_that_shows_no_number(self, world, client):
        for contact in (ANNA, BRUNO):
            decide(world, opt_in(), contact=contact)

        first = client.get("/v1/consents?sender=shop&limit=1", headers=ORDERS).json
        second = client.get(
            "/v1/consents", query_string={"sender": "shop", "cursor": first["next"]}, headers=ORDERS
        ).json

        assert [item["contact"] for item in first["items"] + second["items"]] == [ANNA.value, BRUNO.value]
        assert ANNA.value.strip("+") not in first["next"]
        assert client.get("/v1/consents?sender=shop&cursor=Ü", headers=ORDERS).status_code == 422


def test_marketing_that_whatsapp_stopped_goes_no_more_and_utility_goes_on(world):
    opt_anna_in(world)
    hear(world, wrote(NOW - SECOND), told_whatsapp(ConsentStatus.OPTED_OUT, NOW))

    stopped = accept(world, category=Category.MARKETING)
    utility = accept(world)
    drain(world)

    found = [world.deps.messages.get("default", id_) for id_ in (stopped, utility)]
    assert [(one.state, one.reason) for one in found] == [
        (MessageState.REFUSED, "opted_out"),
        (MessageState.SUBMITTED, None),
    ]
