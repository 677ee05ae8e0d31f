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
#: Round trips at once, when the next has many calls: it is written and sent while Redis works on the other
#: and waits for its disk. A few calls rather wait for company.
_MOST_TRIPS = 2
_MANY_CALLS = 50


class _Turn:
    """The calls of one thread, and its signal: they are answered, or it has to carry a group itself."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self.answers: list[Any] | None = None
        self.error: Exception | None = None
        #: The turns to carry, its own first.
        self.group: Sequence[_Turn] = ()
        self.signal = threading.Lock()
        self.signal.acquire()


class GroupedScripts:
    """As `Scripts.run_all`, for many threads at once."""

    def __init__(self, scripts: Scripts, *, first: str | None = None) -> None:
        """`first`: the script whose calls go before those of others, so that rows of one kind meet."""
        self._scripts = scripts
        self._first = first
        self._lock = threading.Lock()
        #: Somebody is on the way while anybody waits.
        self._waiting: list[_Turn] = []
        self._trips = 0

    def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """Raises StoreUnavailableError when the server is the trouble, for everybody in the round trip."""
        turn = _Turn(calls)
        with self._lock:
            if self._trips == 0 or (self._trips < _MOST_TRIPS and len(calls) >= _MANY_CALLS):
                self._trips += 1
                turn.group = (turn,)
            else:
                self._waiting.append(turn)
        if not turn.group:
            turn.signal.acquire()
        if turn.group:
            self._go(turn.group)
        if turn.error is not None:
            raise turn.error
        return answers_of(turn.answers or [])

    def _go(self, group: Sequence[_Turn]) -> None:
        """Carry the turns, ours first among them, then hand the round trip to the first of those who wait."""
        try:
            self._carry(group)
        finally:
            with self._lock:
                if self._waiting:
                    successors = self._next_group()
                    successors[0].group = successors
                    successors[0].signal.release()
                else:
                    self._trips -= 1
            for turn in group[1:]:
                turn.signal.release()

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
            answers = self._run([call for turn in group for call in turn.calls])
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

    def _run(self, calls: Sequence[Call]) -> list[Any]:
        """The answers in the order of the calls, whatever order they go in."""
        order = sorted(range(len(calls)), key=lambda number: calls[number].script != self._first)
        answers: list[Any] = [None] * len(calls)
        for number, answer in zip(order, self._scripts.run_each([calls[n] for n in order]), strict=True):
            answers[number] = answer
        return answers
