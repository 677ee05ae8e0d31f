"""Sends around the instant at which windows end: by the provider's own clock none comes after it.

EDGE_MESSAGES=10000 runs it at full size; what is checked stays the same.
"""

import os
import time
from collections import Counter

import pytest

from tests.stage import NUMBERS, Stage

MESSAGES = int(os.environ.get("EDGE_MESSAGES", "1000"))
A_CONTACT = 20
DAY_SECONDS = 86_400
#: Just over the deadline of a call, which is the least that a start accepts.
MARGIN_SECONDS = 9
#: How long after all is ready the first window and the last one come to their margin.
FIRST_SECONDS, LAST_SECONDS = -2, 6
#: What a message may need from its begin to the provider, on a machine full of other work.
WAY_SECONDS = 8
SHOP = (
    f"window_margin_seconds = {MARGIN_SECONDS}\nthroughput_per_second = 5000\npair_interval_seconds = 0.001"
)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def live(shared_stage):
    return shared_stage("receiver", "api", "worker", "sandbox", senders={"shop": SHOP})


def write_at_the_edge(live: Stage, contacts: list[str], first_margin_at: float) -> dict[str, float]:
    """Each contact's window comes to its margin at another instant; when each one ends."""
    step = (LAST_SECONDS - FIRST_SECONDS) / len(contacts)
    ends = {}
    for number, contact in enumerate(contacts):
        end = first_margin_at + number * step + MARGIN_SECONDS
        script = {"from": contact, "to": NUMBERS["shop"], "text": "Buongiorno", "at": int(end) - DAY_SECONDS}
        assert live.sandbox("POST", "inbound", **script)["webhook_status"] == 200
        ends[contact] = float(int(end))
    return ends


def accept(live: Stage, contacts: list[str]) -> list[str]:
    """A round of one message a contact after the other, so that each contact's go out all the time."""
    asked = [
        {"to": contact, "sender": "shop", "text": "Il tuo ordine è pronto.", "when_closed": "refuse"}
        for _ in range(A_CONTACT)
        for contact in contacts
    ]
    ids = []
    for start in range(0, len(asked), 500):
        answer = live.app.call("POST", "/v1/messages/batch", json={"messages": asked[start : start + 500]})
        ids += [result["id"] for result in answer["results"]]
    return ids


def begun_at(live: Stage, ids: list[str]) -> dict[str, float]:
    """When each message that left was begun, by its own record."""
    client = live.redis()
    pipeline = client.pipeline(transaction=False)
    for id_ in ids:
        pipeline.hmget(f"message:{{default}}:{id_}", "begun_at", "attempts")
    found = dict(zip(ids, pipeline.execute(), strict=True))
    client.close()
    return {id_: float(begun) / 1000 for id_, (begun, attempts) in found.items() if int(attempts)}


def states(live: Stage, ids: list[str]) -> Counter[str]:
    client = live.redis()
    pipeline = client.pipeline(transaction=False)
    for id_ in ids:
        pipeline.hget(f"message:{{default}}:{id_}", "state")
    found = Counter(pipeline.execute())
    client.close()
    return found


def test_no_session_message_is_requested_after_its_window_has_come_to_its_margin(live):
    contacts = [f"+39333{number:07}" for number in range(MESSAGES // A_CONTACT)]
    # What is accepted waits behind a halt, however long that takes; the windows come then.
    live.desk.call("POST", "/v1/senders/shop/halt", json={"why": "until all is ready"})
    ids = accept(live, contacts)
    ready_at = time.time() + 1 + len(contacts) * 0.03
    ends = write_at_the_edge(live, contacts, ready_at + FIRST_SECONDS)
    live.desk.call("POST", "/v1/senders/shop/resume")
    live.until(lambda: not (states(live, ids) & Counter(queued=1, sending=1, deferred=1)), "all to end", 200)

    taken = [request for request in live.requests() if request["reference"][:26] in {id_[4:] for id_ in ids}]
    over = [request["at"] - ends[request["to"]] for request in taken]
    begun = begun_at(live, ids)
    margins = {f"msg_{request['reference'][:26]}": ends[request["to"]] - MARGIN_SECONDS for request in taken}
    ended = states(live, ids)
    assert ended["refused"] + len(taken) == len(ids)
    assert len(taken) > MESSAGES / 20
    assert ended["refused"] > MESSAGES / 20
    assert max(over) < 0
    assert {request["code"] for request in taken} == {None}  # nor did the provider ever say so
    assert max(begun[id_] - margin for id_, margin in margins.items()) <= 0
    assert max(over) + MARGIN_SECONDS < WAY_SECONDS
