"""Whether a rolling restart under load loses anything: each process in turn, with SIGTERM, all at work.

Two receivers behind our nginx, two workers, one api; `python -m bench.restarts --long` takes two minutes. Who
posts to the api repeats what was not answered, with the same Idempotency-Key.
"""

import contextlib
import http.client
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench import front
from bench.accepting import api
from bench.offered import Offered, offer
from bench.receiver import signed
from bench.restarted import Restarted
from bench.stage import accepts, python, show, wait_for
from bench.works import SECRET, Works, contacts, works
from cli.ports import free_ports
from shared.domain.identifiers import ContactId
from shared.queues import make_celery

WEBHOOKS_PER_SECOND = 60
MESSAGES_PER_SECOND = 40
_CALLERS = 8
_UNDER_WAY = ("queued", "sending", "deferred")
_PATIENCE_SECONDS = 30
_PAUSE_SECONDS = 0.5
_RECEIVER = python("-m", "gunicorn", "-c", "python:webhook.gunicorn_conf")
_WORKER = python("-m", "celery", "-A", "workers.app:app", "worker", "--without-gossip", "--without-mingle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What the api said to who posts."""

    ids: frozenset[str]
    #: Posts that had to be repeated, because nobody answered.
    repeated: int
    unanswered: int


def run(*, seconds: int) -> None:
    """Raises if nginx is not installed: without it there is nothing to see."""
    if not front.is_installed():
        raise RuntimeError("nginx is not installed")
    count = MESSAGES_PER_SECOND * seconds
    with works(latency_ms=100) as stage:
        stage.write("shop", count)
        heard_before = _heard(stage)
        with _running(stage) as (units, door, internal), ThreadPoolExecutor(2) as loads:
            posts = signed(WEBHOOKS_PER_SECOND * seconds)
            hearing = loads.submit(offer, door, posts, per_second=WEBHOOKS_PER_SECOND)
            accepting = loads.submit(_post_messages, internal, count)
            _restart_until(units, time.monotonic() + seconds)
            webhooks, accepted = hearing.result(), accepting.result()
            _wait_settled(stage)
            heard = _heard(stage) - heard_before
        _show(seconds, stage, units, webhooks, heard, accepted)


@contextlib.contextmanager
def _running(stage: Works) -> Iterator[tuple[list[Restarted], int, int]]:
    """The processes, nginx' port and the api's."""
    one, other, internal = free_ports(3)
    units = [_receiver(stage, one), _worker(stage, 1), _receiver(stage, other), _worker(stage, 2)]
    units.append(_unit(stage, "api", api(internal), lambda: accepts(internal)))
    try:
        for unit in units:
            unit.start()
        with front.nginx(stage.folder, f"127.0.0.1:{one}", f"127.0.0.1:{other}") as door:
            yield units, door, internal
    finally:
        for unit in units:
            unit.stop()


def _receiver(stage: Works, port: int) -> Restarted:
    argv = (*_RECEIVER, "--bind", f"127.0.0.1:{port}", "webhook.wsgi:receiver()")
    return _unit(stage, f"receiver at {port}", argv, lambda: accepts(port))


def _worker(stage: Works, number: int) -> Restarted:
    name = f"rolling{number}@bench"
    celery = make_celery(stage.deps.settings, socket_timeout_seconds=1)
    return _unit(
        stage,
        f"worker {number}",
        (*_WORKER, "-n", name),
        lambda: bool(celery.control.ping(destination=[name], timeout=0.3)),
    )


def _unit(stage: Works, name: str, argv: Sequence[str], is_ready: Callable[[], bool]) -> Restarted:
    return Restarted(name=name, argv=argv, environ={**os.environ, **stage.environ}, is_ready=is_ready)


def _restart_until(units: Sequence[Restarted], deadline: float) -> None:
    """Round by round; the one that is under way when the time is over is the last."""
    while True:
        for unit in units:
            time.sleep(_PAUSE_SECONDS)
            unit.restart()
            if time.monotonic() > deadline and all(unit.exit_codes for unit in units):
                return


def _post_messages(port: int, count: int) -> Accepted:
    """Each leaves at its time, whatever became of those before."""
    started = time.monotonic()

    def post(numbered: tuple[int, ContactId]) -> tuple[str | None, int]:
        number, contact = numbered
        time.sleep(max(0.0, started + number / MESSAGES_PER_SECOND - time.monotonic()))
        return _accepted(port, contact, f"rolling-{number}")

    with ThreadPoolExecutor(_CALLERS) as callers:
        answers = list(callers.map(post, enumerate(contacts(count))))
    ids = [found for found, _ in answers if found is not None]
    return Accepted(
        ids=frozenset(ids),
        repeated=sum(tries > 1 for _, tries in answers),
        unanswered=count - len(ids),
    )


def _accepted(port: int, contact: ContactId, key: str) -> tuple[str | None, int]:
    """The message's id, and how often it was asked for."""
    body = json.dumps({"to": contact.value, "sender": "shop", "text": f"{time.time():.4f}"})
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {SECRET}",
        "Idempotency-Key": key,
    }
    deadline, tries = time.monotonic() + _PATIENCE_SECONDS, 0
    while time.monotonic() < deadline:
        tries += 1
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            with contextlib.closing(connection):
                connection.request("POST", "/v1/messages", body, headers)
                answer = connection.getresponse()
                if answer.status == http.HTTPStatus.ACCEPTED:
                    return json.loads(answer.read())["id"], tries
        time.sleep(0.1)
    return None, tries


def _heard(stage: Works) -> int:
    now = stage.deps.clock.now()
    counted = stage.deps.metrics.read(now=now)["inbound_messages_total"]
    return int(sum(counted.values()))


def _wait_settled(stage: Works) -> None:
    """Nothing waits and nothing is in hand. What stays there shows in the table."""
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: not any(stage.count("shop", state) for state in _UNDER_WAY), "the rest", 90)


def _show(
    seconds: int,
    stage: Works,
    units: Sequence[Restarted],
    webhooks: Offered,
    heard: int,
    accepted: Accepted,
) -> None:
    taken = stage.taken()
    sent, offered = taken["messages"] - taken["repeated"], WEBHOOKS_PER_SECOND * seconds
    show(
        f"Rolling restarts for {seconds} s, one process after the other",
        ("process", "stopped", "left by itself", "longest stop"),
        [unit.row() for unit in units],
    )
    show(
        f"Meanwhile: {WEBHOOKS_PER_SECOND} webhooks and {MESSAGES_PER_SECOND} messages a second",
        ("what", "number"),
        [
            ("webhooks offered", f"{offered:,}"),
            ("webhooks unanswered or not 200", str(webhooks.failures)),
            ("webhooks answered 200 and not recorded", str(offered - webhooks.failures - heard)),
            ("webhooks, p99", f"{webhooks.percentile(99):,.0f} ms"),
            ("messages accepted", f"{len(accepted.ids):,}"),
            ("posts to the api that were repeated", str(accepted.repeated)),
            ("posts to the api never answered", str(accepted.unanswered)),
            ("messages lost: accepted, not at the provider", str(len(accepted.ids) - sent)),
            ("messages at the provider twice", str(taken["repeated"])),
            ("messages in doubt", str(stage.count("shop", "unknown"))),
        ],
    )


if __name__ == "__main__":
    run(seconds=120 if "--long" in sys.argv else 30)
