"""Posts webhooks: at once or when they are due, again and again until the receiver agrees or we give up.

A few threads share one heap ordered by due time; two webhooks due together may overtake each other, as
at the real providers. Knows no provider: a `Post` is ready to send.
"""

import heapq
import itertools
import threading
import time
from dataclasses import dataclass, field

import requests

#: Seconds before each new attempt, then we give up. The providers go on for 7 days (Meta) or every five
#: minutes for a month (CM.com); nobody waits that long for a sandbox.
RETRY_GAPS = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0)
#: How long the providers wait for an answer is UNCONFIRMED; our choice.
_TIMEOUT_SECONDS = 10.0
_OK = 200
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One webhook, bytes and all."""

    url: str
    body: bytes
    headers: dict[str, str]
    #: CM.com's status reports are content with any 2xx; everything else insists on 200.
    any_2xx: bool = False

    def is_delivered_by(self, status: int | None) -> bool:
        return status in _SUCCESS if self.any_2xx else status == _OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """`pending` includes webhooks that are not due yet."""

    delivered: int
    failed: int
    pending: int


@dataclass(order=True, slots=True)
class _Job:
    due: float
    order: int
    post: Post = field(compare=False)
    attempt: int = field(compare=False, default=0)
    generation: int = field(compare=False, default=0)


class Delivery:
    """The threads and their heap. Call `start` in the process that is to send."""

    def __init__(self, *, workers: int = 8, retry_gaps: tuple[float, ...] = RETRY_GAPS) -> None:
        self._retry_gaps = retry_gaps
        self._lock = threading.Lock()
        self._due = threading.Condition(self._lock)
        self._idle = threading.Condition(self._lock)
        self._closed = False
        self._order = itertools.count()
        self._generation = 0
        self._forget()
        self._threads = [
            threading.Thread(target=self._work, name=f"delivery-{index}", daemon=True)
            for index in range(workers)
        ]

    def _forget(self) -> None:
        self._heap: list[_Job] = []
        self._delivered = self._failed = self._in_flight = 0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop after the posts in flight; the rest is never sent."""
        with self._lock:
            self._closed = True
            self._due.notify_all()
        for thread in self._threads:
            thread.join()

    def clear(self) -> None:
        """Forget what waits and what was counted; posts in flight end uncounted and are not retried."""
        with self._lock:
            self._generation += 1
            self._forget()
            self._idle.notify_all()

    def counts(self) -> Counts:
        with self._lock:
            pending = len(self._heap) + self._in_flight
            return Counts(delivered=self._delivered, failed=self._failed, pending=pending)

    def wait_until_idle(self, timeout_seconds: float) -> bool:
        """True as soon as nothing is pending; False if that takes too long."""
        with self._lock:
            return self._idle.wait_for(lambda: not self._heap and not self._in_flight, timeout_seconds)

    def post_later(self, post: Post, *, after_seconds: float) -> None:
        with self._lock:
            self._push(self._new_job(post, time.monotonic() + after_seconds))

    def post_now(self, post: Post) -> int | None:
        """The HTTP status of the first attempt, None without an answer; retries follow by themselves."""
        with self._lock:
            job = self._new_job(post, time.monotonic())
            self._in_flight += 1
        with _session() as session:
            status = _attempt(session, post)
        self._settle(job, status)
        return status

    def _new_job(self, post: Post, due: float) -> _Job:
        return _Job(due, next(self._order), post, generation=self._generation)

    def _work(self) -> None:
        with _session() as session:
            while (job := self._next_job()) is not None:
                self._settle(job, _attempt(session, job.post))

    def _next_job(self) -> _Job | None:
        """The next job that is due, waiting for it; None when the sandbox closes."""
        with self._lock:
            while not self._closed:
                wait = self._heap[0].due - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    self._in_flight += 1
                    return heapq.heappop(self._heap)
                self._due.wait(wait)
            return None

    def _settle(self, job: _Job, status: int | None) -> None:
        with self._lock:
            if job.generation != self._generation:
                return
            self._in_flight -= 1
            if job.post.is_delivered_by(status):
                self._delivered += 1
            elif job.attempt >= len(self._retry_gaps):
                self._failed += 1
            else:
                self._retry(job)
            self._idle.notify_all()

    def _retry(self, job: _Job) -> None:
        job.due = time.monotonic() + self._retry_gaps[job.attempt]
        job.attempt += 1
        self._push(job)

    def _push(self, job: _Job) -> None:
        heapq.heappush(self._heap, job)
        self._due.notify()


def fetch(url: str, params: dict[str, str]) -> tuple[int, str] | None:
    """GET, as Meta does when a webhook address is set: status and body, None without an answer."""
    with _session() as session:
        try:
            answer = session.get(url, params=params, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
        except requests.RequestException:
            return None
        return answer.status_code, answer.text


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy of the machine has no business between us and the receiver
    return session


def _attempt(session: requests.Session, post: Post) -> int | None:
    try:
        answer = session.post(
            post.url, data=post.body, headers=post.headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False
        )
    except requests.RequestException:
        return None
    return answer.status_code
