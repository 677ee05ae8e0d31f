"""One POST to a provider, with a hard end and certain knowledge whether any of it may have left.

Knows no provider: what an answer means is read elsewhere. This is the home of `requests`.
"""

import json
import re
import ssl
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError

from shared.providers.base import HttpCall
from shared.providers.connections import CURRENT, WatchedPool, WatchedTlsPool, tls_context
from shared.providers.deadline import Flight, Watchdog

MAX_BODY_BYTES = 1024 * 1024
#: Idle connections are dropped by us first: one that the provider closes just then makes a doubt.
IDLE = timedelta(seconds=3)
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_WENT_WRONG = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    #: Parsed JSON; None when there is none that could be read.
    body: Any | None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not one byte of the request left. `reason`: the name of the error underneath."""

    reason: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """The request left, in part at least, and no whole answer came. `reason`: timeout or connection_lost."""

    reason: str


class HttpClient:
    """Safe to call from many threads; each keeps its own connections."""

    def __init__(
        self, *, deadline: timedelta, idle: timedelta = IDLE, tls: ssl.SSLContext | None = None
    ) -> None:
        self._deadline_seconds = deadline.total_seconds()
        self._idle_seconds = idle.total_seconds()
        self._tls = tls or tls_context(DEFAULT_CA_BUNDLE_PATH)
        self._watchdog = Watchdog()
        self._threads = threading.local()

    def post(self, call: HttpCall) -> Answer | NotSent | Doubt:
        """Send `call` once: no retry, no redirect, no proxy, no netrc. Raises only for JSON that is none."""
        request = _prepare(call)
        flight = Flight(time.monotonic() + self._deadline_seconds)
        CURRENT.flight = flight
        try:
            self._watchdog.watch(flight)
            answer = self._exchange(request)
        except _WENT_WRONG as exc:
            return _failure(flight, exc)
        finally:
            flight.end()
            CURRENT.flight = None
        # A cut looks like the end of a body that states no length.
        return Doubt("timeout") if flight.is_expired else answer

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        session = self._session()
        response = session.send(
            request, stream=True, allow_redirects=False, verify=True, timeout=self._deadline_seconds
        )
        try:
            body = response.raw.read(MAX_BODY_BYTES + 1, decode_content=True)
        finally:
            response.close()  # keeps the connection when the body was read to its end
        self._threads.used_at = time.monotonic()
        return Answer(response.status_code, _parse(body), _retry_after(response.headers))

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = _new_session(self._tls)
        elif time.monotonic() - self._threads.used_at > self._idle_seconds:
            session.close()  # closes the connections; the session itself lives on
        self._threads.used_at = time.monotonic()
        return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the signature is requests'
        """None: even unfollowed, requests would read a redirect's body without bound."""
        return


class _Adapter(HTTPAdapter):
    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(max_retries=0, pool_maxsize=1)
        self.poolmanager.pool_classes_by_scheme = {"http": WatchedPool, "https": WatchedTlsPool}
        self.poolmanager.connection_pool_kw["ssl_context"] = tls

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:  # noqa: ANN401 - as above
        """The shared context verifies; requests would load the authorities anew for each connection."""


def _new_session(tls: ssl.SSLContext) -> requests.Session:
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(tls)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _prepare(call: HttpCall) -> requests.PreparedRequest:
    """By hand: `Request.prepare` costs more than the rest of the call, and adds auth from netrc."""
    request = requests.PreparedRequest()
    body = json.dumps(call.json, separators=(",", ":")).encode()
    request.method = "POST"
    request.url = call.url
    request.headers = CaseInsensitiveDict(call.headers)
    request.headers["Content-Type"] = "application/json"
    request.headers["Content-Length"] = str(len(body))
    request.headers["User-Agent"] = "finestra"
    request.body = body
    request.hooks = default_hooks()
    return request


def _failure(flight: Flight, exc: BaseException) -> NotSent | Doubt:
    if not flight.is_sent:
        return NotSent("timeout" if flight.is_expired else type(_root(exc)).__name__)
    is_late = flight.is_expired or time.monotonic() >= flight.deadline
    return Doubt("timeout" if is_late else "connection_lost")


def _root(exc: BaseException) -> BaseException:
    """The error at the bottom, such as ConnectionRefusedError or gaierror."""
    while (below := exc.__cause__ or exc.__context__) is not None:
        exc = below
    return exc


def _parse(body: bytes) -> Any | None:  # noqa: ANN401 - whatever the provider sent
    if len(body) > MAX_BODY_BYTES:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _retry_after(headers: "CaseInsensitiveDict[str]") -> timedelta | None:
    """Seconds, or a date (RFC 9110, 10.2.3), which counts from the answer's own: clocks may differ."""
    value = headers.get("Retry-After")
    if value is None:
        return None
    if _SECONDS.fullmatch(value.strip()):
        return timedelta(seconds=int(value))
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers["Date"])
    except (KeyError, TypeError, ValueError):
        return None
    return max(wait, timedelta(0))
