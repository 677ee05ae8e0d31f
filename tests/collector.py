"""A collector of OpenTelemetry for tests: takes spans over HTTP and keeps them, or never answers."""

import queue
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.hearing import Hearing


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


class Collector(Hearing):
    def __init__(self, *, answers: bool = True) -> None:
        super().__init__(answers=answers)
        self.url = f"http://{self.address}"
        self.bodies: list[bytes] = []
        self._heard: queue.Queue[Span] = queue.Queue()

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
