"""A kept connection for POSTs: the request leaves in one piece, and http.client reads the answer.

`requests` spent four times as much of the processor on a POST: a session's hooks and cookies, a pool, and the
body in a packet of its own. A name is looked up, and its address judged, as for any other connection.
"""

import select
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPResponse, IncompleteRead
from typing import Self

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from shared.http.connections import Dial, dial_up
from shared.http.deadline import Flight

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a POST goes, out of its URL."""

    scheme: str
    host: str
    port: int
    #: Path and query.
    target: str
    #: As the header `Host` has it.
    authority: str

    @classmethod
    @lru_cache(maxsize=256)
    def of(cls, url: str) -> Self:
        """Raise ValueError for what is no http or https URL."""
        try:
            parts = parse_url(url)
        except LocationParseError as exc:
            raise ValueError("no URL") from exc
        if parts.scheme not in _PORTS or not parts.host:
            raise ValueError("no URL of http or https")
        return cls(
            scheme=parts.scheme,
            host=parts.host,
            port=parts.port or _PORTS[parts.scheme],
            target=parts.request_uri,
            authority=parts.netloc or parts.host,
        )


def request_bytes(place: Place, headers: Mapping[str, str], body: bytes) -> bytes:
    """Head and body. Raise ValueError for a header that would end its line."""
    lines = [
        f"POST {place.target} HTTP/1.1",
        f"Host: {place.authority}",
        "Accept-Encoding: identity",
        "User-Agent: finestra",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header with a line break")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Line:
    """One connection, used by one thread, for one request after the other."""

    def __init__(self, place: Place, dial: Dial, tls: ssl.SSLContext, flight: Flight) -> None:
        """Connect: not one byte of a request has left. Raises OSError."""
        plain = dial_up(place.host, place.port, dial, flight, is_encrypted=place.scheme == "https")
        try:
            flight.attach(plain)
            self._socket = _encrypt(plain, place.host, tls) if place.scheme == "https" else plain
        except (OSError, ValueError):
            plain.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def is_usable(self) -> bool:
        """False: closed by the other side meanwhile, or it spoke unasked."""
        return self._socket.fileno() >= 0 and not self._poll.poll(0)

    def send(self, request: bytes, flight: Flight) -> None:
        """From here on nobody can say any more that nothing left."""
        flight.attach(self._socket)
        self._socket.settimeout(flight.remaining_seconds())
        flight.is_sent = True
        self._socket.sendall(request)

    def receive(self, most_bytes: int) -> tuple[HTTPResponse, bytes]:
        """The answer and its body, up to one byte more than `most_bytes`. Kept only if it came to its end."""
        response = HTTPResponse(self._socket, method="POST")
        try:
            response.begin()
            body = response.read(most_bytes + 1)
            is_whole = response.isclosed()
            if not is_whole and response.length and len(body) <= most_bytes:
                raise IncompleteRead(body, response.length)
        finally:
            response.close()
        if response.will_close or not is_whole:
            self.close()
        return response, body

    def close(self) -> None:
        self._socket.close()

    def __del__(self) -> None:
        """The thread that used it is gone."""
        if hasattr(self, "_socket"):
            self.close()


def _encrypt(plain: socket.socket, host: str, tls: ssl.SSLContext) -> ssl.SSLSocket:
    """The handshake has sent nothing of the request. An address is verified as such, without its zone."""
    name = host.strip("[]").partition("%")[0] if host.startswith("[") else host.rstrip(".")
    return tls.wrap_socket(plain, server_hostname=name)
