"""What a request of the internal door has at hand: the deps, who calls, and its id."""

import re
import secrets
from dataclasses import dataclass
from typing import cast

import structlog
from flask import Flask, Response, current_app, g, request

from shared.configuration import App
from shared.deps import Deps
from webhook.api.keyring import Keyring

_EXTENSION = "finestra"
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Door:
    deps: Deps
    keyring: Keyring


def install_context(app: Flask, door: Door) -> None:
    app.extensions[_EXTENSION] = door
    app.before_request(_bind_request)
    app.after_request(_echo_request_id)
    app.teardown_request(_unbind_request)


def door() -> Door:
    return cast("Door", current_app.extensions[_EXTENSION])


def deps() -> Deps:
    return door().deps


def caller() -> App:
    """Whose key it is; only where a key was asked for."""
    return cast("App", g.caller)


def _bind_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _SANE_ID.fullmatch(given) else f"req-{secrets.token_urlsafe(12)}"
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _echo_request_id(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    return response


def _unbind_request(_error: BaseException | None) -> None:
    structlog.contextvars.clear_contextvars()
