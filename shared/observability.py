"""Logs: one JSON line a piece of work, with a declared event name and no person in it.

People are masked here, at the logger, and not by memory: anything that looks like a phone number is hidden,
and fields that hold texts are dropped.
"""

import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog


class LogEvent(StrEnum):
    """Every event name there is."""

    WEBHOOK = "webhook"
    WEBHOOK_REFUSED = "webhook_refused"
    ACCESS_REFUSED = "access_refused"
    QUARANTINE_REPLAYED = "quarantine_replayed"
    QUARANTINE_REMOVED = "quarantine_removed"
    MESSAGE_ACCEPTED = "message_accepted"
    BATCH_ACCEPTED = "batch_accepted"
    CONSENTS_RECORDED = "consents_recorded"
    OPT_OUT_NEARLY_SAID = "opt_out_nearly_said"
    MESSAGES_UNDELIVERED = "messages_undelivered"
    MESSAGES_CHANGED = "messages_changed"
    CONTACT_ERASED = "contact_erased"
    CONTACT_EXPORTED = "contact_exported"
    SECRET_KEY_LOST = "secret_key_lost"  # noqa: S105 - a name
    RETENTION_PASSED = "retention_passed"
    ERASURES_COMPLETED = "erasures_completed"
    SUBMISSION_REFUSED = "submission_refused"
    SUBMISSION_REMOVED = "submission_removed"
    DATA_VERSION_REFUSED = "data_version_refused"
    BELL_NOT_RUNG = "bell_not_rung"
    STORE_UNAVAILABLE = "store_unavailable"
    BUG = "bug"
    LIBRARY_MESSAGE = "library_message"
    REQUEST = "request"
    MESSAGE_SETTLED = "message_settled"
    MESSAGES_SUBMITTED = "messages_submitted"
    INTERNAL_ERROR = "internal_error"
    DRAINED = "drained"
    CALLBACKS_RETRIED = "callbacks_retried"
    CALLBACK_NOT_TAKEN = "callback_not_taken"
    PUSHED = "pushed"
    TEMPLATES_SYNCED = "templates_synced"
    TEMPLATE_STOPPED = "template_stopped"
    TEMPLATE_RELABELLED = "template_relabelled"
    TEMPLATE_CHANGED = "template_changed"
    SENDER_HALTED = "sender_halted"
    SENDER_RESUMED = "sender_resumed"
    CIRCUIT_CHANGED = "circuit_changed"
    UNLISTED_ERROR_CODE = "unlisted_error_code"
    LEASES_ENDED = "leases_ended"
    CLOCK_NOT_MEASURED = "clock_not_measured"
    EVENTS_NOT_SENT = "events_not_sent"
    SPANS_NOT_TAKEN = "spans_not_taken"
    SPANS_TAKEN = "spans_taken"


# With a `+` also as people write it, `+39 333 123-4567`; without one, any long run of digits. The digits of
# our own ids (of messages and events), of nginx's requests and of Celery's tasks are nobody's number.
_NUMBER = re.compile(
    r"(?P<ours>msg_[0-9A-Z]{26}|evt_[\w-]+_\d{13}-\d+|(?<![0-9A-Za-z])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"(?![0-9A-Za-z]))|\+\d[\d\s().-]{5,}\d|\d{8,}"
)
_SMALLEST_NUMBER = 10_000_000
_FRAMES = 4
_DROPPED = frozenset({"text", "body", "raw", "payload", "variables", "name"})


def configure_logging(log_format: str, on_bug: Callable[[Mapping[str, Any]], None] | None = None) -> None:
    """Everything to stdout; `log_format` is `json` or `console`. `on_bug` hears of bugs, masked."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if log_format == "console" else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_people,
            *([_teller(on_bug)] if on_bug else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )


def _teller(on_bug: Callable[[Mapping[str, Any]], None]) -> Callable[[object, str, Any], Any]:
    def tell(_logger: object, _method: str, event: Any) -> Any:  # noqa: ANN401 - structlog's signature
        if event.get("event") == LogEvent.BUG:
            on_bug(event)
        return event

    return tell


def mask_people(_logger: object, _method: str, event: Any) -> Any:  # noqa: ANN401 - structlog's signature
    """Hide what may be a number, drop what may be a text."""
    return {name: _masked(value) for name, value in event.items() if name not in _DROPPED}


def _masked(value: object) -> object:
    match value:
        case int() if abs(value) >= _SMALLEST_NUMBER:
            return "[number]"
        case None | bool() | int() | float():
            return value
        case dict():
            return {masked(str(name)): one for name, one in mask_people(None, "", value).items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(item) for item in value]
        case _:  # ids, errors and the like are shown by their text, which may hold a number
            return masked(str(value))


def masked(text: str) -> str:
    """`text` without what may be a number."""
    return _NUMBER.sub(_hidden, text)


def _hidden(match: re.Match[str]) -> str:
    return match[0] if match["ours"] else "[number]"


def get_logger() -> Any:  # noqa: ANN401 - structlog's loggers are Any
    return structlog.get_logger()


def place_of(error: BaseException) -> str:
    """Where an error came from: the innermost frames, without its text, which may quote a person."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
