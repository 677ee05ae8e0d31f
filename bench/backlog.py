"""Whether a long backlog costs more a message than a short one, and what waits costs while it waits."""

import time
from datetime import timedelta
from statistics import median

from bench.stage import show
from bench.works import works

_SENDER = "negozio"
_BATCH = 100
_WARM = 3_000


def run(*, rounds: int, short: int, long: int, deferred: int) -> None:
    _compare(rounds, short, long)
    if deferred:
        _defer(deferred)


def _compare(rounds: int, short: int, long: int) -> None:
    costs = [(_cost(short, times=5), _cost(long, times=1)) for _ in range(rounds)]
    ratios = [many / few for few, many in costs]
    show(
        "A backlog drained through CM.com, to the last record: CPU of worker and Redis a message",
        ("queued", "ms a message", "ratio"),
        [
            (f"{short:,}", f"{median(few for few, _ in costs):.3f}", "1.00"),
            (
                f"{long:,}",
                f"{median(many for _, many in costs):.3f}",
                f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            ),
        ],
    )


def _cost(messages: int, *, times: int) -> float:
    """Of a worker that is warm; so many backlogs, one after the other."""
    with works(latency_ms=20) as stage, stage.workers(slots=8):
        stage.write(_SENDER, times * messages + _WARM)
        stage.accept(_SENDER, _WARM)
        stage.wait_submitted(_SENDER, _WARM)
        spent = 0.0
        for start in range(_WARM, _WARM + times * messages, messages):
            stage.hold(_SENDER)
            stage.accept(_SENDER, messages, start)
            before = stage.burnt()
            stage.release(_SENDER)
            stage.wait_submitted(_SENDER, start + messages)
            burnt = stage.burnt() - before
            spent += burnt.workers + burnt.redis
    return spent / (times * messages) * 1000


def _defer(count: int) -> None:
    """What a worker takes with so many put off for an hour, and when one leaves that is due."""
    rows = []
    for deferred in (1_000, count):
        with works(latency_ms=20) as stage:
            stage.write(_SENDER, deferred + _WARM)
            stage.accept(_SENDER, deferred)
            stage.defer(_SENDER, stage.deps.clock.now() + timedelta(hours=1))
            with stage.workers(slots=8):
                stage.accept(_SENDER, _WARM - 1, start=deferred)
                stage.wait_taken(_WARM - 1)
                time.sleep(10)
                idle = stage.worker_bytes()
                started = time.time()
                stage.accept(_SENDER, 1, start=deferred + _WARM - 1)
                seconds = stage.wait_taken(_WARM)["last_at"] - started
        rows.append((f"{deferred:,}", f"{idle / 2**20:.0f} MiB", f"{seconds * 1000:,.0f} ms"))
    show(
        "Messages put off for an hour: the worker's memory, and when one that is due is at the provider",
        ("put off", "memory", "the due one"),
        rows,
    )
