"""Whether a long backlog costs more a message than a short one, and what waits costs while it waits."""

import time
from statistics import median

from bench.stage import show, wait_for
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
    """All put off for an hour by the provider; then one that is due."""
    with works(latency_ms=20) as stage:
        stage.write(_SENDER, count + 1)
        stage.accept(_SENDER, count)
        stage.refuse(-(-count // _BATCH) * 2)
        with stage.workers(slots=8):
            wait_for(lambda: stage.taken()["refused"] >= _BATCH, "the first refusals")
            early = stage.worker_bytes()
            wait_for(lambda: stage.count(_SENDER, "deferred") == count, "all to be deferred", 300)
            stage.refuse(0)
            late = stage.worker_bytes()
            time.sleep(10)
            idle = stage.worker_bytes()
            started = time.time()
            stage.accept(_SENDER, 1, start=count)
            seconds = stage.wait_taken(1)["last_at"] - started
    show(
        f"{count:,} messages deferred for an hour by a provider that answers 503",
        ("what", "figure"),
        [
            ("worker's memory at the first, at the last, 10 s later", _megabytes(early, late, idle)),
            ("one that is due, from acceptance to the provider", f"{seconds * 1000:,.0f} ms"),
        ],
    )


def _megabytes(*sizes: int) -> str:
    return ", ".join(f"{size / 2**20:.0f}" for size in sizes) + " MiB"
