"""Commands for programs against the door: the API's answers on standard output, its problems beside."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from shared.callbacks.client import Refused
from tests.builders import World
from tests.integration.test_drain_late import begun
from tests.integration.test_events import RecordingClient, configuration, writes
from tests.integration.test_inbound_api import WAMID, File, came, has
from tests.integration.test_message_hands import anna_writes
from tests.play import accept
from tests.typed import typed_against
from webhook.api.app import create_api
from workers.callbacks import Pusher


@pytest.fixture
def world(fake_redis) -> World:
    return World(fake_redis, configuration=configuration())


@pytest.fixture
def finestra(world):
    with typed_against(create_api(world.deps)) as run:
        yield run


def of(done):
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_sender_is_halted_and_resumed_and_each_answer_is_the_apis(finestra):
    halted = of(finestra("sender", "halt", "shop", "--why", "moving", "--json"))
    listed = of(finestra("sender", "list", "--json"))["items"]
    shown = finestra("sender", "list").output
    resumed = of(finestra("sender", "resume", "shop", "--json"))

    assert (halted["state"], halted["why"]) == ("halted", "moving")
    assert [one["state"] for one in listed] == ["halted", "active"]
    assert "% of " in shown
    assert listed[0]["since"][:10] in shown
    assert resumed["state"] == "active"


def test_a_sender_that_is_halted_for_templates_alone_shows_since_when(finestra):
    finestra("sender", "halt", "shop", "--why", "moving", "--kind", "template")
    (halt,) = of(finestra("sender", "list", "--json"))["items"][0]["halts"]

    assert halt["since"][:10] in finestra("sender", "list").output


def test_a_drain_that_something_outlasts_says_so(world, finestra):
    anna_writes(world, world.clock.now())
    accept(world)
    begun(world)

    asked = ("sender", "drain", "shop", "--why", "moving", "--wait", "0")
    shown, as_json = finestra(*asked), finestra(*asked, "--json")

    assert (shown.exit_code, as_json.exit_code) == (1, 1)
    assert "1 are still in flight: finestra message list --sender shop --state sending" in shown.output
    assert json.loads(as_json.stdout)["in_flight"] == 1


def test_the_apis_problem_is_passed_on_as_it_is(finestra):
    done = finestra("sender", "halt", "shpo", "--why", "x", "--json")
    problem = json.loads(done.stderr)

    assert (done.exit_code, done.stdout) == (1, "")
    assert (problem["status"], problem["code"]) == (404, "unknown_sender")


def test_people_are_told_the_mend_beside_the_apis_words(finestra):
    misspelt, refused = finestra("sender", "resume", "shpo"), finestra("sender", "list", key="wrong")

    assert "finestra sender list" in misspelt.stderr
    assert "FINESTRA_API_KEY" in refused.stderr


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("message", "explain", "msg_x"), "finestra message list"),
        (("quarantine", "show", "1-1"), "finestra quarantine list"),
        (("callbacks", "retry", "nobody"), "finestra callbacks list"),
        (("inbound", "read", "wamid.x"), "finestra events --types inbound.received"),
        (("template", "show", "nope", "it", "--sender", "shop"), "finestra template list"),
        (("sender", "halt", "shop", "--why", "x", "--until", "tomorrow"), "until: write an RFC 3339 time"),
        (("message", "list", "--state", "sendin"), "state: there is no state sendin; known here: queued"),
    ],
)
def test_what_is_not_there_or_misspelt_comes_with_its_mend(finestra, words, mend):
    done = finestra(*words)

    assert (done.exit_code, mend in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("status", [200, 404])
def test_an_address_that_is_somebody_elses_is_told_to_be(status):
    stranger = Flask("stranger")
    stranger.add_url_rule("/v1/senders", view_func=lambda: ("<h1>Sign in</h1>", status))
    with typed_against(stranger) as finestra:
        done = finestra("sender", "list")

    assert done.exit_code == 1
    assert f"answered {status}, and not as Finestra's API does" in done.stderr


def test_a_no_is_a_problem_too_and_asks_on_standard_error(finestra):
    done = finestra("message", "cancel", "--reference", "campaign", "--json", answer="n\n")

    assert (done.exit_code, done.stdout) == (1, "")
    assert json.loads(done.stderr.splitlines()[-1])["code"] == "aborted"


def test_events_are_shown_without_people_and_handed_out_as_they_are(world, finestra):
    writes(world, "Buongiorno, sono Anna")

    shown = finestra("events", "--types", "inbound.received").output
    feed = of(finestra("events", "--types", "inbound.received", "--json"))
    rest = of(finestra("events", "--after", feed["next"], "--json"))

    assert "inbound.received" in shown
    assert not {"Anna", "333"} & set(shown.replace("+39", " ").split())
    assert feed["items"][0]["data"]["text"] == "Buongiorno, sono Anna"
    assert "inbound.received" not in {event["type"] for event in rest["items"]}


def test_what_an_app_would_not_take_is_listed_and_pushed_again(world, finestra):
    writes(world, "uno")
    gone = RecordingClient(Refused("status_410", is_hopeless=True))
    orders = world.settings.configuration.apps["orders"]
    with ThreadPoolExecutor(2) as threads:
        Pusher(world.deps, orders, "default", gone, threads).run()

        listed = of(finestra("callbacks", "list", "--json"))["items"]
        parked = of(finestra("callbacks", "parked", "orders", "--json"))["items"]
        shown = finestra("callbacks", "parked", "orders").output
        retried = of(finestra("callbacks", "retry", "orders", "--json"))
        Pusher(world.deps, orders, "default", gone, threads).run()

    assert [one["parked"] for one in listed] == [1, 0]
    assert parked[0]["id"] in shown
    assert retried == {"app": "orders", "retried": 1}
    assert gone.texts == ["uno", "uno"]
    assert "Nothing of orders" in finestra("callbacks", "parked", "orders").output


def test_a_file_is_fetched_whole_for_nobody_else(world, finestra, tmp_path):
    came(world)
    has(world, File(b"one", b"two", size=6))
    path = tmp_path / "photo.jpg"

    told = of(finestra("inbound", "media", WAMID, "--output", str(path), "--json"))

    assert told == {"file": str(path), "bytes": 6, "content_type": "image/jpeg"}
    assert path.read_bytes() == b"onetwo"
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_did_not_come_whole_is_not_there(world, finestra, tmp_path):
    came(world)
    has(world, File(b"one", size=6))

    done = finestra("inbound", "media", WAMID, "--output", str(tmp_path / "photo.jpg"))

    assert (done.exit_code, list(tmp_path.iterdir())) == (1, [])


def test_a_folder_that_is_not_there_is_no_fault_of_the_file(world, finestra, tmp_path):
    came(world)
    has(world, File(b"photo"))

    done = finestra("inbound", "media", WAMID, "--output", str(tmp_path / "nowhere" / "photo.jpg"))

    assert done.exit_code == 1
    assert "No such file or directory" in done.output


def test_a_message_is_marked_as_read(world, finestra):
    came(world)

    assert of(finestra("inbound", "read", WAMID, "--typing", "--json"))["typing"] is True
    assert world.providers["shop"].receipts[0].typing
    assert "marked as read" in finestra("inbound", "read", WAMID).output


def test_templates_of_a_file_are_each_registered_or_a_problem_in_their_order(finestra, tmp_path):
    good = {"sender": "shop", "name": "pronto", "language": "it", "tag": "UTILITY"}
    bodies = [{**good, "body": "Il tuo ordine è pronto."}, {**good, "name": "Pronto", "body": "x"}, "none"]
    path = tmp_path / "templates.json"
    path.write_text(json.dumps(bodies), encoding="utf-8")

    done = finestra("template", "register", str(path), "--json")
    first, second, third = json.loads(done.stdout)["results"]

    assert (done.exit_code, done.stderr) == (1, "")
    assert first["template"]["status"] == "draft"
    assert (second["problem"]["code"], third["problem"]["code"]) == ("template_lint", "no_template")
