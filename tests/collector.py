"""A collector of OpenTelemetry for tests: takes spans over HTTP and keeps them, or never answers."""

import http.server
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Span:
    """One span as it came in."""

    resource: dict[str, Any]
    name: str
    attributes: dict[str, Any]
    raw: Any

    @property
    def ids(self) -> tuple[bytes, bytes, bytes]:
        """Of its trace, its own and its parent's."""
        return self.raw.trace_id, self.raw.span_id, self.raw.parent_span_id


def spans_in(body: bytes) -> list[Span]:
    return [
        Span(_plain(of_process.resource.attributes), raw.name, _plain(raw.attributes), raw)
        for of_process in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in of_process.scope_spans
        for raw in scope.spans
    ]


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


class Collector(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *, answers: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.bodies: list[bytes] = []
        self._heard: queue.Queue[Span] = queue.Queue()
        self.may_answer = threading.Event()
        if answers:
            self.may_answer.set()

    def keep(self, body: bytes) -> None:
        self.bodies.append(body)
        for span in spans_in(body):
            self._heard.put(span)

    def next_span(self) -> Span:
        return self._heard.get(timeout=20)

    @property
    def spans(self) -> list[Span]:
        """All that came."""
        return [span for body in tuple(self.bodies) for span in spans_in(body)]

    @contextmanager
    def listening(self) -> Iterator["Collector"]:
        thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.may_answer.set()
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.keep(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.may_answer.wait()
        with suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_):
        """Silent."""
