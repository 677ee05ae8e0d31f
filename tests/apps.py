"""Apps for tests: HTTP servers that take signed callbacks at once, slowly, or not at all, as told."""

import base64
import http.server
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

#: We wait 5 s for an answer: what has waited for longer than this is not answered any more.
_MOST_LATE_SECONDS = 4
_DRIP_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One callback as it came in."""

    #: Of time.monotonic(), on arrival.
    at: float
    event_id: str
    event: dict[str, Any]
    #: False: it got no answer, or was refused, or nobody waited for the answer any more.
    was_taken: bool

    @property
    def contact(self) -> str:
        return self.event["data"]["contact"]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    #: Five of its own are fewer than we knock at once with.
    request_queue_size = 128


class App:
    """An app with an address of its own; `calls` is what it was told, in the order in which it answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = secrets.token_urlsafe(32)
        #: Both sides of a rotation. A callback has to verify under either.
        self.secrets = ["whsec_" + base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2)]
        self.calls: list[Call] = []
        self.unsigned = 0
        #: Which came and were not answered yet.
        self.in_hand: set[str] = set()
        self.pause_seconds = 0.0
        self._is_awake = threading.Event()
        self._is_awake.set()
        self._status = 204
        #: How many of its answers never come to their end.
        self.dripping = 0
        self._drips = False
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @contextmanager
    def listening(self) -> Iterator[None]:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield
        finally:
            self.take_again()
            self._server.shutdown()
            self._server.server_close()

    def table(self, folder: Path) -> str:
        """Its part of the configuration; the secrets go into files."""
        written = {"key": self.key, "old": self.secrets[0], "new": self.secrets[1]}
        for suffix, secret in written.items():
            (folder / f"{self.name}_{suffix}").write_text(secret)
        path = f"file:{folder}/{self.name}"
        return (
            f'[apps.{self.name}]\nscopes = ["events"]\napi_key = ["{path}_key"]\n'
            f'callback_url = "http://127.0.0.1:{self._server.server_port}/finestra"\n'
            f'callback_secret = ["{path}_old", "{path}_new"]\ncallback_networks = ["127.0.0.0/8"]\n'
        )

    def hang(self) -> None:
        """From now on every connection is accepted and none is answered."""
        self._is_awake.clear()

    def refuse(self, status: int = 503) -> None:
        self._status = status

    def drip(self) -> None:
        """From now on an answer comes byte by byte, and has no end."""
        self._drips = True

    def leave(self) -> None:
        """From now on nobody listens at its address."""
        self._server.server_close()

    def drips(self, caller: socket.socket) -> bool:
        """Whether it did, until the caller hung up."""
        if not self._drips:
            return False
        self.dripping += 1
        with suppress(OSError):
            caller.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while self._drips:
                caller.sendall(b"x")
                time.sleep(_DRIP_SECONDS)  # the drip itself
        return True

    def take_again(self) -> None:
        """What came just now is answered after all; what came earlier is dropped."""
        self._status = 204
        self._drips = False
        self._is_awake.set()

    def of_type(self, type_: str) -> list[Call]:
        return [call for call in list(self.calls) if call.event["type"] == type_]

    def taken_ids(self) -> list[str]:
        return [call.event_id for call in list(self.calls) if call.was_taken]

    def answer(self, headers: dict[str, str], body: bytes, caller: socket.socket) -> int | None:
        """The HTTP status; None: hang up without a word."""
        at = time.monotonic()
        try:
            for secret in self.secrets:
                Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            self.unsigned += 1
            return 401
        event_id = {name.lower(): value for name, value in headers.items()}["webhook-id"]
        self.in_hand.add(event_id)
        is_answered = self._is_awake.wait(_MOST_LATE_SECONDS)
        time.sleep(self.pause_seconds)  # how slow this app is
        status = self._status if is_answered else None
        was_taken = status == 204 and not _has_hung_up(caller)
        self.calls.append(Call(at=at, event_id=event_id, event=json.loads(body), was_taken=was_taken))
        self._is_awake.wait()
        self.in_hand.discard(event_id)
        return status


def _has_hung_up(caller: socket.socket) -> bool:
    try:
        return caller.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _handler(app: App) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if app.drips(self.connection):
                return
            status = app.answer(dict(self.headers.items()), body, self.connection)
            if status is not None:
                with suppress(OSError):  # whoever asked may be dead by now
                    self.send_response(status)
                    self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler
