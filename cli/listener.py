"""An app of the demo: takes callbacks and believes only those that are signed with its secret."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


class Listener:
    """What an app was told, in the order in which it came."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/finestra"
        #: As Standard Webhooks writes it; set before the first callback.
        self.secret = ""
        self.told: list[dict[str, Any]] = []
        self.unsigned = 0
        self._port = port

    @contextmanager
    def listening(self) -> Iterator["Listener"]:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def take(self, headers: dict[str, str], body: bytes) -> HTTPStatus:
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            self.unsigned += 1
            return HTTPStatus.UNAUTHORIZED
        self.told.append(json.loads(body))
        return HTTPStatus.NO_CONTENT

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        return [event for event in list(self.told) if event["type"] == type_]


def _handler(listener: Listener) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(listener.take(dict(self.headers.items()), body))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Silent: the demo's screen is for the story."""

    return Handler
