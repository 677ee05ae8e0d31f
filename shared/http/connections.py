"""urllib3 connections that report to the call in flight: what they connected, and when the first byte leaves.

One call at a time is in flight on a thread, so the thread says which call a connection works for. An address
is judged here, after the name was looked up: the one that was judged is the one that is connected to.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Address, ip_address
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from shared.http.addresses import AddressGuard, Refusal
from shared.http.deadline import Flight


class AddressRefusedError(OSError):
    """The address may not be called; nobody tried to."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal)


@dataclass(frozen=True, slots=True)
class Dial:
    """How a client connects."""

    #: Says which addresses may be called; None: all, in plain text too.
    guard: AddressGuard | None = None
    #: For each address of a name; None: as long as the call has.
    connect_timeout: timedelta | None = None

    def refusal(self, address: str, *, is_encrypted: bool) -> Refusal | None:
        return None if self.guard is None else self.guard.refusal(address, is_encrypted=is_encrypted)

    def timeout_seconds(self, flight: Flight) -> float:
        remaining = flight.remaining_seconds()
        return min(remaining, self.connect_timeout.total_seconds()) if self.connect_timeout else remaining


class CurrentCall(threading.local):
    """The call that this thread is making."""

    _flight: Flight | None = None
    dial = Dial()

    @property
    def flight(self) -> Flight:
        if self._flight is None:
            raise RuntimeError("a connection was used outside of a call")
        return self._flight

    @contextmanager
    def made_by(self, flight: Flight, dial: Dial) -> Iterator[None]:
        self._flight, self.dial = flight, dial
        try:
            yield
        finally:
            self._flight = None


CURRENT = CurrentCall()


class _Watched(HTTPConnection):
    _is_encrypted = False

    def _new_conn(self) -> socket.socket:
        flight, dial = CURRENT.flight, CURRENT.dial
        connection = dial_up(self._dns_host, self.port, dial, flight, is_encrypted=self._is_encrypted)
        flight.attach(connection)
        return connection

    def send(self, data: Any) -> None:  # noqa: ANN401 - as http.client has it
        flight = CURRENT.flight
        if self.sock is None:
            self.connect()
        if not flight.is_sent:
            flight.attach(self.sock)
            flight.remaining_seconds()
            flight.is_sent = True
        super().send(data)


class _WatchedTls(_Watched, HTTPSConnection):
    """The same through TLS: a handshake that fails has sent nothing of the request."""

    _is_encrypted = True


class WatchedPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


@cache
def tls_context(authorities: str) -> ssl.SSLContext:
    """Verify certificates and host names against the file `authorities`; loading it takes 17 ms, so once."""
    return ssl.create_default_context(cafile=authorities)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    family: int
    #: As a socket takes it: the address, the port, and for IPv6 what else belongs to it.
    place: tuple[Any, ...]


def dial_up(host: str, port: int, dial: Dial, flight: Flight, *, is_encrypted: bool) -> socket.socket:
    """Try the host's addresses in turn, those refused aside, within what is left of the flight's time."""
    failure: OSError = OSError("the name has no address")
    for endpoint in _endpoints(host, port, flight.remaining_seconds()):
        refusal = dial.refusal(endpoint.place[0], is_encrypted=is_encrypted)
        if refusal is not None:
            failure = AddressRefusedError(refusal)
            continue
        try:
            return _open(endpoint, dial.timeout_seconds(flight), flight)
        except OSError as exc:
            failure = exc
    raise failure


def _open(endpoint: _Endpoint, timeout_seconds: float, flight: Flight) -> socket.socket:
    connection = socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        for option in HTTPConnection.default_socket_options:
            connection.setsockopt(*option)
        connection.settimeout(timeout_seconds)
        connection.connect(endpoint.place)
        connection.settimeout(flight.remaining_seconds())  # what follows, such as TLS, may last as long
    except OSError:
        connection.close()
        raise
    return connection


def _endpoints(host: str, port: int, wait_seconds: float) -> list[_Endpoint]:
    """Look a name up on a thread: getaddrinfo knows no timeout. Raise OSError when it fails or is late."""
    written = _written_address(host, port)
    if written is not None:
        return [written]
    answer: Future[list[_Endpoint]] = Future()
    threading.Thread(target=_look_up, args=(host, port, answer), daemon=True).start()
    return answer.result(wait_seconds)


def _look_up(host: str, port: int, answer: "Future[list[_Endpoint]]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        answer.set_exception(OSError(*exc.args) if isinstance(exc, UnicodeError) else exc)
    else:
        answer.set_result(list(dict.fromkeys(_Endpoint(family, place) for family, *_, place in found)))


def _written_address(host: str, port: int) -> _Endpoint | None:
    """An address in the place of a name. Odd forms such as `0177.0.0.1` are left to the look-up."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return None
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    return _Endpoint(family, (str(address), port))
