"""gunicorn's worker of threads, for clients that hang, and so that who leaves keeps nobody waiting.

gthread reads a request on a thread of the pool however long that takes, and waits up to two seconds for a
client to go on the one thread that accepts for all (gunicorn 27.0.1, read 2026-11-26): 150 clients with half
a request each, or with a whole one and `Connection: close`, silenced two workers of 48 threads. Here they
hold a third of the threads and no more. And it listens until its last kept connection has gone, 2 s and more:
who came meanwhile waited, to be hung up on. Refused at once, nginx asks another receiver.
"""

import socket
import struct
import time
from concurrent.futures import Future
from threading import BoundedSemaphore, Event
from typing import Any

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

#: Who has not said what he wants by then is slow.
_PROMPT_SECONDS = 0.2
_LOOK_EVERY_SECONDS = 0.01
#: No byte taken or given for so long: the connection ends. A `struct timeval`, as SO_RCVTIMEO wants it.
_SILENCE = struct.pack("@ll", 5, 0)
#: Never set: a look waits on it for the next.
_nothing = Event()
_END_OF_HEAD = b"\r\n\r\n"
_LARGEST_HEAD = 65_536


class DoorWorker(ThreadWorker):  # type: ignore[misc] # gunicorn is not typed
    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - gunicorn's
        super().__init__(*args, **kwargs)
        self._slow = BoundedSemaphore(max(1, self.cfg.threads // 3))

    def handle(self, conn: TConn) -> object:
        """On a thread of the pool: whether the connection is kept, or _DEFER; False: it is closed."""
        if not conn.initialized:
            if not conn.wait_for_data(_PROMPT_SECONDS):
                return _DEFER
            for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                conn.sock.setsockopt(socket.SOL_SOCKET, way, _SILENCE)
        is_kept = super().handle(conn) if self._is_prompt(conn) else self._handle_slow(conn)
        if is_kept is False:
            self._say_goodbye(conn)
        return is_kept

    def finish_request(self, conn: TConn, fs: Future[object]) -> None:
        """On the thread that accepts: nothing here may wait."""
        if fs.cancelled() or fs.exception() is not None or fs.result() is not False:
            super().finish_request(conn, fs)
        else:
            self.nr_conns -= 1

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            self._close_ear()

    def _close_ear(self) -> None:
        """Whoever the system has let in already is taken in first."""
        while self.sockets:
            listener = self.sockets.pop()
            heard_before = -1
            while heard_before != self.nr_conns:
                heard_before = self.nr_conns
                self.accept(listener)
            listener.close()

    def _is_prompt(self, conn: TConn) -> bool:
        """The head of its request is there: reading it takes no time."""
        if self.cfg.is_ssl or (conn.initialized and conn.parser.unreader.buf.getvalue()):
            return True
        deadline = time.monotonic() + _PROMPT_SECONDS
        while not _has_whole_head(conn.sock):
            if time.monotonic() > deadline:
                return False
            _nothing.wait(_LOOK_EVERY_SECONDS)
        return True

    def _handle_slow(self, conn: TConn) -> object:
        """Dropped where as many as may be are slow already."""
        if not self._slow.acquire(blocking=False):
            return False
        try:
            return super().handle(conn)
        finally:
            self._slow.release()

    def _say_goodbye(self, conn: TConn) -> None:
        """Wait for the client to go, so that it gets all of its answer; where too many are slow, without."""
        may_wait = self._slow.acquire(blocking=False)
        try:
            conn.close(graceful=may_wait)
        finally:
            if may_wait:
                self._slow.release()


def _has_whole_head(connection: socket.socket) -> bool:
    """True also of who has hung up: gunicorn finds that out by itself."""
    try:
        seen = connection.recv(_LARGEST_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return not seen or _END_OF_HEAD in seen
