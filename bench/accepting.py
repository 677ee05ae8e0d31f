"""Accepting at the internal door: one message a POST against a no-op Flask POST, batches, and the way out.

Same server, same options, one worker each; the rounds alternate. Each message is to a contact of its own.
"""

import json
import time
from collections.abc import Callable
from statistics import median

from bench.offered import Offered, offer
from bench.stage import accepts, hammer, post_bytes, process, python, show, wait_for
from bench.works import SECRET, Works, contacts, taken, works
from cli.ports import free_ports
from shared.domain.identifiers import ContactId

POSTS = 1_000
BATCH = 1_000
BATCHES = 12
_GUNICORN = python("-m", "gunicorn", "-c", "python:webhook.gunicorn_conf")
_HEADERS = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}
OFFERED_PER_SECOND = 100
_WARM = 50


def run(*, rounds: int, seconds: int) -> None:
    _compare(rounds)
    _time_the_way(seconds)


def _compare(rounds: int) -> None:
    """One worker each for what is compared; batches get the workers of our configuration."""
    ours, noop, both = free_ports(3)
    single, nothing, batched = [], [], []
    with (
        works(latency_ms=20) as stage,
        process(api(ours, "--workers", "1"), stage.environ),
        process((*_GUNICORN, "--workers", "1", "--bind", f"127.0.0.1:{noop}", "bench.noop:app()"), {}),
        process(api(both), stage.environ),
    ):
        wait_for(lambda: all(accepts(port) for port in (ours, noop, both)), "servers")
        for number, count in enumerate([100, *[POSTS] * rounds]):  # the first is a warm-up
            start = number * 100_000
            stage.write("shop", count, start)
            single.append(count / hammer(ours, singles(count, start)))
            nothing.append(count / hammer(noop, _nothings(count, start)))
            batches = _batches(BATCHES, start + 50_000)
            batched.append(BATCHES * BATCH / hammer(both, batches, connections=4))
    ratios = [mine / other for mine, other in zip(single, nothing, strict=True)][1:]
    show(
        "Accepting (gunicorn gthread): validated, written with fsync, answered with a forecast",
        ("what", "per second", "ratio"),
        [
            ("no-op Flask POST, same body, 1 worker", f"{median(nothing[1:]):,.0f} POST", "1.00"),
            (
                "POST /v1/messages, 1 worker",
                f"{median(single[1:]):,.0f} POST",
                f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            ),
            (
                f"POST /v1/messages/batch, {BATCH:,} messages, 2 workers",
                f"{median(batched[1:]):,.0f} messages",
                f"({min(batched[1:]):,.0f} to {max(batched[1:]):,.0f})",
            ),
        ],
    )


def _time_the_way(seconds: int) -> None:
    """From the POST of an app, or rather from when it was due, to the request at the provider."""
    (port,) = free_ports(1)
    count = OFFERED_PER_SECOND * seconds
    with works(latency_ms=100) as stage, process(api(port), stage.environ), stage.workers():
        wait_for(lambda: accepts(port), "api")
        stage.write("shop", count + _WARM)
        _warm(stage, port, count)
        started_at = time.time()
        posts = singles(count, 0, due=lambda number: started_at + 0.1 + number / OFFERED_PER_SECOND)
        offered = offer(port, posts, per_second=OFFERED_PER_SECOND)
        stage.wait_taken(count + _WARM)
        ages = sorted(taken(stage.stub, "ages")[_WARM:])
    show(
        f"{OFFERED_PER_SECOND} a second offered for {seconds} s: from the moment that a POST was due",
        ("to", "p50", "p99", "most"),
        [_shown("its answer, 202", offered), _percentiles("the request at the provider", ages)],
    )


def _warm(stage: Works, port: int, start: int) -> None:
    hammer(port, singles(_WARM, start), connections=2)
    wait_for(lambda: stage.taken()["messages"] == _WARM, "the first messages")


def _shown(what: str, offered: Offered) -> tuple[str, ...]:
    if offered.failures:
        return what, f"{offered.failures} failed", "", ""
    return _percentiles(what, offered.milliseconds)


def _percentiles(what: str, sorted_ms: list[float]) -> tuple[str, ...]:
    ranks = (len(sorted_ms) // 2, len(sorted_ms) * 99 // 100, len(sorted_ms) - 1)
    return what, *(f"{sorted_ms[rank]:,.0f} ms" for rank in ranks)


def api(port: int, *options: str) -> tuple[str, ...]:
    return (*_GUNICORN, *options, "--threads", "48", "--bind", f"127.0.0.1:{port}", "webhook.wsgi:api()")


def singles(count: int, start: int, due: Callable[[int], float] = lambda _: 0.0) -> list[bytes]:
    """`due`: when each leaves, which the stub compares with when it comes."""
    return [
        post_bytes("/v1/messages", json.dumps(_message(contact, due(number))).encode(), _HEADERS)
        for number, contact in enumerate(contacts(count, start))
    ]


def _nothings(count: int, start: int) -> list[bytes]:
    return [
        post_bytes("/webhooks/noop", json.dumps(_message(contact, 0.0)).encode(), _HEADERS)
        for contact in contacts(count, start)
    ]


def _batches(count: int, start: int) -> list[bytes]:
    documents = [
        {"messages": [_message(contact, 0.0) for contact in contacts(BATCH, start + number * BATCH)]}
        for number in range(count)
    ]
    return [post_bytes("/v1/messages/batch", json.dumps(each).encode(), _HEADERS) for each in documents]


def _message(contact: ContactId, due_at: float) -> dict[str, str]:
    return {"to": contact.value, "sender": "shop", "text": f"{due_at:.4f}"}
