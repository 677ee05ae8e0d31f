"""A proxy between a worker and Redis that strikes in one gap: just before a script runs, or just after."""

import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from shared.store.scripts import sha_of


@dataclass(frozen=True)
class Strike:
    """What happens in the gap, once; the connection that was in it is cut."""

    script: str
    #: Of the message that it is about, in the call or in its answer; empty for any.
    mark: bytes
    #: After the script has run, its answer withheld; else before it has reached Redis.
    has_run: bool
    happening: Callable[[], None]

    def is_due(self, call: bytes, answer: bytes | None) -> bool:
        """Whether this is the gap: `answer` is None while the call has not reached Redis."""
        if sha_of(self.script).encode() not in call or self.has_run is (answer is None):
            return False
        return not (answer or b"").startswith(b"-NOSCRIPT") and self.mark in call + (answer or b"")


class FaultProxy:
    def __init__(self, redis_port: int) -> None:
        self._redis_port = redis_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._strike: Strike | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, strike: Strike) -> None:
        self._strike = strike

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Calls and answers take turns; whichever side closes ends both."""
        with client:
            try:
                with socket.create_connection(("127.0.0.1", self._redis_port)) as server:
                    self._carry(client, server)
            except OSError:
                return  # one of them was killed

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        call = b""
        while True:
            for side in select.select([client, server], [], [])[0]:
                data = side.recv(1 << 20)
                call = data if side is client else call
                answer = None if side is client else data
                if not data or self._strikes(call, answer):
                    return
                (server if side is client else client).sendall(data)

    def _strikes(self, call: bytes, answer: bytes | None) -> bool:
        with self._lock:
            strike = self._strike
            if strike is None or not strike.is_due(call, answer):
                return False
            self._strike = None
        strike.happening()
        return True
