"""What a request of the internal door has at hand: the deps and who calls; and its line in the log."""

import time
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus
from typing import cast

from flask import Flask, Response, current_app, g, request

from shared.configuration import App
from shared.deps import Deps
from shared.observability import LogEvent, get_logger
from webhook.api.keyring import Keyring
from webhook.request_id import install_request_id

_EXTENSION = "finestra"
_METHODS = frozenset(HTTPMethod)
_PROBES = ("/livez", "/readyz")


@dataclass(frozen=True, slots=True)
class Door:
    deps: Deps
    keyring: Keyring


def install_context(app: Flask, door: Door) -> None:
    app.extensions[_EXTENSION] = door
    install_request_id(app)
    app.before_request(_start)
    app.after_request(_tell)


def door() -> Door:
    return cast("Door", current_app.extensions[_EXTENSION])


def deps() -> Deps:
    return door().deps


def caller() -> App:
    """Whose key it is; only where a key was asked for."""
    return cast("App", g.caller)


def _start() -> None:
    g.started = time.perf_counter()


def _tell(response: Response) -> Response:
    """A line by route, not by path, which may hold a number. What was accepted has its own line."""
    route = request.url_rule.rule if request.url_rule else None
    is_probe = route in _PROBES and response.status_code == HTTPStatus.OK
    if response.status_code != HTTPStatus.ACCEPTED and not is_probe:
        get_logger().info(
            LogEvent.REQUEST,
            method=request.method if request.method in _METHODS else "other",
            route=route,
            status=response.status_code,
            app=g.caller.name if "caller" in g else None,
            seconds=round(time.perf_counter() - g.started, 4),
        )
    return response
