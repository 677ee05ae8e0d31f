"""What the benches share: a Redis of their own, processes, a client that is cheap, tables."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.table import Table

from cli.redis_server import EmbeddedRedis
from shared.configuration import AnySender
from shared.deps import Deps

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
console = Console(width=110, highlight=False)


def sender_of(deps: Deps, alias: str) -> AnySender:
    return deps.settings.configuration.senders[alias]


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Our own server as we ship it: append-only file, fsync always."""
    with EmbeddedRedis(data_dir=folder / "redis") as server:
        yield server.url


@contextlib.contextmanager
def process(
    argv: Sequence[str], environ: dict[str, str], *, output: IO[bytes] | int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(argv, env={**os.environ, **environ}, stdout=output, stderr=output)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def python(*args: str) -> tuple[str, ...]:
    return (sys.executable, *args)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2):
            return True
    except OSError:
        return False


def post_bytes(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A whole request, ready to be written to a socket."""
    lines = [f"POST {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def hammer(port: int, posts: Sequence[bytes], *, connections: int = 16) -> float:
    """Send all over keep-alive connections; seconds it took. Anything but 200 or 202 raises."""
    shares = [posts[index::connections] for index in range(connections)]
    failures: list[bytes] = []
    threads = [threading.Thread(target=_hammer_one, args=(port, share, failures)) for share in shares]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if failures:
        raise RuntimeError(f"{len(failures)} answers were not 20x, the first: {failures[0][:80]!r}")
    return seconds


def _hammer_one(port: int, posts: Sequence[bytes], failures: list[bytes]) -> None:
    """Over one connection, or over one after the other if the server closes them."""
    left = iter(posts)
    while not failures and not _hammer_connection(port, left, failures):
        pass


def _hammer_connection(port: int, posts: Iterator[bytes], failures: list[bytes]) -> bool:
    """False: the server closed it, and there may be more to send."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for post in posts:
            connection.sendall(post)
            head = _answer(connection)
            if not head.startswith(b"HTTP/1.1 20"):
                failures.append(head)
                return True
            if b"connection: close" in head.lower():
                return False
    return True


def _answer(connection: socket.socket) -> bytes:
    """The head; the body is taken off the wire. Empty: the server hung up."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    left = length_of(head) - len(body)
    while left > 0:
        left -= len(connection.recv(65536)) or left
    return head


def length_of(head: bytes) -> int:
    stated = _LENGTH.search(head)
    return int(stated[1]) if stated else 0


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*header, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
