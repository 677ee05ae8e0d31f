"""The works: Redis, the provider's stub, workers on a configuration of ours, and a meter of what they burn.

Messages are handed in as the API does, without its HTTP; each bench says whether that is part of its figure.
"""

import contextlib
import json
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import redis

from bench.stage import accepts, process, python, redis_server, sender_of, wait_for
from cli.ports import free_ports
from shared.clock import ServerClock
from shared.configuration import AnySender
from shared.deps import Deps, assemble
from shared.domain.events import MessageReceived
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageRequest, MessageState
from shared.domain.session_content import Text
from shared.domain.window import InboundKind
from shared.queues import Doorbell
from shared.settings import load_settings
from shared.store.claims import Claim, Outcome, Settle
from shared.store.connection import connect, server_time
from shared.store.data_version import check_at_start
from shared.store.messages import Acceptance, Accepted

_AT_ONCE = 200
#: More than any bench queues.
_BACKLOG = 1_000_000
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

[senders.negozio]
provider = "cm"
number = "+390212345678"
product_token = "env:BENCH_SECRET"
webhook_token = ["env:BENCH_SECRET"]
template_namespace = "0a1b2c3d_0000_1111_2222_333344445555"
base_url = "http://127.0.0.1:{port}"
throughput_per_second = 100000
batch_size = 100

[apps.bench]
api_key = ["env:BENCH_SECRET"]
scopes = ["messages", "contacts"]
"""
SECRET = "bench-secret"
_WORKER = python(
    "-m", "celery", "-A", "workers.app:app", "worker", "--without-gossip", "--without-mingle", "-l", "ERROR",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Burnt:
    """Seconds of CPU, user and system together."""

    workers: float
    redis: float
    stub: float

    def __sub__(self, earlier: "Burnt") -> "Burnt":
        return Burnt(self.workers - earlier.workers, self.redis - earlier.redis, self.stub - earlier.stub)


@dataclass(frozen=True, slots=True)
class Drained:
    """A backlog that was there before the workers were, from the first request to the last."""

    messages: int
    per_second: float
    #: Milliseconds of CPU a message.
    workers_ms: float
    redis_ms: float
    stub_ms: float


class Works:
    """One Redis, one stub; workers when they are started. In the environment while it stands."""

    def __init__(self, folder: Path, url: str, stub: int, stub_pid: int, environ: dict[str, str]) -> None:
        self.environ = environ
        self.url = url
        self.folder = folder
        self.stub = stub
        self._stub_pid = stub_pid
        self._workers: list[int] = []
        self.deps = _deps()

    def workers(self, count: int = 1, *, slots: int = 128) -> contextlib.AbstractContextManager[None]:
        """Slots in flight, shared among the workers as `finestra up` does it."""
        environ = {**self.environ, "FINESTRA_WORKER_SLOTS": str(slots // count)}
        return self.metered([(*_WORKER, "-n", f"bench{number}@%h") for number in range(count)], environ)

    @contextlib.contextmanager
    def metered(self, commands: Sequence[tuple[str, ...]], environ: dict[str, str]) -> Iterator[None]:
        """Run what counts as worker."""
        with contextlib.ExitStack() as stack:
            children = [stack.enter_context(process(command, environ)) for command in commands]
            self._workers = [child.pid for child in children]
            yield

    def write(self, sender: str, count: int, start: int = 0) -> None:
        """So many contacts write, and their windows are open."""
        deps, now = self.deps, self.deps.clock.now()
        updates = [(sender_of(deps, sender), _wrote(contact, now)) for contact in contacts(count, start)]
        for first in range(0, count, _AT_ONCE):
            deps.recorder.record(updates[first : first + _AT_ONCE], now=now)

    def accept(self, sender: str, count: int, start: int = 0) -> None:
        """One message to each of so many contacts. The first one rings, as at the doors."""
        deps = self.deps
        for first in range(start, start + count, _AT_ONCE):
            now = deps.clock.now()
            offers = [
                (sender_of(deps, sender), self._acceptance(sender, contact, now))
                for contact in contacts(min(_AT_ONCE, start + count - first), first)
            ]
            answers = deps.messages.accept_all(offers, now=now)
            if any(isinstance(answer, Accepted) and answer.must_ring for answer in answers):
                deps.ring(sender_of(deps, sender))

    def _acceptance(self, sender: str, contact: ContactId, now: datetime) -> Acceptance:
        request = MessageRequest(
            to=contact, sender=sender, content=Text(f"{time.time():.4f}"), expires_at=now + timedelta(days=1)
        )
        return Acceptance(
            message_id=self.deps.new_message_id(), app="bench", request=request, max_backlog=_BACKLOG
        )

    def hold(self, sender: str) -> None:
        self.deps.senders.halt(sender_of(self.deps, sender), "bench", now=self.deps.clock.now())

    def release(self, sender: str) -> None:
        self.deps.senders.resume(sender_of(self.deps, sender), now=self.deps.clock.now())
        self.deps.ring(sender_of(self.deps, sender))

    def count(self, sender: str, state: str) -> int:
        return self.deps.messages.count(sender_of(self.deps, sender).business, MessageState(state))

    def wait_submitted(self, sender: str, messages: int, seconds: float = 300) -> None:
        """Until so many in all are recorded as handed over, and told to Flower."""
        wait_for(lambda: self.count(sender, "submitted") >= messages, f"{messages} records", seconds)
        time.sleep(0.5)

    def defer(self, sender: str, until: datetime) -> None:
        """As a worker does with an error that may pass: take all that is queued, and put it off."""
        lanes, one = self.deps.lanes, sender_of(self.deps, sender)
        while claims := self._claim(one):
            settles = [
                Settle(claim=claim, outcome=Outcome.DEFERRED, until=until, reason="provider_error")
                for claim in claims
            ]
            lanes.step(settles, [], now=self.deps.clock.now())

    def _claim(self, sender: AnySender) -> Sequence[Claim]:
        nonce, now = self.deps.new_nonce(), self.deps.clock.now()
        return self.deps.lanes.claim(sender, _AT_ONCE, nonce=nonce, now=now).claims

    def taken(self) -> dict[str, Any]:
        found: dict[str, Any] = taken(self.stub)
        return found

    def wait_taken(self, messages: int, seconds: float = 180) -> dict[str, Any]:
        """What the stub has seen once it has seen so many; raises if anything came twice."""
        wait_for(lambda: self.taken()["messages"] >= messages, f"{messages} messages", seconds)
        found = self.taken()
        if found["repeated"] or found["messages"] != messages:
            raise RuntimeError(f"{messages} were handed in, the provider got {found}")
        return found

    def drain(self, messages: int, *, seconds: float = 180) -> Drained:
        """Wait until so many are taken; the workers have just been started, or rung."""
        already = self.taken()["messages"]
        wait_for(lambda: self.taken()["messages"] > already, "the first message")
        before, burnt = self.taken(), self.burnt()
        found = self.wait_taken(already + messages, seconds)
        spent, count = self.burnt() - burnt, found["messages"] - before["messages"]
        return Drained(
            messages=messages,
            per_second=count / max(found["last_at"] - before["last_at"], 1e-9),
            workers_ms=spent.workers / count * 1000,
            redis_ms=spent.redis / count * 1000,
            stub_ms=spent.stub / count * 1000,
        )

    def burnt(self) -> Burnt:
        return Burnt(
            workers=sum(_cpu(pid) for pid in self._workers),
            redis=_cpu(int(self._redis_info()["process_id"])),
            stub=_cpu(self._stub_pid),
        )

    def worker_bytes(self) -> int:
        return sum(psutil.Process(pid).memory_info().rss for pid in self._workers)

    def redis_bytes(self) -> int:
        return int(self._redis_info()["used_memory"])

    def watch_stalls(self) -> None:
        """From now on Redis notes what held it up for 100 ms or more."""
        with redis.Redis.from_url(self.url) as client:
            client.config_set("latency-monitor-threshold", 100)

    def stalls_ms(self) -> dict[str, int]:
        """The longest of each kind since; `aof-fsync-always` is its disk."""
        with redis.Redis.from_url(self.url) as client:
            found: Any = client.latency_latest()
        return {event.decode(): longest for event, _, _, longest, *_ in found}

    def _redis_info(self) -> dict[str, Any]:
        with redis.Redis.from_url(self.url) as client:
            found: dict[str, Any] = client.info()
        return found


@contextlib.contextmanager
def works(*, latency_ms: float, apps: str = "") -> Iterator[Works]:
    """`apps`: tables of more of them."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(redis_server(folder))
        (stub,) = free_ports(1)
        child = stack.enter_context(process(python("-m", "bench.stub", str(stub), str(latency_ms)), {}))
        config = folder / "finestra.toml"
        config.write_text(_CONFIG.format(port=stub) + apps)
        environ = {"FINESTRA_REDIS_URL": url, "FINESTRA_CONFIG": str(config), "BENCH_SECRET": SECRET}
        os.environ.update(environ)
        wait_for(lambda: accepts(stub), "stub")
        yield Works(folder, url, stub, child.pid, environ)


def taken(stub: int, what: str = "") -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{stub}/{what}", timeout=20) as answer:
        return json.loads(answer.read())


def contacts(count: int, start: int = 0) -> list[ContactId]:
    return [ContactId(f"+39333{number:07}") for number in range(start, start + count)]


def _deps() -> Deps:
    """As the doors have them, but for a clock that is measured once: it ends with its server."""
    settings = load_settings()
    client = connect(settings.redis_url.reveal())
    clock = ServerClock(lambda: server_time(client))
    clock.measure()
    check_at_start(client, tuple(settings.configuration.aliases_of), clock)
    return assemble(settings, client, clock=clock, ring=Doorbell(settings).ring)


def _wrote(contact: ContactId, now: datetime) -> MessageReceived:
    return MessageReceived(
        recipient="", contact=contact, event_id=contact.value, kind=InboundKind.TEXT, at=now, text="ciao"
    )


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
