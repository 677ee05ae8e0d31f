"""The id of a request, at both doors: bound to every line of the log, and echoed to whoever asked."""

import re
import secrets

import structlog
from flask import Flask, Response, g, request

from shared.observability import masked

_SANE = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)


def install_request_id(app: Flask) -> None:
    """The caller's, where it is one that can be logged; else one of ours."""
    app.before_request(_bind)
    app.after_request(_echo)
    app.teardown_request(_unbind)


def _bind() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _is_sane(given) else f"req-{secrets.token_urlsafe(12)}"
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _is_sane(given: str) -> bool:
    """Fit for a header and a log, and with nothing in it that may be a number: it is kept with deeds, too."""
    return _SANE.fullmatch(given) is not None and masked(given) == given


def _echo(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    return response


def _unbind(_error: BaseException | None) -> None:
    structlog.contextvars.clear_contextvars()
