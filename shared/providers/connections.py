"""urllib3 connections that report to the call in flight: what they connected, and when the first byte leaves.

One call at a time is in flight on a thread, so the thread says which call a connection works for.
"""

import ipaddress
import socket
import ssl
import threading
from concurrent.futures import Future
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from shared.providers.deadline import Flight


class CurrentFlight(threading.local):
    """The call that this thread is making."""

    flight: Flight | None = None

    def get(self) -> Flight:
        if self.flight is None:
            raise RuntimeError("a provider connection was used outside of a call")
        return self.flight


CURRENT = CurrentFlight()


class _Watched(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        flight = CURRENT.get()
        connection = _connect(self._dns_host, self.port, flight)
        flight.attach(connection)
        return connection

    def send(self, data: Any) -> None:  # noqa: ANN401 - as http.client has it
        flight = CURRENT.get()
        if self.sock is None:
            self.connect()
        if not flight.is_sent:
            flight.attach(self.sock)
            flight.remaining_seconds()
            flight.is_sent = True
        super().send(data)


class _WatchedTls(_Watched, HTTPSConnection):
    """The same through TLS: a handshake that fails has sent nothing of the request."""


class WatchedPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


def tls_context(authorities: str) -> ssl.SSLContext:
    """Verify certificates and host names against the file `authorities`; loading it costs, so do it once."""
    return ssl.create_default_context(cafile=authorities)


def _connect(host: str, port: int, flight: Flight) -> socket.socket:
    """Try the host's addresses in turn, within what is left of the flight's time."""
    failure: OSError = OSError("the name has no address")
    for address in _addresses(host, port, flight.remaining_seconds()):
        try:
            return create_connection(
                (address, port),
                timeout=flight.remaining_seconds(),
                socket_options=HTTPConnection.default_socket_options,
            )
        except OSError as exc:
            failure = exc
    raise failure


def _addresses(host: str, port: int, wait_seconds: float) -> list[str]:
    """Look a name up on a thread: getaddrinfo knows no timeout. Raise OSError when it fails or is late."""
    if _is_address(host):
        return [host]
    answer: Future[list[str]] = Future()
    threading.Thread(target=_look_up, args=(host, port, answer), daemon=True).start()
    return answer.result(wait_seconds)


def _look_up(host: str, port: int, answer: "Future[list[str]]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        answer.set_exception(OSError(*exc.args) if isinstance(exc, UnicodeError) else exc)
    else:
        answer.set_result(list(dict.fromkeys(str(address[0]) for *_, address in found)))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
