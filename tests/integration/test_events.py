"""Apps hear of it: pulled from `/v1/events`, pushed to their callback, none in another's way."""

import base64
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.callbacks.client import Delivered, NotReached, Refused
from shared.configuration import Configuration, Secret
from shared.domain.identifiers import ContactId
from shared.domain.notices import EVENT_TYPES
from shared.store.scripts import source_of
from tests.builders import ANNA, Stores, World, app, cm_sender, meta_sender, wrote
from webhook.api.events import MOST_POLLS
from workers.callbacks import Pusher
from workers.ticker import Ticker

BRUNO = ContactId("+393337654321")
SECRET = Secret("whsec_" + base64.b64encode(b"0" * 32).decode())
SECOND = timedelta(seconds=1)


def pushed_app(name="orders", **changes):
    values = {"callback_url": "https://orders.example/hook", "callback_secrets": (SECRET,), **changes}
    return app(name, ("messages", "events"), **values)


def configuration():
    apps = {
        "orders": pushed_app(),
        "support": pushed_app("support"),
        "shipping": app("shipping", ("events",), senders=("negozio",)),
        "nosy": app("nosy", ("messages",)),
        "desk": app("desk", ("admin",)),
    }
    return Configuration(senders={"shop": meta_sender(), "negozio": cm_sender()}, apps=apps)


@pytest.fixture
def world(any_redis) -> World:
    return World(any_redis, configuration=configuration())


def key(name):
    return {"Authorization": f"Bearer {name}-key"}


def writes(world, *texts, contact=ANNA):
    shop = world.deps.sender("shop")
    for text in texts:
        world.deps.recorder.record([(shop, wrote(contact=contact, text=text))], now=world.clock.now())


def pull(client, name="orders", **query):
    answer = client.get("/v1/events", query_string=query, headers=key(name))
    assert answer.status_code == 200, answer.json
    return answer.json


def cursor(place):
    return base64.urlsafe_b64encode(json.dumps({"default": place}).encode()).decode()


class TestPulling:
    def test_events_come_oldest_first_and_go_on_where_the_cursor_says(self, world, client):
        writes(world, "uno", "due", "tre")
        first = pull(client, types="inbound.received", limit=2)
        rest = pull(client, types="inbound.received", limit=2, after=first["next"])

        assert [event["data"]["text"] for event in first["items"] + rest["items"]] == ["uno", "due", "tre"]
        assert pull(client, after=rest["next"])["items"] == []

    def test_the_cursor_of_an_empty_page_sees_what_comes_after_it(self, world, client):
        empty = pull(client)
        writes(world, "uno")

        assert pull(client, after=empty["next"])["items"][0]["data"]["text"] == "uno"

    def test_events_that_are_not_for_the_caller_are_skipped_and_not_read_again(self, world, client):
        before = pull(client, "shipping")
        writes(world, "uno")
        page = pull(client, "shipping", after=before["next"])

        assert page["items"] == []
        assert page["next"] != before["next"]

    def test_a_kind_of_events_can_be_asked_for(self, world, client):
        writes(world, "stop")

        assert [e["type"] for e in pull(client, types="window.*,consent.changed")["items"]] == [
            "consent.changed",
            "window.opened",
        ]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"after": "zzz"}, "after"),
            ({"after": base64.urlsafe_b64encode(b'{"default":"x-y"}').decode()}, "after"),
            ({"after": base64.urlsafe_b64encode(b"[]").decode()}, "after"),
            ({"after": cursor("5--3")}, "after"),
            ({"after": cursor("9" * 23 + "-1")}, "after"),
            ({"after": cursor("18446744073709551615-18446744073709551615")}, "after"),
            ({"types": "message.eaten"}, "types"),
            ({"limit": "0"}, "limit"),
            ({"wait": "31"}, "wait"),
        ],
    )
    def test_a_wrong_question_names_its_field(self, client, query, field):
        answer = client.get("/v1/events", query_string=query, headers=key("orders"))

        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]

    def test_the_feed_needs_its_scope(self, client):
        assert client.get("/v1/events", headers=key("nosy")).status_code == 403

    def test_a_long_poll_answers_as_soon_as_something_happens(self, world, client):
        answers = []
        poll = threading.Thread(target=lambda: answers.append(pull(client, wait=20)))
        started = time.monotonic()
        poll.start()
        time.sleep(0.3)
        writes(world, "eccomi")
        poll.join(10)

        assert answers[0]["items"][0]["data"]["text"] == "eccomi"
        assert time.monotonic() - started < 10

    def test_long_polls_leave_threads_for_others(self, world, client):
        """When all places for waiting are taken, the next caller is answered at once with what there is."""
        with ThreadPoolExecutor(MOST_POLLS) as pool:
            waiting = [pool.submit(pull, client, wait=3) for _ in range(MOST_POLLS)]
            time.sleep(1)
            started = time.monotonic()
            assert pull(client, wait=30)["items"] == []
            assert time.monotonic() - started < 2
            assert all(poll.result()["items"] == [] for poll in waiting)


class RecordingClient:
    """An app in memory: keeps what it is told, answers as told, then takes everything."""

    def __init__(self, *answers):
        self.told = []
        self.answers = list(answers)

    def push(self, event_id, at, body):
        self.told.append((event_id, json.loads(body)))
        return self.answers.pop(0) if self.answers else Delivered()

    @property
    def texts(self):
        return [body["data"].get("text") for _, body in self.told if body["type"] == "inbound.received"]


class TestPushing:
    @pytest.fixture
    def threads(self):
        with ThreadPoolExecutor(8) as pool:
            yield pool

    @pytest.fixture
    def push(self, world, threads):
        def run(client, name="orders"):
            one = world.settings.configuration.apps[name]
            return Pusher(world.deps, one, "default", client, threads).run()

        return run

    def test_an_app_is_told_in_order_what_a_contact_did(self, world, push):
        writes(world, "uno", "due", "tre")
        orders = RecordingClient()
        report = push(orders)

        assert orders.texts == ["uno", "due", "tre"]
        assert report == "orders → taken 4"  # the window that opened is told too
        assert push(orders) == "orders → nothing to push"

    def test_each_app_is_told_on_its_own(self, world, push):
        writes(world, "uno")
        orders, support = RecordingClient(), RecordingClient()
        push(orders)
        push(support, "support")

        assert orders.texts == support.texts == ["uno"]

    def test_an_app_is_not_told_of_messages_of_another(self, world, push):
        Stores(world.client).accept()
        orders, support = RecordingClient(), RecordingClient()
        push(orders)
        push(support, "support")

        assert [body["type"] for _, body in orders.told] == ["message.accepted"]
        assert support.told == []

    def test_what_was_not_taken_comes_again_with_the_same_id(self, world, push):
        writes(world, "uno")
        orders = RecordingClient(NotReached("timeout"))
        push(orders)
        world.clock.advance(60 * SECOND)
        push(orders)

        (first, _), (second, _), *_ = orders.told
        assert first == second
        assert orders.texts == ["uno", "uno"]

    def test_a_failing_contact_does_not_hold_up_another(self, world, push):
        writes(world, "uno")
        writes(world, "eccomi", contact=BRUNO)

        class Picky(RecordingClient):
            def push(self, event_id, at, body):
                super().push(event_id, at, body)
                is_annas = json.loads(body)["data"]["contact"] == ANNA.value
                return Refused("status_500") if is_annas else Delivered()

        orders = Picky()
        push(orders)

        assert set(orders.texts) == {"uno", "eccomi"}
        assert world.deps.callbacks.state("default", "orders").waiting == 1

    def test_what_is_hopeless_is_parked_and_the_next_goes_on(self, world, push):
        writes(world, "uno", "due")
        orders = RecordingClient(Refused("status_410", is_hopeless=True))
        push(orders)

        assert world.deps.callbacks.state("default", "orders").parked == 1
        assert orders.texts == ["uno", "due"]

    def test_after_three_days_it_is_parked(self, world, push):
        writes(world, "uno")
        for _ in range(40):
            push(RecordingClient(*[Refused("status_500")] * 9))
            world.clock.advance(timedelta(hours=2))

        state = world.deps.callbacks.state("default", "orders")
        assert (state.parked, state.waiting) == (2, 0)

    def test_an_app_that_is_gone_does_not_fill_the_store(self, world, push):
        for number in range(30):
            writes(world, "uno", "due", contact=ContactId(f"+3933300000{number:02}"))
        away = RecordingClient(*[NotReached("timeout")] * 1000)
        push(away)
        world.clock.advance(timedelta(days=3, minutes=5))
        asked = len(away.told)
        push(away)

        state = world.deps.callbacks.state("default", "orders")
        assert (state.waiting, state.parked) == (0, 90)
        assert len(away.told) == asked

    def test_what_was_erased_meanwhile_is_not_told(self, world, push):
        writes(world, "uno")
        orders = RecordingClient(*[NotReached("timeout")] * 1)
        push(orders)
        for record in world.client.keys("inbound:*"):
            world.client.delete(record)
        world.clock.advance(60 * SECOND)
        report = push(orders)

        assert orders.texts == ["uno"]
        assert "gone 1" in report

    def test_an_app_that_is_away_is_asked_for_one_at_a_time(self, world, push):
        for number in range(20):
            writes(world, "uno", contact=ContactId(f"+3933300000{number:02}"))
        away = RecordingClient(*[NotReached("timeout")] * 100)
        push(away)
        asked = len(away.told)
        world.clock.advance(90 * SECOND)
        push(away)

        assert asked < 20
        assert len(away.told) <= asked + 2

    def test_the_ticker_rings_for_each_app_that_has_something_to_hear(self, world):
        rung = []
        ticker = Ticker(world.deps, ring_for_app=lambda business, name: rung.append((business, name)))
        ticker.beat()
        assert rung == []
        writes(world, "uno")
        world.client.delete("ticker:{default}")
        ticker.beat()

        assert rung == [("default", "orders"), ("default", "support")]


class TestCallbacksAtTheDoor:
    def test_an_app_sees_its_own_and_an_admin_all(self, client):
        assert [item["app"] for item in client.get("/v1/callbacks", headers=key("orders")).json["items"]] == [
            "orders"
        ]
        desk = client.get("/v1/callbacks", headers=key("desk")).json["items"]
        assert [item["app"] for item in desk] == ["orders", "support"]

    def test_what_is_parked_is_listed_and_pushed_again(self, world, client):
        writes(world, "uno")
        with ThreadPoolExecutor(2) as threads:
            orders = world.settings.configuration.apps["orders"]
            gone = RecordingClient(Refused("status_410", is_hopeless=True))
            Pusher(world.deps, orders, "default", gone, threads).run()
            (parked,) = client.get("/v1/callbacks/orders/parked", headers=key("orders")).json["items"]
            assert (parked["type"], parked["reason"]) == ("inbound.received", "status_410")

            answer = client.post("/v1/callbacks/orders/retry", headers=key("orders"))
            assert answer.json == {"app": "orders", "retried": 1}
            Pusher(world.deps, orders, "default", gone, threads).run()
        assert gone.texts == ["uno", "uno"]

    def test_an_app_does_not_see_anothers(self, client):
        assert client.get("/v1/callbacks/support/parked", headers=key("orders")).status_code == 404


def test_every_type_that_a_script_tells_is_declared_and_every_declared_one_is_told():
    scripts = ("accept", "record_inbound", "record_status", "settle", "sweep", "halt_sender", "save_template")
    more = ("record_template", "record_account", "record_preference", "set_consent")
    source = "".join(source_of(script) for script in (*scripts, *more))
    subjects = "inbound|window|consent|template|sender"
    told = set(re.findall(rf"'((?:{subjects})\.[a-z]+)'", source))

    assert told == {type_ for type_ in EVENT_TYPES if not type_.startswith("message.")}
