"""Which server runs the receiver: the same two apps in each, a no-op POST and webhooks recorded in Redis.

Servers that are no dependency are measured where they are installed (`pip install gevent granian waitress`).
"""

import contextlib
import importlib.util
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import front
from bench.offered import offer
from bench.receiver import OFFERED_PER_SECOND, OFFERED_SECONDS, empty, signed, surroundings
from bench.slow import half_open
from bench.stage import accepts, hammer, process, python, show, wait_for
from cli.ports import free_ports

POSTS = 2000
SLOW = 40
GOOD = 10
PATIENCE_SECONDS = 2
RECEIVER = "webhook.wsgi:receiver"
NOOP = "bench.noop:app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    name: str
    #: What has to be importable.
    module: str
    #: The command for an app's factory and a port.
    argv: Callable[[str, int], tuple[str, ...]]
    behind_nginx: bool = False

    def is_installed(self) -> bool:
        is_there = importlib.util.find_spec(self.module) is not None
        return is_there and (front.is_installed() or not self.behind_nginx)


def _gunicorn(worker_class: str, *options: str) -> Callable[[str, int], tuple[str, ...]]:
    fixed = ("-m", "gunicorn", "-c", "python:webhook.gunicorn_conf", "-k", worker_class, *options)
    return lambda factory, port: python(*fixed, "--bind", f"127.0.0.1:{port}", f"{factory}()")


def _granian(factory: str, port: int) -> tuple[str, ...]:
    options = ("--workers", "2", "--blocking-threads", "16", "--host", "127.0.0.1", "--port", str(port))
    return python("-m", "granian", "--interface", "wsgi", "--factory", *options, factory)


def _waitress(factory: str, port: int) -> tuple[str, ...]:
    return python("-m", "waitress", "--threads", "32", "--listen", f"127.0.0.1:{port}", "--call", factory)


#: Two processes of 16 threads, or as near to it as the server has it.
SERVERS = (
    Server(name="gunicorn sync, 2", module="gunicorn", argv=_gunicorn("sync", "--threads", "1")),
    Server(name="gunicorn gthread, 2 x 16", module="gunicorn", argv=_gunicorn("gthread")),
    Server(name="gunicorn gevent, 2", module="gevent", argv=_gunicorn("gevent")),
    Server(name="granian WSGI, 2 x 16", module="granian", argv=_granian),
    Server(name="waitress, 1 x 32", module="waitress", argv=_waitress),
    Server(name="nginx + gthread (ours)", module="gunicorn", argv=_gunicorn("gthread"), behind_nginx=True),
)


def run(*, rounds: int) -> None:
    rows = []
    for server in SERVERS:
        if server.is_installed():
            with surroundings() as (folder, environ):
                rows.append((server.name, *_measure(server, environ, folder, rounds)))
        else:
            rows.append((server.name, "not installed", "", "", "", ""))
    show(
        f"Servers: POSTs over 16 connections; {OFFERED_PER_SECOND:,}/s offered; {SLOW} half-open requests",
        ("server", "no-op/s", "recorded/s", "ratio", "p99 offered", f"good of {GOOD}"),
        rows,
    )


def _measure(server: Server, environ: dict[str, str], folder: Path, rounds: int) -> tuple[str, ...]:
    with _running(server, RECEIVER, environ, folder / "ours") as ours:
        with _running(server, NOOP, environ, folder / "noop") as noop:
            hammer(ours, signed(400))
            hammer(noop, empty(400))
            pairs = [
                (POSTS / hammer(noop, empty(POSTS)), POSTS / hammer(ours, signed(POSTS)))
                for _ in range(rounds)
            ]
        offered = offer(ours, signed(OFFERED_PER_SECOND * OFFERED_SECONDS), per_second=OFFERED_PER_SECOND)
        with half_open(ours, SLOW):
            time.sleep(1.5)  # until each has dripped once
            good = sum(_is_answered(ours, post) for post in signed(GOOD))
    noop_rate, ours_rate = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    ratio = statistics.median(mine / nothing for nothing, mine in pairs)
    return f"{noop_rate:,.0f}", f"{ours_rate:,.0f}", f"{ratio:.2f}", str(offered), str(good)


@contextlib.contextmanager
def _running(server: Server, factory: str, environ: dict[str, str], folder: Path) -> Iterator[int]:
    folder.mkdir()
    (port,) = free_ports(1)
    with contextlib.ExitStack() as stack:
        stack.enter_context(process(server.argv(factory, port), environ))
        wait_for(lambda: accepts(port), server.name)
        if server.behind_nginx:
            port = stack.enter_context(front.nginx(folder, f"127.0.0.1:{port}"))
        yield port


def _is_answered(port: int, post: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(post)
            return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


if __name__ == "__main__":
    run(rounds=3)
