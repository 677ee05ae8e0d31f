"""`finestra quarantine` against the real processes, after a mend of the parser."""

import json
import subprocess
import time

import pytest

from shared.store.keys import Keys
from tests.e2e.test_story import CLI, clean_environ

ANNA = "+393331234567"


def message_of_anna() -> str:
    """As an earlier version kept it, that could not read it."""
    written = {
        "from": ANNA.removeprefix("+"),
        "id": "wamid.IN1",
        "timestamp": str(int(time.time()) - 60),
        "type": "text",
        "text": {"body": "Buongiorno"},
    }
    value = {"metadata": {"phone_number_id": "106540352242922"}, "messages": [written]}
    return json.dumps(
        {"entry": [{"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}]}
    )


@pytest.fixture(scope="module")
def started(shared_stage):
    return shared_stage("api")


@pytest.fixture
def live(started):
    started.clear()
    return started


@pytest.fixture
def finestra(live):
    environ = clean_environ(FINESTRA_API_URL=live.desk.url, FINESTRA_API_KEY=live.desk.key)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [*CLI, "quarantine", *words]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    return run


def keep(live, raw: str, reason: str) -> str:
    fields = {"at": str(time.time_ns() // 10**6), "sender": "shop", "reason": reason, "raw": raw, "cut": "0"}
    return live.redis().xadd(Keys("default").quarantine(), fields)


def test_a_person_lists_shows_replays_and_deletes(live, finestra):
    readable = keep(live, message_of_anna(), "unknown_type")
    broken = keep(live, "\x1b[2J not JSON", "not_json")

    listing = finestra("list")
    chosen = json.loads(finestra("list", "--reason", "not_json", "--sender", "shop", "--json").stdout)
    shown = finestra("show", broken)
    replayed = finestra("replay", "--all")
    left = json.loads(finestra("list", "--json").stdout)["items"]
    deleted = finestra("delete", broken)

    assert listing.returncode == 0, listing.stderr
    assert readable in listing.stdout
    assert "unknown_type" in listing.stdout
    assert "Buongiorno" not in listing.stdout
    assert [item["id"] for item in chosen["items"]] == [broken]
    assert "not JSON" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert replayed.returncode == 1  # one of the two stayed
    assert "1 recorded" in replayed.stdout
    assert live.app.call("GET", f"/v1/contacts/{ANNA}?sender=shop")["window"]["open"] is True
    assert [item["id"] for item in left] == [broken]
    assert deleted.returncode == 0
    assert finestra("list").stdout == "Nothing is in the quarantine.\n"


def test_what_is_not_there_or_makes_no_sense_is_said_clearly(finestra):
    missing = finestra("replay", "1-0")
    nothing = finestra("replay", "--all", "--reason", "odd")
    neither = finestra("replay")
    both = finestra("replay", "1-0", "--all")

    assert (missing.returncode, nothing.returncode) == (1, 1)
    assert "Nothing of this id is in the quarantine" in missing.stderr
    assert "nothing is in the quarantine that fits" in nothing.stderr
    assert (neither.returncode, both.returncode) == (2, 2)


def test_one_entry_is_replayed_by_its_id(live, finestra):
    entry_id = keep(live, message_of_anna(), "unknown_type")

    replayed = finestra("replay", entry_id, "--json")

    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["items"] == [
        {"id": entry_id, "outcome": "recorded", "updates": {"recorded": 1}, "reason": None}
    ]
