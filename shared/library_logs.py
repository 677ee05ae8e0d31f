"""What libraries log, in our form: their own words, without what they put into them.

Celery quotes a message that it cannot read, gunicorn a request, an exception what it met: of all that nothing
is taken over but numbers and the names of errors. Our own errors have texts that are fit for logs.
"""

import logging
import re
import sys
import threading
from types import TracebackType
from typing import Any

import structlog

from shared.errors import FinestraError
from shared.observability import LogEvent, configure_logging, get_logger, place_of

#: A text without arguments may have been put together already: what follows a colon or a quote is not shown.
_BEFORE_WORDS = re.compile(r"[^:'\"\[{\n]*")
_UNSHOWN = "…"


class LibraryHandler(logging.Handler):
    """For `logging`: one line of ours for each record."""

    def emit(self, record: logging.LogRecord) -> None:
        if not structlog.is_configured():  # gunicorn's master, which is none of our processes
            configure_logging("json")
        error = record.exc_info[1] if record.exc_info else None
        _tell(record.levelno, library=record.name, said=_said(record), **_named(error))


def take_over_logging() -> None:
    """From now on warnings of every library, and what ends a thread or a process, are lines of ours."""
    root = logging.getLogger()
    root.handlers[:] = [LibraryHandler()]
    root.setLevel(logging.WARNING)
    sys.excepthook = _tell_of_crash
    threading.excepthook = _tell_of_thread


def _said(record: logging.LogRecord) -> str:
    template = str(record.msg)
    if not record.args:
        match = _BEFORE_WORDS.match(template)
        return match[0].strip() if match else ""
    try:
        return str(template % _shown(record.args))
    except (TypeError, ValueError, KeyError):
        return template


def _shown(value: object) -> Any:  # noqa: ANN401 - as deep as logging's arguments
    match value:
        case int() | float():
            return value
        case BaseException():
            return type(value).__name__
        case dict():
            return {name: _shown(one) for name, one in value.items()}
        case tuple():
            return tuple(map(_shown, value))
        case _:
            return _UNSHOWN


def _named(error: BaseException | None) -> dict[str, str]:
    if error is None:
        return {}
    words = {"why": str(error)} if isinstance(error, FinestraError) else {}
    return {"error": type(error).__name__, "at": place_of(error), **words}


def _tell(level: int, **fields: object) -> None:
    log = get_logger().error if level >= logging.ERROR else get_logger().warning
    log(LogEvent.LIBRARY_MESSAGE, **fields)


def _tell_of_crash(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    get_logger().error(LogEvent.BUG, where="process", **_named(error))


def _tell_of_thread(crash: threading.ExceptHookArgs) -> None:
    name = crash.thread.name if crash.thread else "unknown"
    get_logger().error(LogEvent.BUG, where=f"thread {name}", **_named(crash.exc_value))
