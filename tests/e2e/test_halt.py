"""The drill of halting a number under load: what is in flight ends, the rest waits, then goes in order."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.stage import Stage

CONTACTS = [f"+39333100{number:04}" for number in range(12)]
A_CONTACT = 5
FAST = "throughput_per_second = 5000\npair_interval_seconds = 0.001"


@pytest.fixture
def live(stage):
    live = stage("receiver", "api", "worker", "sandbox", senders={"shop": FAST}, FINESTRA_WORKER_SLOTS="4")
    live.sandbox("PUT", "settings", latency_ms=100, statuses=False)
    return live


def accept(live: Stage, contacts: Iterable[str], sender: str = "shop") -> list[str]:
    asked = [{"to": contact, "sender": sender, "text": "Il tuo ordine è pronto."} for contact in contacts]
    answer = live.app.call("POST", "/v1/messages/batch", json={"messages": asked})
    return [result["id"] for result in answer["results"]]


def finestra(live: Stage, *words: str):
    done = CliRunner().invoke(main, [*words, "--json", "--url", live.desk.url, "--key", live.desk.key])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def states(live: Stage, ids: list[str]) -> dict[str, str]:
    with live.redis() as client:
        return {id_: client.hget(f"message:{{default}}:{id_}", "state") for id_ in ids}


def at_the_provider(live: Stage, sender: str = "shop") -> list[str]:
    return [f"msg_{request['reference'][:26]}" for request in live.requests(sender)]


def by_contact(ids: Iterable[str], whose: dict[str, str]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for id_ in ids:
        found[whose[id_]].append(id_)
    return found


def test_a_number_is_drained_under_load_and_goes_on_in_order_and_once(live):
    for contact in CONTACTS:
        assert live.writes(contact) == 200
    live.writes(CONTACTS[0], "negozio")
    load = [contact for _ in range(A_CONTACT) for contact in CONTACTS]
    ids = accept(live, load)
    live.until(lambda: len(live.requests()) >= 10, "a first part at the provider")
    live.sandbox("PUT", "settings", latency_ms=1000)  # so that some is in flight, and most of it waits

    drained = finestra(live, "sender", "drain", "shop", "--why", "moving")
    gone, before = at_the_provider(live), states(live, ids)

    assert (drained["sender"]["state"], drained["in_flight"], drained["in_doubt"]) == ("halted", 0, 0)
    assert set(before.values()) == {"submitted", "queued"}
    assert {id_ for id_, state in before.items() if state == "submitted"} == set(gone)
    waits = live.message(next(id_ for id_ in ids if before[id_] == "queued"))
    assert (waits["state"], waits["waiting"]) == ("queued", "sender_halted")

    late = accept(live, [CONTACTS[0]])
    other = accept(live, [CONTACTS[0]], "negozio")
    live.until(lambda: at_the_provider(live, "negozio") == other, "another number's message to go meanwhile")
    assert (at_the_provider(live), states(live, late)) == (gone, {late[0]: "queued"})

    live.sandbox("PUT", "settings", latency_ms=0)
    finestra(live, "sender", "resume", "shop")
    live.until(lambda: set(states(live, ids + late).values()) == {"submitted"}, "all that waited to go")

    arrived, whose = at_the_provider(live), dict(zip(ids + late, [*load, CONTACTS[0]], strict=True))
    assert Counter(arrived) == Counter(ids + late)
    assert by_contact(arrived, whose) == by_contact(ids + late, whose)
