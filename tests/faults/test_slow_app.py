"""Apps that hang, workers and Redis that die among callbacks: nobody else waits, and no event is lost."""

import signal
import time

import pytest
import requests

from cli.client import Api
from tests.apps import App

pytestmark = pytest.mark.faults
EVENTS = 20
#: More than one app is told at once, so that one that hangs holds all that it can.
CONTACTS = 10
AT_ONCE = 8
#: The promise is 2 s. Less than the 5 s of a push, or who waits for one that hangs would not be seen.
LONGEST_SECONDS = 3


@pytest.fixture(scope="module")
def servers():
    slow, quick = App("slow"), App("quick")
    with slow.listening(), quick.listening():
        yield slow, quick


@pytest.fixture(scope="module")
def live(shared_stage, servers):
    return shared_stage("receiver", "api", "worker", "sandbox", apps=servers)


@pytest.fixture
def apps(servers):
    yield servers
    for app in servers:
        app.pause_seconds = 0
        app.take_again()


def writes(live, contact, text="Buongiorno"):
    """From when on the app may know."""
    started = time.monotonic()
    assert live.writes(contact, text=text) == 200
    return started


def pull(live, app, after=""):
    """All that the feed has for the app behind a cursor, and the cursor at its end."""
    api, found = Api(live.app.url, app.key), []
    while True:
        page = api.call("GET", f"/v1/events?limit=500&after={after}")
        if not page["items"]:
            return found, after
        found, after = found + page["items"], page["next"]


def callbacks(live, app):
    """How they stand with the app."""
    standing = live.desk.call("GET", "/v1/callbacks")["items"]
    return next(each for each in standing if each["app"] == app.name)


def has_all(app, events):
    return {event["id"] for event in events} <= set(app.taken_ids())


def calls_for(app, events):
    """Those that told of these events, in the order in which they came."""
    ids = {event["id"] for event in events}
    return sorted((call for call in list(app.calls) if call.event_id in ids), key=lambda call: call.at)


def assert_told(app, events):
    """Each at least once, what was repeated under its own id, and of one contact never an older one again."""
    place = {event["id"]: n for n, event in enumerate(events)}
    told = calls_for(app, events)
    assert has_all(app, events), "an event was lost"
    for call in told:
        written = events[place[call.event_id]]
        assert call.event == {name: written[name] for name in ("type", "timestamp", "data")}
    for contact in {call.contact for call in told}:
        order = [place[call.event_id] for call in told if call.contact == contact]
        assert order == sorted(order), "events of one contact came out of order"
    assert app.unsigned == 0


def test_an_app_that_hangs_costs_nobody_else_any_time_and_gets_all_when_it_is_back(
    live, apps, record_testsuite_property
):
    slow, quick = apps
    _, start = pull(live, slow)
    slow.hang()
    for n in range(CONTACTS):
        writes(live, f"+3933310000{n:02}")
    live.until(lambda: len(slow.in_hand) == AT_ONCE, "the app to hang with all that it gets")

    waits = []
    for n in range(EVENTS):
        contact, text = f"+3933310000{n % CONTACTS:02}", f"hang {n}"
        written_at = writes(live, contact, text)
        live.until(lambda text=text: arrival(quick, text), f"{text} at the quick app", 20)
        waits.append(arrival(quick, text) - written_at)
    asked = {"to": "+393331000001", "sender": "shop", "text": "È pronto."}
    message_id = live.app.call("POST", "/v1/messages", json=asked)["id"]
    live.until(lambda: live.message(message_id)["state"] == "delivered", "delivery", LONGEST_SECONDS)
    live.until(lambda: callbacks(live, slow)["failures_in_a_row"] >= AT_ONCE, "it to have failed", 10)
    slow.take_again()
    events, _ = pull(live, slow, start)
    live.until(lambda: catches_up(live, slow, events), "the app to catch up")

    record_testsuite_property("slow_app_worst_seconds_of_the_quick_one", round(max(waits), 2))
    assert max(waits) < LONGEST_SECONDS
    assert len(events) == EVENTS + 2 * CONTACTS  # each contact's window opened, too
    assert_told(slow, events)
    assert_told(quick, events)
    assert len(calls_for(slow, events)) > len(events)  # some came again
    assert len(calls_for(quick, events)) == len(events)  # none did


def arrival(app, text):
    return next((c.at for c in app.of_type("inbound.received") if c.event["data"]["text"] == text), None)


def catches_up(live, app, events):
    """A person ends its pause, as long as there is one."""
    if callbacks(live, app)["failures_in_a_row"]:
        live.desk.call("POST", f"/v1/callbacks/{app.name}/retry")
    return has_all(app, events)


def test_a_worker_killed_in_the_middle_of_pushing_loses_no_event(live, apps):
    slow, quick = apps
    _, start = pull(live, slow)
    slow.pause_seconds = quick.pause_seconds = 0.2
    before = len(quick.calls)
    for n in range(8 * CONTACTS):
        writes(live, f"+3933320000{n % CONTACTS:02}", f"kill {n}")
    live.until(lambda: len(quick.calls) > before + 2 * CONTACTS, "some events told")
    in_hand = set(slow.in_hand)
    live.until(lambda: bool(slow.in_hand - in_hand), "one that has just come to hand")

    live.unit.supervisor.kill("worker", signal.SIGKILL)

    events, _ = pull(live, slow, start)
    was_in_the_middle = not any(has_all(app, events) for app in apps)
    live.until(lambda: all(has_all(app, events) for app in apps), "the rest")

    assert was_in_the_middle
    assert len(events) == 9 * CONTACTS
    assert_told(slow, events)
    assert_told(quick, events)
    assert len(calls_for(slow, events)) > len(events)  # what was in hand came again


def test_events_and_callbacks_survive_a_restart_of_redis(live, apps):
    slow, quick = apps
    _, start = pull(live, slow)
    slow.refuse()
    for n in range(10):
        writes(live, f"+3933330000{n % 2:02}", f"restart {n}")
    pulled, _ = pull(live, slow, start)
    # Nothing is in hand then: what is has to wait for the end of its lease, as in the test above.
    live.until(lambda: callbacks(live, slow)["failures_in_a_row"] >= 2, "a refusal for each contact")
    live.until(lambda: has_all(quick, pulled) and callbacks(live, quick)["waiting"] == 0, "the quick app")

    live.unit.supervisor.kill("redis", signal.SIGKILL)
    live.until(lambda: not live.unit.redis.answers(), "Redis to be gone", 5)
    live.until(lambda: requests.get(f"{live.app.url}/readyz", timeout=20).ok, "Redis to be back", 20)
    slow.take_again()
    kept, _ = pull(live, slow, start)
    live.until(lambda: catches_up(live, slow, pulled), "the rest")

    assert len(pulled) == 12
    assert kept == pulled
    assert_told(slow, pulled)
    assert_told(quick, pulled)
