"""What a request of the internal door has at hand, the deps and who calls, and what is told of it.

A line in the log, and a piece of work for whoever traces.
"""

import re
import time
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPMethod, HTTPStatus
from typing import cast

from flask import Flask, Response, current_app, g, request

from shared.configuration import App
from shared.deps import Deps
from shared.observability import LogEvent, get_logger
from shared.tracing import Side, Work
from webhook.api.keyring import Keyring
from webhook.request_id import install_request_id

_EXTENSION = "finestra"
_METHODS = frozenset(HTTPMethod)
#: `<string:contact>`, as Flask writes it.
_PLACE_IN_ROUTE = re.compile(r"<(?:[^<>:]+:)?(\w+)>")
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


def began(message_id: str) -> None:
    """The request is where a message's life, and its trace, began."""
    g.began = message_id


def _tell(response: Response) -> Response:
    """A line by route, not by path, which may hold a number. What was accepted has its own line."""
    route = request.url_rule.rule if request.url_rule else None
    method = request.method if request.method in _METHODS else "other"
    app = g.caller.name if "caller" in g else None
    seconds = time.perf_counter() - g.started
    is_probe = route in _PROBES and response.status_code == HTTPStatus.OK
    if response.status_code != HTTPStatus.ACCEPTED and not is_probe:
        get_logger().info(
            LogEvent.REQUEST,
            method=method,
            route=route,
            status=response.status_code,
            app=app,
            seconds=round(seconds, 4),
        )
    if not is_probe:
        deps().on_work(_work(method, route, response.status_code, app, seconds))
    return response


def _work(method: str, route: str | None, status: int, app: str | None, seconds: float) -> Work:
    now = deps().clock.now()
    shown = _PLACE_IN_ROUTE.sub(r"{\1}", route) if route else None
    return Work(
        name=f"{method} {shown}" if shown else method,
        side=Side.ASKED,
        started_at=now - timedelta(seconds=seconds),
        ended_at=now,
        is_failed=status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        message_id=g.get("began"),
        is_origin="began" in g,
        method=method,
        route=shown,
        status=status,
        request_id=g.request_id,
        app=app,
    )
