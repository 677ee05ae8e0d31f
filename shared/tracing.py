"""Work told to a collector of OpenTelemetry, where one is configured: what may be said of a piece of it.

A span says what `Work` has a field for, and nothing else: no path, no address, no text of an error. It is
told when the work has ended, so that nobody carries one along. The SDK is imported only where it is wanted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.errors import SettingsError


class Side(StrEnum):
    """Who asked whom; named as OpenTelemetry names the kinds of spans."""

    ASKED = "server"
    ASKING = "client"
    NOBODY = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A piece of work that has ended, in names, ids and codes of ours and of the provider's tables."""

    #: A method with a route or with whom was asked, or a task's name.
    name: str
    side: Side = Side.NOBODY
    started_at: datetime
    ended_at: datetime
    is_failed: bool = False
    #: Whose trace it belongs to; None: it has a trace of its own.
    message_id: str | None = None
    #: The message began with it: all else in its trace hangs from this.
    is_origin: bool = False
    method: str | None = None
    route: str | None = None
    status: int | None = None
    request_id: str | None = None
    app: str | None = None
    sender: str | None = None
    provider: str | None = None
    attempt: int | None = None
    outcome: str | None = None
    code: str | None = None
    event: str | None = None
    event_id: str | None = None
    #: The name of a class.
    error: str | None = None


OnWork = Callable[[Work], None]


def nobody(_work: Work) -> None:
    """Where nobody wants to hear."""


def tracing(endpoint: str, process: str) -> OnWork:
    """What is to be called with a piece of work; it never waits and never raises for a collector's sake.

    `endpoint`: of OTLP over HTTP, without `/v1/traces`; empty: nobody hears. `process`: which of ours tells.
    Raises SettingsError where the SDK is missing.
    """
    if not endpoint:
        return nobody
    try:
        from shared.otlp import Spans, exporter_to
    except ImportError as exc:
        mistake = "FINESTRA_OTLP_ENDPOINT: install finestra with the extra `tracing`, or leave it empty"
        raise SettingsError([mistake]) from exc
    return Spans(lambda: exporter_to(endpoint), process).tell
