"""What sending and receiving feel of neighbours that are dead or hang: Flower, scrapers, Sentry, apps.

Each fault is a pair of the same load, without it and with it; the ratio of the two is the figure. `python -m
bench.surroundings --long` takes more pairs.
"""

import base64
import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection

import redis

from bench.accepting import api, singles
from bench.offered import offer
from bench.receiver import signed
from bench.restarted import Restarted
from bench.stage import accepts, python, show
from bench.works import SECRET, Works, taken, works
from cli.ports import free_ports
from shared.store.keys import Keys

WEBHOOKS_PER_SECOND = 60
MESSAGES_PER_SECOND = 40
BUGS_PER_SECOND = 20
SCRAPERS = 150
#: What was held up by a fault is not to be part of what comes after it.
_REST_SECONDS = 2
_APPS = ("one", "two", "three")
_APP = """
[apps.{name}]
api_key = ["env:APP_{name}"]
scopes = ["events"]
callback_url = "http://127.0.0.1:{port}/events"
callback_secret = ["env:BENCH_CALLBACK_SECRET"]
callback_networks = ["127.0.0.0/8"]
"""
_SCRAPE = f"GET /metrics HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {SECRET}\r\n"
_CELERY = python("-m", "celery", "-A", "workers.app:app")

Fault = Callable[["Here"], contextlib.AbstractContextManager[None]]


@dataclass(slots=True)
class Felt:
    """Milliseconds, of all rounds together, and how many were not answered 20x."""

    webhook: list[float] = field(default_factory=list)
    accept: list[float] = field(default_factory=list)
    provider: list[float] = field(default_factory=list)
    failures: int = 0


class Here:
    """All processes, and their neighbours by name."""

    def __init__(self, stage: Works, neighbours: dict[str, int]) -> None:
        self.stage = stage
        self.door, self.internal, flower = free_ports(3)
        self._sent = 0
        gunicorn = python("-m", "gunicorn", "-c", "python:webhook.gunicorn_conf")
        receiver = (*gunicorn, "--bind", f"127.0.0.1:{self.door}", "webhook.wsgi:receiver()")
        shown = (*_CELERY, "flower", "--address=127.0.0.1", f"--port={flower}", "--read_only")
        self.units = {
            "receiver": self._unit("receiver", receiver, self.door),
            "api": self._unit("api", api(self.internal), self.internal),
            "flower": self._unit("flower", shown, flower),
        }
        for name, port in neighbours.items():
            self.units[name] = self._unit(name, python("-m", "bench.stub", str(port), "20"), port)

    def _unit(self, name: str, argv: Sequence[str], port: int) -> Restarted:
        environ = {**os.environ, **self.stage.environ}
        log = self.stage.folder / f"{name}.log"
        return Restarted(name=name, argv=argv, environ=environ, is_ready=lambda: accepts(port), log=log)

    def spoil(self) -> None:
        """Make a message over which the api stumbles; nobody sends it."""
        self.stage.hold("negozio")
        contact = {"to": "+393330000000", "sender": "negozio", "text": "ciao"}
        self._spoilt = json.loads(self._ask("/v1/messages", HTTPStatus.ACCEPTED, json.dumps(contact)))["id"]
        with redis.Redis.from_url(self.stage.url) as client:
            client.hset(Keys("default").message(self._spoilt), "request", "{}")

    @contextlib.contextmanager
    def stumbling(self) -> Iterator[None]:
        """The api has so many bugs a second to tell of."""
        ended = threading.Event()

        def stumble() -> None:
            while not ended.wait(1 / BUGS_PER_SECOND):
                self._ask(f"/v1/messages/{self._spoilt}", HTTPStatus.INTERNAL_SERVER_ERROR)

        with ThreadPoolExecutor(1) as threads:
            stumbling = threads.submit(stumble)
            try:
                yield
            finally:
                ended.set()
            stumbling.result()

    def _ask(self, path: str, expected: HTTPStatus, body: str | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
        with contextlib.closing(HTTPConnection("127.0.0.1", self.internal, timeout=20)) as connection:
            connection.request("POST" if body else "GET", path, body, headers)
            answer = connection.getresponse()
            if answer.status != expected:
                raise RuntimeError(f"{path} was answered {answer.status}")
            return answer.read()

    @contextlib.contextmanager
    def dead(self, name: str) -> Iterator[None]:
        self.units[name].stop()
        try:
            yield
        finally:
            self.units[name].start()

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        self.units[name].send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.units[name].send(signal.SIGCONT)

    @contextlib.contextmanager
    def scraped(self, more: str) -> Iterator[None]:
        """By so many who say this, read nothing and do not go."""
        with contextlib.ExitStack() as stack:
            for _ in range(SCRAPERS):
                scraper = stack.enter_context(socket.create_connection(("127.0.0.1", self.internal)))
                scraper.sendall((_SCRAPE + more).encode())
            yield

    def load(self, felt: Felt, seconds: int) -> None:
        """Webhooks and messages, each at its time, until all messages are at the provider."""
        stage, count = self.stage, MESSAGES_PER_SECOND * seconds
        first, self._sent = self._sent, self._sent + count
        stage.write("shop", count, first)
        started = time.time()
        messages = singles(count, first, due=lambda number: started + 0.1 + number / MESSAGES_PER_SECOND)
        with ThreadPoolExecutor(2) as loads:
            posts = signed(WEBHOOKS_PER_SECOND * seconds)
            hearing = loads.submit(offer, self.door, posts, per_second=WEBHOOKS_PER_SECOND)
            accepting = loads.submit(offer, self.internal, messages, per_second=MESSAGES_PER_SECOND)
            heard, accepted = hearing.result(), accepting.result()
        self._sent -= accepted.failures
        stage.wait_taken(self._sent)
        felt.webhook += heard.milliseconds
        felt.accept += accepted.milliseconds
        felt.provider += taken(stage.stub, "ages")[-count:]
        felt.failures += heard.failures + accepted.failures


#: What is done to whom, nothing for comparison; for Sentry there are bugs to tell of, without the fault too.
FAULTS: dict[str, Fault] = {
    "nothing": lambda _: contextlib.nullcontext(),
    "Flower dead": lambda here: here.dead("flower"),
    "Flower frozen": lambda here: here.frozen("flower"),
    f"{SCRAPERS} scrapers, half a request": lambda here: here.scraped("X-Slow: "),
    f"{SCRAPERS} scrapers that do not go": lambda here: here.scraped("Connection: close\r\n\r\n"),
    "Sentry dead": lambda here: here.dead("sentry"),
    "Sentry frozen": lambda here: here.frozen("sentry"),
    "apps dead": lambda here: here.dead("apps"),
    "apps frozen": lambda here: here.frozen("apps"),
}


def run(*, rounds: int, seconds: int) -> None:
    with _running() as here:
        here.load(Felt(), seconds)  # warms up
        rows = [_row(here, name, rounds, seconds) for name in FAULTS]
    show(
        f"Neighbours dead or hanging: {WEBHOOKS_PER_SECOND} webhooks and {MESSAGES_PER_SECOND} messages a "
        f"second, {rounds} times {seconds} s; p50 and p99 with the fault to without it",
        ("fault", "webhook", "POST /v1/messages", "to the provider", "not 20x"),
        rows,
    )


@contextlib.contextmanager
def _running() -> Iterator[Here]:
    apps, sentry = free_ports(2)
    secret = "whsec_" + base64.b64encode(b"bench" * 6).decode()
    os.environ.update({f"APP_{name}": f"key-{name}" for name in _APPS}, BENCH_CALLBACK_SECRET=secret)
    os.environ.update(
        FLOWER_BASIC_AUTH="oncall:bench", FINESTRA_SENTRY_DSN=f"http://key@127.0.0.1:{sentry}/7"
    )
    tables = "".join(_APP.format(name=name, port=apps) for name in _APPS)
    with works(latency_ms=50, apps=tables) as stage, stage.workers():
        here = Here(stage, {"apps": apps, "sentry": sentry})
        try:
            for unit in here.units.values():
                unit.start()
            here.spoil()
            yield here
        finally:
            for unit in here.units.values():
                unit.stop()


def _row(here: Here, name: str, rounds: int, seconds: int) -> tuple[str, ...]:
    also = here.stumbling if name.startswith("Sentry") else contextlib.nullcontext
    without, with_it = Felt(), Felt()
    for _ in range(rounds):
        with also():
            here.load(without, seconds)
            with FAULTS[name](here):
                here.load(with_it, seconds)
        time.sleep(_REST_SECONDS)
    shown = [
        _ratios(getattr(without, what), getattr(with_it, what)) for what in ("webhook", "accept", "provider")
    ]
    return name, *shown, str(with_it.failures)


def _ratios(without: Sequence[float], with_it: Sequence[float]) -> str:
    ranked = sorted(without), sorted(with_it)
    found = [[each[len(each) * percent // 100] for each in ranked] for percent in (50, 99)]
    return ", ".join(f"{felt / base:.2f}" for base, felt in found)


if __name__ == "__main__":
    is_long = "--long" in sys.argv
    run(rounds=10 if is_long else 3, seconds=4)
