"""Spans of OpenTelemetry, written from pieces of work: built field by field, sent in batches by a thread.

A message's trace has an id made from the message's own, so that every process finds it without being told.
Nobody else adds spans here: this is not the SDK's global provider, and no library is instrumented.
"""

import atexit
import logging
import os
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shared.observability import LogEvent, get_logger, mask_people, place_of
from shared.tracing import Work

#: All that a span can say, and which field says it.
ATTRIBUTES = {
    "http.request.method": "method",
    "http.route": "route",
    "http.response.status_code": "status",
    "error.type": "error",
    "finestra.request_id": "request_id",
    "finestra.message_id": "message_id",
    "finestra.app": "app",
    "finestra.sender": "sender",
    "finestra.provider": "provider",
    "finestra.attempt": "attempt",
    "finestra.outcome": "outcome",
    "finestra.code": "code",
    "finestra.event": "event",
    "finestra.event_id": "event_id",
}
#: One word of ours, or a method and whom it asked: a text that strays here is hidden.
_WORD = re.compile(r"[\w.:/{}-]{1,128}", re.ASCII)
_NAME = re.compile(r"(?:[A-Za-z]{1,7} )?[\w.:/{}-]{1,120}", re.ASCII)
_STOP_WITHIN_MS = 1000
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope("finestra")


class Spans:
    """Safe to use from many threads, and on both sides of a fork."""

    def __init__(self, new_exporter: Callable[[], SpanExporter], process: str) -> None:
        """What is standard is read from `OTEL_…` by the SDK: sampler, sizes, headers, certificates."""
        ours = Resource({"service.name": f"finestra-{process}", "service.version": version("finestra")})
        self._resource = ours.merge(OTELResourceDetector().detect())
        self._sampler = TracerProvider(resource=self._resource, shutdown_on_exit=False).sampler
        self._batches = _Batches(_Exporter(new_exporter))
        self._is_broken = False
        _quieten()
        atexit.register(self._batches.shutdown)

    def tell(self, work: Work) -> None:
        """Into a bounded queue; when it is full the oldest goes. After a bug of ours: nothing more."""
        if self._is_broken:
            return
        try:
            self._tell(work)
        except Exception as exc:  # noqa: BLE001 - what was done is done, and is recorded whatever happens here
            self._is_broken = True
            get_logger().error(LogEvent.BUG, where="tracing", error=type(exc).__name__, at=place_of(exc))

    def _tell(self, work: Work) -> None:
        ids = _ids(work)
        # By the id of the trace, so that all processes choose the same ones.
        chosen = self._sampler.should_sample(None, ids[0], work.name)
        if chosen.decision is Decision.RECORD_AND_SAMPLE:
            self._batches.on_end(_span(work, ids, self._resource))


def exporter_to(endpoint: str) -> SpanExporter:
    return OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")


class _Batches(BatchSpanProcessor):
    def shutdown(self) -> None:
        """Send what is left, if somebody takes it at once: a process stops in time all the same."""
        self._batch_processor.shutdown(timeout_millis=_STOP_WITHIN_MS)


class _Exporter(SpanExporter):
    """Says once that spans are lost, and once that they are not any more. Used by one thread."""

    def __init__(self, new: Callable[[], SpanExporter]) -> None:
        self._new = new
        self._exporter, self._pid = new(), os.getpid()
        self._is_taken = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._pid != os.getpid():  # the connection is the parent's
            self._exporter, self._pid = self._new(), os.getpid()
        result = self._exporter.export(spans)
        is_taken = result is SpanExportResult.SUCCESS
        if is_taken != self._is_taken:
            get_logger().warning(LogEvent.SPANS_TAKEN if is_taken else LogEvent.SPANS_NOT_TAKEN)
        self._is_taken = is_taken
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _quieten() -> None:
    """What the SDK has to say of a collector that is away, batch by batch and span by span, is said above."""
    logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.CRITICAL)
    logging.getLogger("opentelemetry.sdk._shared_internal").setLevel(logging.ERROR)


def _span(work: Work, ids: tuple[int, int, int], resource: Resource) -> ReadableSpan:
    trace_id, span_id, parent_id = ids
    return ReadableSpan(
        name=_picked(work.name, _NAME),
        context=SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED),
        parent=SpanContext(trace_id, parent_id, is_remote=True, trace_flags=_SAMPLED) if parent_id else None,
        resource=resource,
        attributes={
            name: _picked(value)
            for name, field in ATTRIBUTES.items()
            if (value := getattr(work, field)) is not None
        },
        kind=SpanKind[work.side.upper()],
        status=Status(StatusCode.ERROR if work.is_failed else StatusCode.UNSET),
        start_time=_nanoseconds(work.started_at),
        end_time=_nanoseconds(work.ended_at),
        instrumentation_scope=_SCOPE,
    )


def _ids(work: Work) -> tuple[int, int, int]:
    """Of the trace, the span and its parent; 0: it has none."""
    own = int.from_bytes(secrets.token_bytes(8))
    if work.message_id is None:
        return int.from_bytes(secrets.token_bytes(16)), own, 0
    digest = blake2b(work.message_id.encode(), digest_size=24).digest()
    trace_id, origin = int.from_bytes(digest[:16]), int.from_bytes(digest[16:])
    return (trace_id, origin, 0) if work.is_origin else (trace_id, own, origin)


def _picked(value: str | int, form: re.Pattern[str] = _WORD) -> Any:  # noqa: ANN401 - as the mask is typed
    """Names, ids and codes pass as they are."""
    masked = mask_people(None, "", {"value": value})["value"]
    return masked if isinstance(masked, int) or form.fullmatch(masked) else "[hidden]"


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
