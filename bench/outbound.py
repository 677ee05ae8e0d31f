"""Messages handed over to a provider that takes 100 ms, against the loop that one would write by hand.

Same stub, same Redis, as many processes with as many requests at once. A backlog is there and all workers are
up before anything may leave; the figure counts from the first request to the last by what the stub saw, and
each message came once. Ours also orders, limits, decides, records and explains each message, and what a crash
leaves is known.
"""

import os
import subprocess
from statistics import median

import redis
from celery import Celery

from bench.handwritten import send
from bench.stage import python, show, wait_for
from bench.works import Drained, contacts, works
from shared.queues import make_celery
from shared.settings import load_settings

LATENCY_MS = 100
#: Processes, as many as the machine has cores, and requests at once of each.
WORKERS, SLOTS = 2, 128
#: So many more where a request carries a hundred: else it is over before both processes are at it.
BATCHED = 8
_META, _CM = "shop", "negozio"


def run(*, rounds: int, messages: int) -> None:
    by_hand, meta, batches = [], [], []
    for _ in range(rounds):  # side by side: a neighbour of ours slows them all
        by_hand.append(_drain_by_hand(messages // 4))  # it takes its time
        meta.append(_drain(_META, messages))
        batches.append(_drain(_CM, BATCHED * messages))
    show(
        f"Handed over: a provider that takes {LATENCY_MS} ms, {WORKERS} processes of {SLOTS} requests each",
        ("what", "messages/s", "to by hand", "ms of CPU a message: worker, Redis, stub"),
        [
            _row("by hand: a task a message, EXISTS, requests.post", by_hand, by_hand),
            _row(f"Meta, one request a message, {messages:,}", meta, by_hand),
            _row(f"CM.com, 100 a request, {BATCHED * messages:,}", batches, by_hand),
        ],
    )


def _row(what: str, drained: list[Drained], by_hand: list[Drained]) -> tuple[str, ...]:
    ratios = [mine.per_second / theirs.per_second for mine, theirs in zip(drained, by_hand, strict=True)]
    spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 else ""
    spent = [(each.workers_ms, each.redis_ms, each.stub_ms) for each in drained]
    shown = ", ".join(f"{median(part):.2f}" for part in zip(*spent, strict=True))
    rate = median(each.per_second for each in drained)
    return what, f"{rate:,.0f}", f"{median(ratios):.2f}{spread}", shown


def _drain(sender: str, messages: int) -> Drained:
    with works(latency_ms=LATENCY_MS) as stage:
        stage.hold(sender)
        stage.write(sender, messages)
        stage.accept(sender, messages)
        with stage.workers(WORKERS, slots=WORKERS * SLOTS):
            _wait_up(make_celery(load_settings()))
            stage.release(sender)
            return stage.drain(messages)


def _wait_up(app: Celery) -> None:
    """Starting a worker takes a second or two of a core, which is no part of the figure."""
    wait_for(lambda: len(app.control.ping(timeout=0.5) or ()) == WORKERS, "all workers")


def _drain_by_hand(messages: int) -> Drained:
    with works(latency_ms=LATENCY_MS) as stage:
        environ = {
            "BENCH_REDIS": stage.url,
            "BENCH_BROKER": stage.url.removesuffix("/0") + "/1",
            "BENCH_PROVIDER": f"http://127.0.0.1:{stage.stub}/v24.0/106540352242922/messages",
        }
        producer = python("-m", "bench.outbound", str(messages))
        subprocess.run(producer, env={**os.environ, **environ}, check=True)
        worker = python(
            "-m", "celery", "-A", "bench.handwritten:app", "worker", "-P", "threads", "-c", str(SLOTS),
            "--without-gossip", "--without-mingle", "-l", "ERROR", "-Q", "nothing",
        )  # fmt: skip
        app = Celery(broker=environ["BENCH_BROKER"], set_as_current=False)
        with stage.metered([(*worker, "-n", f"hand{number}@%h") for number in range(WORKERS)], environ):
            _wait_up(app)
            app.control.add_consumer("celery")
            return stage.drain(messages)


def publish(messages: int) -> None:
    """Windows and tasks of the loop by hand."""
    with redis.Redis.from_url(os.environ["BENCH_REDIS"]) as windows:
        for contact in contacts(messages):
            windows.set(f"window:{contact}", "1", ex=86400)
    for contact in contacts(messages):
        send.delay(contact.value, "Il tuo ordine è pronto.")


if __name__ == "__main__":
    import sys

    publish(int(sys.argv[1]))
