"""A hard end for a call: one thread cuts the connection of every call whose time is up.

Timeouts of `requests` and `urllib3` count from one byte to the next, so a slow drip never ends. Knows sockets
and time, not HTTP.
"""

import heapq
import os
import socket
import threading
import time
from contextlib import suppress
from itertools import count


class DeadlineError(TimeoutError):
    """The call's time was up."""


class Flight:
    """One call: whether a byte of it may have left, and the socket to cut when its time is up."""

    def __init__(self, deadline: float) -> None:
        #: Of `time.monotonic()`, seconds.
        self.deadline = deadline
        #: From the moment before the first byte is written: nobody can say any more that nothing left.
        self.is_sent = False
        self.is_expired = False
        self.is_over = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def remaining_seconds(self) -> float:
        """Raise DeadlineError when nothing is left."""
        remaining = self.deadline - time.monotonic()
        if self.is_expired or remaining <= 0:
            raise DeadlineError("deadline")
        return remaining

    def is_late(self) -> bool:
        return self.is_expired or time.monotonic() >= self.deadline

    def attach(self, connection: socket.socket) -> None:
        """Have `connection` cut at the deadline.

        It is duplicated, and the duplicate is ours alone: TLS takes the socket over, and http.client may
        drop it while the body is still read; cutting by a number that others closed could cut a stranger.
        """
        with self._lock:
            if self.is_expired:
                raise DeadlineError("deadline")
            if self._socket is None:
                self._socket = _duplicate(connection)

    def cut(self) -> None:
        with self._lock:
            if self.is_over:
                return
            self.is_expired = True
            if self._socket is not None:
                with suppress(OSError):  # the other side was faster
                    self._socket.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Nothing is cut after this."""
        with self._lock:
            self.is_over = True
            if self._socket is not None:
                self._socket.close()
                self._socket = None


class Watchdog:
    """Cuts flights at their deadlines. Its thread starts with the first one."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Flight]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, flight: Flight) -> None:
        with self._changed:
            # Dead: never started, or left behind in the parent by a fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="http-deadlines", daemon=True)
                self._thread.start()
            heapq.heappush(self._heap, (flight.deadline, next(self._numbers), flight))
            if self._heap[0][2] is flight:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                flight = self._next_due()
            flight.cut()

    def _next_due(self) -> Flight:
        """Wait for a deadline. Flights that ended in time are dropped on the way, thousands at a wake."""
        while True:
            while self._heap and self._heap[0][2].is_over:
                heapq.heappop(self._heap)
            if not self._heap:
                self._changed.wait()
                continue
            wait_seconds = self._heap[0][0] - time.monotonic()
            if wait_seconds <= 0:
                return heapq.heappop(self._heap)[2]
            self._changed.wait(wait_seconds)


def _duplicate(connection: socket.socket) -> socket.socket:
    number = os.dup(connection.fileno())
    return socket.socket(connection.family, connection.type, connection.proto, fileno=number)
