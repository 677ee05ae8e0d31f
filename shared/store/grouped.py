"""One round trip for the calls of several threads: who comes while Redis is busy goes with the next.

What one thread waits for is the same as alone, its own answers or its own error; what all pay for together is
the round trip and, where Redis syncs its file for each, the disk. Group commit, as databases call it.
"""

import threading
from collections.abc import Sequence
from typing import Any

from shared.errors import StoreUnavailableError
from shared.store.scripts import Call, Scripts, answers_of

#: So many calls at most in one round trip: tens of milliseconds for Redis, far below our patience.
_MOST_CALLS = 1_000


class _Turn:
    """The calls of one thread, and its signal: they are answered, or it has to go itself."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self.answers: list[Any] | None = None
        self.error: Exception | None = None
        self.signal = threading.Lock()
        self.signal.acquire()


class GroupedScripts:
    """As `Scripts.run_all`, for many threads at once."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._lock = threading.Lock()
        self._waiting: list[_Turn] = []
        self._is_busy = False

    def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """Raises StoreUnavailableError when the server is the trouble, for everybody in the round trip."""
        turn = _Turn(calls)
        with self._lock:
            self._waiting.append(turn)
            must_wait = self._is_busy
            self._is_busy = True
        if must_wait:
            turn.signal.acquire()
        if turn.answers is None and turn.error is None:
            self._go()
        if turn.error is not None:
            raise turn.error
        return answers_of(turn.answers or [])

    def _go(self) -> None:
        """Carry the turns that wait, ours among them, then tell the next thread to go, if one has come."""
        with self._lock:
            group = self._next_group()
        try:
            self._carry(group)
        finally:
            with self._lock:
                for turn in group:
                    turn.signal.release()
                if self._waiting:
                    self._waiting[0].signal.release()
                else:
                    self._is_busy = False

    def _next_group(self) -> list[_Turn]:
        size, count = 0, 0
        for turn in self._waiting:
            size += len(turn.calls)
            if count and size > _MOST_CALLS:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    def _carry(self, group: Sequence[_Turn]) -> None:
        try:
            answers = self._scripts.run_each([call for turn in group for call in turn.calls])
        except BaseException as exc:
            if isinstance(exc, Exception) and not isinstance(exc, StoreUnavailableError) and len(group) > 1:
                for turn in group:  # a fault of ours in one of them is not the others'
                    self._carry([turn])
                return
            for turn in group:
                turn.error = exc if isinstance(exc, Exception) else StoreUnavailableError("interrupted")
            if not isinstance(exc, Exception):
                raise  # the thread that went was told to end; those that it carried were not
            return
        start = 0
        for turn in group:
            turn.answers = answers[start : start + len(turn.calls)]
            start += len(turn.calls)
