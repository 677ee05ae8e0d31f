"""Offered load: each POST leaves at its time, so that a slow server is not asked less often."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.stage import length_of

_PATIENCE_SECONDS = 10.0
#: nginx closes what lies idle for 30 s.
_LONGEST_IDLE_SECONDS = 20.0
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """Milliseconds from the moment a POST was due to its answer, of those answered 200 or 202; sorted."""

    milliseconds: list[float]
    #: What became of the others: their status, or what was there instead of an answer.
    otherwise: Counter[str]

    @property
    def failures(self) -> int:
        return self.otherwise.total()

    def percentile(self, percent: float) -> float:
        """Over all that was offered; endless when that falls among the failures."""
        rank = int((len(self.milliseconds) + self.failures) * percent / 100)
        return self.milliseconds[rank] if rank < len(self.milliseconds) else float("inf")

    def __str__(self) -> str:
        """The 99th percentile, or how much failed."""
        if self.failures:
            return f"{self.failures / (len(self.milliseconds) + self.failures):.0%} failed"
        return f"{self.percentile(99):,.0f} ms"


def offer(port: int, posts: Sequence[bytes], *, per_second: float) -> Offered:
    return asyncio.run(_Load(port).run(posts, per_second))


class _Load:
    def __init__(self, port: int) -> None:
        self._port = port
        #: Each with the moment from which it lies idle.
        self._idle: list[tuple[float, _Connection]] = []
        self._milliseconds: list[float] = []
        self._otherwise: Counter[str] = Counter()

    async def run(self, posts: Sequence[bytes], per_second: float) -> Offered:
        started = time.perf_counter() + 0.1
        sent = []
        for number, post in enumerate(posts):
            due = started + number / per_second
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            sent.append(asyncio.create_task(self._post(post, due)))
        await asyncio.gather(*sent)
        for _, (_, writer) in self._idle:
            writer.close()
        return Offered(milliseconds=sorted(self._milliseconds), otherwise=self._otherwise)

    async def _post(self, post: bytes, due: float) -> None:
        try:
            head = await asyncio.wait_for(self._answer(post), _PATIENCE_SECONDS)
        except (OSError, EOFError, TimeoutError) as exc:
            self._otherwise[type(exc).__name__] += 1
            return
        _, status, *_ = head.split(b" ", 2)
        if status in {b"200", b"202"}:
            self._milliseconds.append((time.perf_counter() - due) * 1000)
        else:
            self._otherwise[status.decode()] += 1

    async def _answer(self, post: bytes) -> bytes:
        """The head of the answer; its body is read. A connection is used again unless it is closed."""
        reader, writer = self._kept() or await self._connect()
        writer.write(post)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(length_of(head))
        if b"connection: close" in head.lower():
            writer.close()
        else:
            self._idle.append((time.perf_counter(), (reader, writer)))
        return head

    def _kept(self) -> _Connection | None:
        """One that the server has not closed, nor is about to."""
        while self._idle:
            since, (reader, writer) = self._idle.pop()
            if not reader.at_eof() and time.perf_counter() - since < _LONGEST_IDLE_SECONDS:
                return reader, writer
            writer.close()
        return None

    async def _connect(self) -> _Connection:
        return await asyncio.open_connection("127.0.0.1", self._port)
