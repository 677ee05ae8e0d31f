"""What has no state of its own, counts and lists, is counted and kept once however often it reaches Redis."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from shared.domain.events import UpdateNoted, UpdateSetAside
from shared.domain.identifiers import MessageId
from shared.domain.message import MessageState
from shared.domain.window import WindowPolicy
from shared.errors import StoreUnavailableError
from shared.store.audit import Audit, Deed
from shared.store.recorder import Recorder
from shared.store.scripts import Scripts
from shared.store.tallies import Tallies
from shared.store.updates import RecordingPolicy
from tests.builders import DAY, NOW, cm_sender, meta_sender, status

NAME = "webhooks_total:shop:recorded"
UNKNOWN = MessageId.from_ulid("0" * 26)
RECORDING = RecordingPolicy(window=WindowPolicy(), languages=(), retention=DAY, aliases_of={})
DEED = Deed(at=NOW, app="desk", request_id="r1", action="sender.halt", done=1)


class Repeating(Scripts):
    """Every command reaches the server twice: redis-py repeats what it has no answer to."""

    def _send(self, commands):
        super()._send(commands)
        return super()._send(commands)


class Deaf(Scripts):
    """The first answer is lost for good, after the command has run."""

    has_heard = False

    def _send(self, commands):
        answers = super()._send(commands)
        if not self.has_heard:
            self.has_heard = True
            raise StoreUnavailableError("no answer")
        return answers


def counters(client) -> Counter:
    return Counter({name: int(n) for name, n in client.hgetall("counters:{default}").items()})


def test_tallies_are_added_once(any_redis):
    tallies = Tallies(Repeating(any_redis))
    tallies.add("default", NAME, 3)
    tallies.flush()

    assert counters(any_redis)[NAME] == 3


def test_tallies_whose_answer_was_lost_are_not_added_again_with_the_next(any_redis):
    tallies = Tallies(Deaf(any_redis))
    tallies.add("default", NAME, 3)
    with pytest.raises(StoreUnavailableError):
        tallies.flush()

    tallies.add("default", NAME, 4)
    tallies.flush()

    assert counters(any_redis)[NAME] == 7


def test_a_deed_stands_in_the_audit_once(any_redis):
    audit = Audit(any_redis, Repeating(any_redis))
    audit.record("default", DEED)

    assert [deed for _, deed in audit.page("default", after=None, limit=5).deeds] == [DEED]


@pytest.mark.parametrize("sender", [meta_sender(), cm_sender()])
def test_an_update_is_set_aside_once_when_the_provider_repeats_it_too(any_redis, sender):
    update = UpdateSetAside(reason="unknown_shape", raw='{"odd": 1}')
    for _ in range(2):
        Recorder(Repeating(any_redis), RECORDING).record([(sender, update)], now=NOW)

    assert any_redis.xlen("quarantine:{default}") == 1
    assert counters(any_redis)[f"quarantined_total:{sender.alias}:unknown_shape"] == 1


def test_another_update_or_another_sender_is_another_entry(any_redis):
    one, other = (UpdateSetAside(reason="unknown_shape", raw=f'{{"odd": {n}}}') for n in (1, 2))
    updates = [(meta_sender(), one), (meta_sender(), other), (cm_sender(), one)]
    Recorder(Scripts(any_redis), RECORDING).record(updates, now=NOW)

    assert any_redis.xlen("quarantine:{default}") == 3


@pytest.mark.parametrize(
    ("update", "name"),
    [
        (UpdateNoted(kind="history"), "updates_noted_total:shop:history"),
        (status(UNKNOWN, MessageState.READ), "statuses_unmatched_total:shop"),
        (replace(status(UNKNOWN, MessageState.READ), reference=None), "statuses_unmatched_total:shop"),
    ],
)
def test_what_is_only_counted_is_counted_once(any_redis, update, name):
    Recorder(Repeating(any_redis), RECORDING).record([(meta_sender(), update)], now=NOW)

    assert counters(any_redis)[name] == 1


def test_a_process_that_stops_in_order_writes_what_it_has_counted(redis_url, real_redis):
    counted = f"""
from shared.store.connection import connect
from shared.store.scripts import Scripts
from shared.store.tallies import Tallies
tallies = Tallies(Scripts(connect({redis_url!r})))
tallies.keep_flushing()
tallies.add("default", {NAME!r})
"""
    subprocess.run([sys.executable, "-c", counted], check=True, timeout=30)

    assert counters(real_redis)[NAME] == 1
