"""One call, a POST of JSON or a GET, with a hard end and certain knowledge whether any of it may have left.

Knows nobody whom it calls: what an answer means is read elsewhere.
"""

import json
import re
import ssl
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from shared.http.addresses import is_url_allowed
from shared.http.connections import CURRENT, AddressRefusedError, Dial, tls_context
from shared.http.deadline import Flight, Watchdog
from shared.http.download import Download
from shared.http.line import Line, Place, request_bytes
from shared.http.session import WENT_WRONG, bare_request, exchange, new_session

MAX_BODY_BYTES = 1024 * 1024
#: Idle connections are dropped by us first: one that the other side closes just then makes a doubt.
IDLE = timedelta(seconds=3)
_ANY_WAY = Dial()
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """A POST of JSON, built but not sent. `headers` carry the secret; a dry run shows the rest."""

    url: str
    headers: Mapping[str, str]
    json: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    #: Parsed JSON; None when there is none that could be read.
    body: Any | None
    retry_after: timedelta | None = None
    #: The other side's clock, in whole seconds; read of a GET or DELETE alone.
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not one byte of the request left.

    `reason`: timeout, a refusal of ours (host_not_allowed, and those of addresses.py), or the name of the
    error underneath.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """The request left, in part at least, and no whole answer came. `reason`: timeout or connection_lost."""

    reason: str


class HttpClient:
    """Safe to call from many threads; each keeps its own connections.

    `deadline`: of a whole call, the body of its answer included. `max_body_bytes`: no more is read of an
    answer to a POST. A connection is kept, and used again without being judged again: one guard, one client.
    """

    def __init__(
        self,
        *,
        deadline: timedelta,
        dial: Dial = _ANY_WAY,
        max_body_bytes: int = MAX_BODY_BYTES,
        idle: timedelta = IDLE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._deadline_seconds = deadline.total_seconds()
        self._dial = dial
        self._max_body_bytes = max_body_bytes
        self._idle_seconds = idle.total_seconds()
        self._tls = tls or tls_context(DEFAULT_CA_BUNDLE_PATH)
        self._watchdog = Watchdog()
        self._threads = _Threads()

    def post(self, call: HttpCall) -> Answer | NotSent | Doubt:
        """Send `call` once: no retry, no redirect, no proxy, no netrc. Raises only for JSON that is none."""
        body = json.dumps(call.json, separators=(",", ":")).encode()
        return self.post_bytes(call.url, call.headers, body)

    def post_bytes(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer | NotSent | Doubt:
        """The same for JSON that is written already, and signed perhaps: it leaves as it is."""
        flight = self._new_flight()
        try:
            place = Place.of(url)
            request = request_bytes(place, headers, body)
            self._watchdog.watch(flight)
            answer = self._exchange(place, request, flight)
        except WENT_WRONG as exc:
            return _failure(flight, exc)
        finally:
            flight.end()
        # A cut looks like the end of a body that states no length.
        return Doubt("timeout") if flight.is_expired else answer

    def get(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        max_bytes: int,
        allowed_hosts: Collection[str],
        plain_hosts: Collection[str] = (),
    ) -> Download | NotSent | Doubt:
        """Ask for `url` once, likewise, and leave the body to be read; see `ask`."""
        return self.ask(
            "GET", url, headers, max_bytes=max_bytes, allowed_hosts=allowed_hosts, plain_hosts=plain_hosts
        )

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        max_bytes: int,
        allowed_hosts: Collection[str],
        plain_hosts: Collection[str] = (),
    ) -> Download | NotSent | Doubt:
        """A call without a body, GET or DELETE, once; the deadline runs on to the end of the answer's.

        `allowed_hosts` are called through https, `plain_hosts` (a sandbox's) through http; each `name`, or
        `name:port` for a port of its own.
        """
        if not is_url_allowed(url, allowed_hosts, plain_hosts):
            return NotSent("host_not_allowed")
        flight = self._new_flight()
        with ExitStack() as stack:
            stack.callback(flight.end)
            session = stack.enter_context(new_session(self._tls))
            try:
                with CURRENT.made_by(flight, self._dial):
                    self._watchdog.watch(flight)
                    response = exchange(session, bare_request(method, url, headers), self._deadline_seconds)
            except WENT_WRONG as exc:
                return _failure(flight, exc)
            stack.callback(response.close)
            if flight.is_expired:  # a cut looks like the end of a head, too
                return Doubt("timeout")
            wait = _retry_after(response.headers)
            return Download(
                response, flight=flight, max_bytes=max_bytes, retry_after=wait, held=stack.pop_all()
            )

    def _new_flight(self) -> Flight:
        return Flight(time.monotonic() + self._deadline_seconds)

    def _exchange(self, place: Place, request: bytes, flight: Flight) -> Answer:
        line = self._line(place, flight)
        try:
            line.send(request, flight)
            response, body = line.receive(self._max_body_bytes)
        except WENT_WRONG:
            line.close()
            raise
        self._threads.lines[place.scheme, place.host, place.port] = line, time.monotonic()
        read = None if len(body) > self._max_body_bytes else _parse(body)
        return Answer(response.status, read, _retry_after(response.headers))

    def _line(self, place: Place, flight: Flight) -> Line:
        """The one that this thread has to that place, if it can be used again."""
        kept = self._threads.lines.pop((place.scheme, place.host, place.port), None)
        if kept is not None:
            line, used_at = kept
            if time.monotonic() - used_at <= self._idle_seconds and line.is_usable():
                return line
            line.close()
        return Line(place, self._dial, self._tls, flight)


class _Threads(threading.local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str, int], tuple[Line, float]] = {}


def _failure(flight: Flight, exc: BaseException) -> NotSent | Doubt:
    if flight.is_sent:
        return Doubt("timeout" if flight.is_late() else "connection_lost")
    return NotSent("timeout" if flight.is_expired else _reason(_root(exc)))


def _reason(error: BaseException) -> str:
    if isinstance(error, AddressRefusedError):
        return error.refusal.value
    return "timeout" if isinstance(error, TimeoutError) else type(error).__name__


def _root(exc: BaseException) -> BaseException:
    """The error at the bottom, such as ConnectionRefusedError or gaierror."""
    while (below := exc.__cause__ or exc.__context__) is not None:
        exc = below
    return exc


def _parse(body: bytes) -> Any | None:  # noqa: ANN401 - whatever the other side sent
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _retry_after(headers: Message | Mapping[str, str]) -> timedelta | None:
    """Seconds, or a date (RFC 9110, 10.2.3), which counts from the answer's own: clocks may differ."""
    value = headers.get("Retry-After")
    if value is None:
        return None
    if _SECONDS.fullmatch(value.strip()):
        return timedelta(seconds=int(value))
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers["Date"] or "")
    except (KeyError, TypeError, ValueError):
        return None
    return max(wait, timedelta(0))
