"""The Celery door with real processes: from Celery and plain kombu, garbage too, and with the store away."""

import signal
import time
from collections.abc import Iterator

import psutil
import pytest
from celery import Celery
from kombu import Connection
from redis import Redis
from ulid import ULID

from shared.errors import SettingsError
from shared.queues import SUBMIT, make_celery
from tests.stage import Stage, stages
from workers.door import build_app

REQUEST = {"to": "+393331234567", "sender": "shop", "text": "Ciao Anna, il tuo ordine 991 è pronto."}
OPTIONS = {"global_keyprefix": "finestra-broker:"}
#: Kombu's: what was taken and is not acknowledged.
IN_HAND = "finestra-broker:unacked"
#: So many has the door's worker in hand at once.
AT_ONCE = 8
#: Past the time after which what is in hand comes again: told, not waited for.
LATER_SECONDS = 120


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Stage]:
    """The broker is another server than the store, so that each can be away by itself."""
    with stages(tmp_path_factory.mktemp("door")) as start:
        broker = redis_url.removesuffix("/0") + "/7"
        yield start("api", "submit", FINESTRA_CELERY_DOOR="1", FINESTRA_BROKER_URL=broker)


def broker_of(stage: Stage) -> str:
    return stage.unit.settings.broker_url.reveal()


def submit(stage: Stage, *, task_id: str | None = None, **named: object) -> None:
    """As another program would: with a Celery app of its own."""
    theirs = Celery("theirs", broker=broker_of(stage), set_as_current=False)
    theirs.conf.broker_transport_options = OPTIONS
    theirs.send_task(SUBMIT, kwargs=named, queue=SUBMIT, task_id=task_id, ignore_result=True)


def publish(stage: Stage, body: object, **properties: object) -> None:
    with Connection(broker_of(stage), transport_options=OPTIONS) as connection:
        connection.Producer().publish(body, routing_key=SUBMIT, **properties)


def by_reference(stage: Stage, reference: str) -> list[str]:
    """Ids of the messages that were accepted under a reference."""
    client = stage.redis()
    keys = client.keys("message:*")
    return [key for key in keys if client.hget(key, "reference") == reference]


def refused(stage: Stage) -> list[dict[str, object]]:
    return stage.desk.call("GET", "/v1/submissions?limit=500")["items"]


def test_celery_and_plain_kombu_submit_alike(stage):
    submit(stage, app="orders", request={**REQUEST, "reference": "celery"})
    ours = {**REQUEST, "reference": "ours"}
    make_celery(stage.unit.settings).send_task(
        SUBMIT, kwargs={"app": "orders", "request": ours}, queue=SUBMIT, ignore_result=True
    )
    plain = [[], {"app": "orders", "request": {**REQUEST, "reference": "kombu"}}, {}]
    publish(stage, plain, headers={"task": SUBMIT, "id": str(ULID())})

    for reference in ("celery", "ours", "kombu"):
        stage.until(lambda r=reference: len(by_reference(stage, r)) == 1, f"the message of {reference}")


def test_a_task_that_is_sent_twice_is_one_message(stage):
    for _ in range(2):
        submit(stage, task_id="twice", app="orders", request={**REQUEST, "reference": "twice"})
    submit(stage, app="orders", request={**REQUEST, "reference": "after"})
    stage.until(lambda: bool(by_reference(stage, "after")), "the last one")

    assert len(by_reference(stage, "twice")) == 1


def test_what_nobody_can_read_is_listed_and_takes_nothing_along(stage):
    before = len(refused(stage))
    publish(stage, b"{", content_type="application/json", content_encoding="utf-8", serializer=None)
    publish(stage, [[], {}, {}], headers={"task": "no.such.task", "id": "1"})
    publish(stage, {"any": "thing"}, headers={"task": SUBMIT, "id": "2"})
    publish(stage, REQUEST)
    submit(stage, app="nobody", request=REQUEST)
    submit(stage, app="orders", request={**REQUEST, "reference": "still here"})

    stage.until(lambda: len(refused(stage)) == before + 5, "what is refused to be listed")
    stage.until(lambda: len(by_reference(stage, "still here")) == 1, "the good one")
    assert sorted(str(e["reason"]) for e in refused(stage)[:5]) == ["not_a_submission"] * 4 + ["unknown_app"]
    log = (stage.unit.log_dir / "submit.log").read_text()
    assert "393331234567" not in log
    assert "Ciao Anna" not in log


def store_of(stage: Stage) -> psutil.Process:
    port = int(stage.unit.settings.redis_url.reveal().rpartition(":")[2].partition("/")[0])

    def listens(process: psutil.Process) -> bool:
        return any(c.status == "LISTEN" and c.laddr.port == port for c in process.net_connections())

    return next(child for child in psutil.Process().children(recursive=True) if listens(child))


def test_what_comes_while_the_store_is_away_is_accepted_when_it_is_back(stage):
    store = store_of(stage)
    store.send_signal(signal.SIGSTOP)
    try:
        for number in range(3):
            submit(stage, app="orders", request={**REQUEST, "reference": f"away-{number}"})
        time.sleep(4)  # longer than the store's patience, so that each has been tried in vain
    finally:
        store.send_signal(signal.SIGCONT)

    for number in range(3):
        stage.until(lambda n=number: len(by_reference(stage, f"away-{n}")) == 1, f"the message {number}")
    log = (stage.unit.log_dir / "submit.log").read_text()
    assert "store_unavailable" in log
    assert log.count("store_unavailable") < 20  # no hot loop


def test_what_a_killed_worker_had_in_hand_is_accepted_once(stage):
    """Accepted or not when it died: what was not acknowledged comes again, and the task's id is its key."""
    store, references = store_of(stage), [f"killed-{number}" for number in range(12)]
    broker = Redis.from_url(broker_of(stage))
    store.send_signal(signal.SIGSTOP)
    try:
        for reference in references:
            submit(stage, app="orders", request={**REQUEST, "reference": reference})
        stage.until(lambda: broker.hlen(IN_HAND) >= AT_ONCE, "submissions in hand")
        stage.unit.supervisor.kill("submit", signal.SIGKILL)
    finally:
        store.send_signal(signal.SIGCONT)
    for tag in broker.zrange(f"{IN_HAND}_index", 0, -1):
        broker.zincrby(f"{IN_HAND}_index", -LATER_SECONDS, tag)

    for reference in references:
        stage.until(lambda r=reference: len(by_reference(stage, r)) == 1, f"the message of {reference}")
    stage.until(lambda: broker.hlen(IN_HAND) == 0, "all to be acknowledged", 20)
    broker.close()
    assert [len(by_reference(stage, reference)) for reference in references] == [1] * len(references)


def test_the_doors_worker_does_not_start_unless_it_is_wanted(monkeypatch):
    monkeypatch.delenv("FINESTRA_CELERY_DOOR", raising=False)

    with pytest.raises(SettingsError, match="FINESTRA_CELERY_DOOR"):
        build_app.__wrapped__()
