"""Everything is asked to stop in the middle of its work: it leaves by itself, and nothing is in doubt."""

from collections import Counter

import pytest

from cli.unit import ALL
from tests.faults.test_crashes import accept_all, states

pytestmark = pytest.mark.faults
#: At 2 slots and 500 ms each they take the provider 10 s.
MESSAGES = 40


def test_all_of_up_leaves_by_itself_under_load_and_nothing_is_in_doubt(stage):
    live = stage(*ALL, FINESTRA_WORKER_SLOTS="2", FINESTRA_CELERY_DOOR="1")
    live.sandbox("PUT", "settings", latency_ms=500, statuses=False)
    live.desk.call("POST", "/v1/senders/shop/halt", json={"why": "all are accepted first"})
    accepted = accept_all(live, count=MESSAGES)
    live.desk.call("POST", "/v1/senders/shop/resume")
    live.until(lambda: len(live.requests()) >= 4, "a first part at the provider")
    taken = len(live.requests())

    left_when_asked = live.unit.supervisor.stop()

    stopped = {event.name: event.exit_code for event in live.events if event.kind == "stopped"}
    assert left_when_asked
    assert stopped == dict.fromkeys((*ALL, "redis"), 0)
    live.unit.supervisor.start("redis")
    live.until(live.unit.redis.answers, "Redis")
    ended = Counter(states(live, accepted).values())
    assert set(ended) <= {"submitted", "queued"}
    assert ended["submitted"] >= taken
