"""Redis frozen or killed among batches of webhooks: 503 in time, and each update is there once."""

import json
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import requests

from shared.configuration import Configuration
from shared.domain.identifiers import AttemptReference, ContactId, MessageId
from shared.domain.message import MessageState
from shared.store.keys import Keys
from tests.builders import NOW, World, cm_sender, wrote
from tests.play import accept, drain
from tests.public_door import meta_body, sign, text

pytestmark = pytest.mark.faults
BATCH = 100
META_BATCHES = 30
CM_BATCHES = 6
POSTERS = 8
LONGEST_SECONDS = 3
BACK_SECONDS = 5


@dataclass(frozen=True)
class Post:
    """What a provider posts again until it is answered 200."""

    url: str
    body: bytes
    headers: dict[str, str]

    def send(self) -> tuple[int, float]:
        started = time.monotonic()
        answer = requests.post(self.url, data=self.body, headers=self.headers, timeout=20)
        return answer.status_code, time.monotonic() - started

    def send_until_taken(self, answers: list[tuple[int, float]]) -> None:
        while not answers or answers[-1][0] != 200:
            answers.append(self.send())
            time.sleep(0.05)


def writer(number: int) -> ContactId:
    return ContactId(f"+39333{number:07}")


def of_meta(live, numbers: Sequence[int]) -> Post:
    """One message of each writer."""
    body = meta_body(*(text(writer(n).value.removeprefix("+"), id=f"wamid.{n}") for n in numbers))
    headers = sign(body, live.unit.development.secret("shop_app_secret"))
    return Post(f"{live.unit.addresses['receiver']}/webhooks/shop", body, headers)


def of_cm(live, ids: Sequence[MessageId]) -> Post:
    """Each message delivered."""
    status = {"code": "2", "errorCode": "", "errorDescription": ""}
    report = {"received": "2026-11-22T12:00:05", "to": "00393340000000", "status": status, "operator": ""}
    reports = [{**report, "reference": str(AttemptReference(message_id, 1))} for message_id in ids]
    body = json.dumps({"messages": {"msg": reports}}).encode()
    token = live.unit.development.secret("negozio_webhook_token")
    return Post(f"{live.unit.addresses['receiver']}/webhooks/negozio/{token}", body, {})


def submitted(world: World, count: int) -> list[MessageId]:
    """Messages that CM.com took and that wait for their statuses."""
    sender = world.deps.sender("negozio")
    contacts = [ContactId(f"+39334{number:07}") for number in range(count)]
    world.deps.recorder.record([(sender, wrote(contact=contact)) for contact in contacts], now=NOW)
    ids = [accept(world, sender="negozio", to=contact) for contact in contacts]
    drain(world, "negozio")
    assert all(
        record.state is MessageState.SUBMITTED for record in world.deps.messages.get_all("default", ids)
    )
    return ids


def version(world: World, contact: ContactId) -> str | None:
    """It grows with everything that is recorded about a contact."""
    return world.client.hget(Keys("default").contact(contact), "version")


@pytest.mark.parametrize("fault", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
def test_batches_posted_while_redis_is_away_are_there_once_when_repeated(stage, fault):
    live = stage("receiver")
    quick = Configuration(senders={"negozio": cm_sender(throughput_per_second=1e6)})
    world = World(live.redis(), configuration=quick)
    ids = submitted(world, CM_BATCHES * BATCH)
    meta = [of_meta(live, range(n * BATCH, (n + 1) * BATCH)) for n in range(META_BATCHES)]
    cm = [of_cm(live, ids[n * BATCH : (n + 1) * BATCH]) for n in range(CM_BATCHES)]
    assert meta[0].send()[0] == cm[0].send()[0] == 200
    answers = [[] for _ in (*meta, *cm)]

    with ThreadPoolExecutor(POSTERS) as posters:
        # Not one after the other: of each provider something is on its way when it happens.
        order = sorted(range(len(answers)), key=lambda n: (n % CM_BATCHES, n))
        done = [posters.submit([*meta, *cm][n].send_until_taken, answers[n]) for n in order]
        live.until(lambda: sum(map(bool, answers)) >= POSTERS, "batches on their way")
        live.unit.supervisor.kill("redis", fault)
        live.until(lambda: sum(each[0][0] == 503 for each in answers if each) >= POSTERS, "refusals")
        if fault is signal.SIGSTOP:
            live.unit.supervisor.kill("redis", signal.SIGCONT)
        live.until(live.unit.redis.answers, "Redis")
        live.until(lambda: meta[0].send()[0] == 200, "normal answers", BACK_SECONDS)
        live.until(lambda: all(one.done() for one in done), "the repeats")

    given = [answer for each in answers for answer in each]
    assert {status for status, _ in given} == {200, 503}
    assert max(seconds for _, seconds in given) < LONGEST_SECONDS
    assert {each[-1][0] for each in answers} == {200}
    of_meta(live, [META_BATCHES * BATCH]).send()
    once = version(world, writer(META_BATCHES * BATCH))
    assert {version(world, writer(n)) for n in range(META_BATCHES * BATCH)} == {once}
    records = world.deps.messages.get_all("default", ids)
    assert [[e["event"] for e in record.timeline].count("delivered") for record in records] == [1] * len(ids)
