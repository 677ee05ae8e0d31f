"""Clients that take their time: connections that are held open while a request never ends."""

import contextlib
import socket
import threading
from collections.abc import Iterator

#: Headers of a POST whose body will not come, or only drop by drop.
HALF_A_POST = (
    b"POST /webhooks/shop HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\n"
    b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\nContent-Length: 100000\r\n\r\n{"
)
#: A request that has not said yet what it wants.
HALF_A_HEADER = b"POST /webhooks/shop HTTP/1.1\r\nHost: slow\r\nX-Slow: "
_DRIP_SECONDS = 1.0


@contextlib.contextmanager
def half_open(port: int, count: int, beginning: bytes = HALF_A_POST) -> Iterator[list[socket.socket]]:
    """`count` connections that say `beginning` and then one more byte a second, as long as they may."""
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(beginning)
            held.append(connection)
        ended = threading.Event()
        dripping = threading.Thread(target=_drip, args=(held, ended))
        dripping.start()
        try:
            yield held
        finally:
            ended.set()
            dripping.join()


def _drip(held: list[socket.socket], ended: threading.Event) -> None:
    while not ended.wait(_DRIP_SECONDS):
        for connection in held:
            with contextlib.suppress(OSError):  # the other side need not be patient
                connection.send(b" ")
