"""The promises under `kill -9`: nothing accepted is lost, nothing is sent twice, a doubt is shown as one."""

import signal
from collections import Counter

import pytest

from tests.stage import Stage

MESSAGES = 300
pytestmark = pytest.mark.faults
DONE = {"submitted", "sent", "delivered", "read", "unknown"}


def accept_all(stage: Stage, sender: str = "shop", count: int = MESSAGES) -> list[str]:
    """So many messages to so many contacts, whose windows are open."""
    contacts = [f"+39333{n:07}" for n in range(count)]
    for contact in contacts:
        assert stage.writes(contact, sender) == 200
    accepted = []
    for contact in contacts:
        asked = {"to": contact, "sender": sender, "text": "Il tuo ordine è pronto."}
        accepted.append(stage.app.call("POST", "/v1/messages", json=asked)["id"])
    return accepted


def states(stage: Stage, accepted: list[str]) -> dict[str, str]:
    client = stage.redis()
    pipeline = client.pipeline(transaction=False)
    for message_id in accepted:
        pipeline.hget(f"message:{{default}}:{message_id}", "state")
    found = dict(zip(accepted, pipeline.execute(), strict=True))
    client.close()
    return found


def assert_each_once_or_unknown(stage: Stage, accepted: list[str], sender: str = "shop") -> None:
    final = states(stage, accepted)
    taken = Counter(f"msg_{item['reference'][:26]}" for item in stage.requests(sender))

    assert set(final.values()) <= DONE
    assert all(count == 1 for count in taken.values()), "a message reached the provider twice"
    missing = [message_id for message_id in accepted if taken[message_id] == 0]
    assert all(final[message_id] == "unknown" for message_id in missing), "a message was lost"


@pytest.mark.parametrize("sender", ["shop", "negozio"])
def test_killing_every_worker_loses_nothing_and_repeats_nothing(stage, sender):
    live = stage(
        "receiver", "api", "worker", "sandbox", FINESTRA_WORKER_SLOTS="16", FINESTRA_DOUBT_GRACE_SECONDS="1"
    )
    live.sandbox("PUT", "settings", latency_ms=100, statuses=False)
    accepted = accept_all(live, sender)
    live.until(lambda: len(live.requests(sender)) >= 60, "a first part at the provider")

    live.unit.supervisor.kill("worker", signal.SIGKILL)

    live.until(lambda: set(states(live, accepted).values()) <= DONE, "every message to end", 90)
    assert_each_once_or_unknown(live, accepted, sender)


def test_flushing_celerys_database_in_mid_run_loses_no_message(stage):
    live = stage("receiver", "api", "worker", "sandbox", FINESTRA_WORKER_SLOTS="4")
    live.sandbox("PUT", "settings", latency_ms=50, statuses=False)
    broker = live.redis(database=1)
    accepted = accept_all(live)

    for _ in range(5):
        before = len(live.requests())
        broker.flushdb()
        live.until(
            lambda before=before: len(live.requests()) > before or len(live.requests()) == MESSAGES,
            "progress",
        )

    live.until(lambda: set(states(live, accepted).values()) == {"submitted"}, "every message", 60)
    broker.close()
    assert_each_once_or_unknown(live, accepted)
