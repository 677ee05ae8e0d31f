"""Plays a fault on the answer to a request. The only place that touches the server's socket."""

import socket
from typing import Any

from flask import Response, request

from sandbox.faults import Fault
from sandbox.world import World

_HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def bare_answer(fault: Fault) -> Response:
    """What a proxy in front of a dead provider says."""
    status = fault.status or 502
    return Response(_HTML.format(status), status=status, mimetype="text/html")


def before_answering(fault: Fault | None, world: World) -> None:
    """The request is handled; now the answer is withheld for a while, or for good."""
    if fault is None:
        return
    if fault.kind == "hang":
        world.pause(fault.seconds)
    if fault.kind == "drop":
        _hang_up(request.environ)


def _hang_up(environ: dict[str, Any]) -> None:
    """Close the connection under the server, so that the caller sees no answer at all.

    WSGI has no word for this; both servers the sandbox runs under lend their socket.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionAbortedError("this server lends no socket to close")
    connection.shutdown(socket.SHUT_RDWR)
