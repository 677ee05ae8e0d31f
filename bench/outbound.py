"""From acceptance to the provider: our drain against the loop that one would write by hand.

Same provider (a stub on loopback that takes 20 ms), same Redis, one worker process and as many requests at
once. Ours also accepts idempotently, orders, limits, decides, records and explains each message.
"""

import os
import statistics
import subprocess
import tempfile
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

from bench.stage import accepts, process, python, redis_server, show, wait_for
from cli.ports import free_ports

SLOTS = 64
LATENCY_MS = 20
_CONFIG = """
[senders.shop]
provider = "meta"
number = "+15550783881"
phone_number_id = "106540352242922"
business_account_id = "102290129340398"
access_token = "env:BENCH_SECRET"
app_secret = ["env:BENCH_SECRET"]
verify_token = "env:BENCH_SECRET"
base_url = "http://127.0.0.1:{port}"
throughput_per_second = 100000
"""


def run(*, rounds: int, messages: int) -> None:
    ours, theirs = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as url:
            ours.append(_measure_ours(Path(folder), url, messages))
        with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as url:
            theirs.append(_measure_theirs(url, messages))
    our_rate, their_rate = statistics.median(ours), statistics.median(theirs)
    # Neighbours come and go: a pair that ran side by side says more than two medians.
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    show(
        f"Outbound: {messages:,} messages and contacts, one worker process, {SLOTS} requests at once",
        ("what", "messages/s", "ratio"),
        [
            ("by hand: a task a message, EXISTS, requests.post", f"{their_rate:,.0f}", "1.00"),
            (
                "Finestra: accept, claim, decide, begin, send, settle",
                f"{our_rate:,.0f}",
                f"{ratio:.2f}",
            ),
        ],
    )


def _measure_ours(folder: Path, url: str, messages: int) -> float:
    (stub,) = free_ports(1)
    config = folder / "finestra.toml"
    config.write_text(_CONFIG.format(port=stub))
    environ = {
        "FINESTRA_REDIS_URL": url,
        "FINESTRA_CONFIG": str(config),
        "FINESTRA_WORKER_SLOTS": str(SLOTS),
        "BENCH_SECRET": "x",
    }
    worker = python(
        "-m",
        "celery",
        "-A",
        "workers.app:app",
        "worker",
        "--without-gossip",
        "--without-mingle",
        "-l",
        "ERROR",
    )
    os.environ.update(environ)
    with process(python("-m", "bench.stub", str(stub), str(LATENCY_MS)), {}), process(worker, environ):
        wait_for(lambda: accepts(stub), "stub")
        return _rate(python("-m", "bench.outbound", "accept", str(messages)), environ, stub, messages)


def _measure_theirs(url: str, messages: int) -> float:
    (stub,) = free_ports(1)
    environ = {
        "BENCH_REDIS": url,
        "BENCH_BROKER": url.removesuffix("/0") + "/1",
        "BENCH_PROVIDER": f"http://127.0.0.1:{stub}/v24.0/106540352242922/messages",
    }
    worker = python(
        "-m", "celery", "-A", "bench.handwritten:app", "worker", "-P", "threads", "-c", str(SLOTS),
        "--without-gossip", "--without-mingle", "-l", "ERROR",
    )  # fmt: skip
    with process(python("-m", "bench.stub", str(stub), str(LATENCY_MS)), {}), process(worker, environ):
        wait_for(lambda: accepts(stub), "stub")
        return _rate(python("-m", "bench.outbound", "publish", str(messages)), environ, stub, messages)


def _rate(producer: tuple[str, ...], environ: dict[str, str], stub: int, messages: int) -> float:
    """Messages a second from the first one handed in to the last one taken. The worker is warm by then."""
    time.sleep(4)
    child = subprocess.Popen(producer, env={**os.environ, **environ}, stdout=subprocess.PIPE)
    started = float(child.stdout.readline())
    wait_for(lambda: _taken(stub) >= messages, "all messages", 120)
    seconds = time.time() - started
    child.wait()
    return messages / seconds


def _taken(stub: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{stub}/", timeout=5) as answer:
        return int(answer.read())


def _contacts(messages: int) -> list[str]:
    return [f"+39333{number:07}" for number in range(messages)]


def accept(messages: int) -> None:
    """Hand in as the API does, with the windows open; prints when the first one is handed in."""
    from shared.deps import build_deps
    from shared.domain.events import MessageReceived
    from shared.domain.identifiers import ContactId
    from shared.domain.message import MessageRequest
    from shared.domain.session_content import Text
    from shared.domain.window import InboundKind
    from shared.queues import Doorbell
    from shared.settings import load_settings
    from shared.store.messages import Acceptance

    settings = load_settings()
    deps = build_deps(settings, Doorbell(settings).ring)
    sender = deps.sender("shop")
    now = deps.clock.now()
    contacts = [ContactId(number) for number in _contacts(messages)]
    for contact in contacts:
        wrote = MessageReceived(
            recipient="", contact=contact, event_id=contact.value, kind=InboundKind.TEXT, at=now, text="ciao"
        )
        deps.recorder.record([(sender, wrote)], now=now)
    print(time.time(), flush=True)
    for contact in contacts:
        request = MessageRequest(
            to=contact,
            sender="shop",
            content=Text("Il tuo ordine è pronto."),
            expires_at=now + timedelta(days=1),
        )
        acceptance = Acceptance(message_id=deps.new_message_id(), app="bench", request=request)
        accepted = deps.messages.accept(sender, acceptance, now=deps.clock.now())
        if accepted.must_ring:
            deps.ring(sender)


def publish(messages: int) -> None:
    import redis

    from bench.handwritten import send

    windows = redis.Redis.from_url(os.environ["BENCH_REDIS"])
    contacts = _contacts(messages)
    for contact in contacts:
        windows.set(f"window:{contact}", "1", ex=86400)
    print(time.time(), flush=True)
    for contact in contacts:
        send.delay(contact, "Il tuo ordine è pronto.")


if __name__ == "__main__":
    import sys

    {"accept": accept, "publish": publish}[sys.argv[1]](int(sys.argv[2]))
