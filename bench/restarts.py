"""Whether a rolling restart under load loses anything: each process in turn, all at work.

Two receivers behind our nginx, two workers, one api, Flower and the Celery door's worker get SIGTERM and are
started again, nginx reads its configuration anew; `python -m bench.restarts --long` takes two minutes.
Who posts to the api repeats what was not answered. Redis is the one that cannot be rolled.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench import front
from bench.accepting import api
from bench.handing import FIRST_CONTACT, hand_in
from bench.insisting import Accepted, post_messages
from bench.offered import Offered, offer
from bench.reasons import explain
from bench.receiver import signed
from bench.restarted import Reloaded, Restarted, restarted_receiver
from bench.stage import answers, python, show, wait_for
from bench.works import Works, works
from cli.ports import free_ports
from shared.queues import make_celery

WEBHOOKS_PER_SECOND = 60
MESSAGES_PER_SECOND = 40
HANDED_PER_SECOND = 5
_PAUSE_SECONDS = 0.5
_CELERY = python("-m", "celery", "-A", "workers.app:app")
_WORKER = ("worker", "--without-gossip", "--without-mingle", "--loglevel", "WARNING")
_DOOR = python("-m", "celery", "-A", "workers.door:app", *_WORKER, "-n", "door@bench")
_Unit = Restarted | Reloaded


def run(*, seconds: int) -> None:
    """Raises if nginx is not installed: without it there is nothing to see."""
    if not front.is_installed():
        raise RuntimeError("nginx is not installed")
    with works(latency_ms=100) as stage:
        count, handed = MESSAGES_PER_SECOND * seconds, HANDED_PER_SECOND * seconds
        stage.watch_stalls()
        stage.write("shop", count)
        stage.write("shop", handed, FIRST_CONTACT)
        heard_before = _heard(stage)
        with _running(stage) as (units, door, internal), ThreadPoolExecutor(3) as loads:
            posts = signed(WEBHOOKS_PER_SECOND * seconds)
            hearing = loads.submit(offer, door, posts, per_second=WEBHOOKS_PER_SECOND)
            accepting = loads.submit(post_messages, internal, count, per_second=MESSAGES_PER_SECOND)
            handing = loads.submit(hand_in, stage, handed, per_second=HANDED_PER_SECOND)
            _restart_until(units, time.monotonic() + seconds)
            webhooks, accepted = hearing.result(), accepting.result()
            owed = len(accepted.ids) + handing.result()
            _wait_sent(stage, owed)
            heard = _heard(stage) - heard_before
        _show_units(seconds, units)
        _show_work(stage, webhooks, heard, accepted, owed)
        logs = [unit.log for unit in units if isinstance(unit, Restarted)]
        explain(webhooks, stage.folder / "nginx.log", logs)


@contextlib.contextmanager
def _running(stage: Works) -> Iterator[tuple[list[_Unit], int, int]]:
    """The processes, nginx' port and the api's."""
    one, other, internal, shown = free_ports(4)
    processes = [
        restarted_receiver("receiver 1", stage.folder, stage.environ, one),
        _worker(stage, 1),
        restarted_receiver("receiver 2", stage.folder, stage.environ, other),
        _worker(stage, 2),
        _unit(stage, "api", api(internal), lambda: answers(internal, "/readyz")),
        # It says to nobody that it is ready: until then what is handed in waits in the broker.
        _unit(stage, "submit", _DOOR, lambda: True, FINESTRA_CELERY_DOOR="1"),
        _flower(stage, shown),
    ]
    try:
        for unit in processes:
            unit.start()
        with front.nginx(stage.folder, f"127.0.0.1:{one}", f"127.0.0.1:{other}") as door:
            yield (
                [*processes, Reloaded(name="nginx (reload)", pid_file=stage.folder / "nginx.pid")],
                door,
                internal,
            )
    finally:
        for unit in processes:
            unit.stop()


def _worker(stage: Works, number: int) -> Restarted:
    name = f"rolling{number}@bench"
    celery = make_celery(stage.deps.settings, socket_timeout_seconds=1)
    return _unit(
        stage,
        f"worker {number}",
        (*_CELERY, *_WORKER, "-n", name),
        lambda: bool(celery.control.ping(destination=[name], timeout=0.3)),
    )


def _flower(stage: Works, port: int) -> Restarted:
    argv = (*_CELERY, "flower", "--address=127.0.0.1", f"--port={port}", "--read_only")
    return _unit(
        stage, "flower", argv, lambda: answers(port, "/healthcheck"), FLOWER_BASIC_AUTH="oncall:bench"
    )


def _unit(
    stage: Works, name: str, argv: Sequence[str], is_ready: Callable[[], bool], **settings: str
) -> Restarted:
    log = stage.folder / f"{name.replace(' ', '-')}.log"
    environ = {**os.environ, **stage.environ, **settings}
    return Restarted(name=name, argv=argv, environ=environ, is_ready=is_ready, log=log)


def _restart_until(units: Sequence[_Unit], deadline: float) -> None:
    """Round by round; the one that is under way when the time is over is the last."""
    while True:
        for unit in units:
            time.sleep(_PAUSE_SECONDS)
            unit.restart()
            if time.monotonic() > deadline and all(unit.stops_seconds for unit in units):
                return


def _wait_sent(stage: Works, owed: int) -> None:
    """What does not come shows in the table."""
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: stage.taken()["messages"] >= owed, "the rest", 90)


def _heard(stage: Works) -> int:
    now = stage.deps.clock.now()
    counted = stage.deps.metrics.read(now=now)["inbound_messages_total"]
    return int(sum(counted.values()))


def _show_units(seconds: int, units: Sequence[_Unit]) -> None:
    show(
        f"Rolling restarts for {seconds} s, one process after the other",
        ("process", "stopped", "left by itself", "longest stop"),
        [unit.row() for unit in units],
    )


def _show_work(stage: Works, webhooks: Offered, heard: int, accepted: Accepted, owed: int) -> None:
    taken = stage.taken()
    answered = len(webhooks.milliseconds)
    show(
        f"Meanwhile: {WEBHOOKS_PER_SECOND} webhooks, {MESSAGES_PER_SECOND} messages to the api and "
        f"{HANDED_PER_SECOND} to the Celery door a second",
        ("what", "number"),
        [
            ("webhooks offered", f"{answered + webhooks.failures:,}"),
            ("webhooks unanswered or not 200", str(webhooks.failures)),
            ("webhooks answered 200 and not recorded", str(max(0, answered - heard))),
            ("webhooks, median, p99 and longest", _times(webhooks)),
            ("messages accepted or handed in", f"{owed:,}"),
            ("posts to the api that were repeated", str(accepted.repeated)),
            ("posts to the api never answered", str(accepted.unanswered)),
            ("messages lost: not at the provider", str(owed - taken["messages"] + taken["repeated"])),
            ("messages at the provider twice", str(taken["repeated"])),
            ("messages in doubt", str(stage.count("shop", "unknown"))),
            ("what held Redis up longest", _stalls(stage)),
        ],
    )


def _times(webhooks: Offered) -> str:
    return ", ".join(f"{webhooks.percentile(percent):,.0f}" for percent in (50, 99, 99.999)) + " ms"


def _stalls(stage: Works) -> str:
    return (
        ", ".join(f"{event} {longest:,} ms" for event, longest in sorted(stage.stalls_ms().items()))
        or "nothing"
    )


if __name__ == "__main__":
    run(seconds=120 if "--long" in sys.argv else 30)
