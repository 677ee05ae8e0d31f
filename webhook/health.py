"""Two questions of whoever watches the process: does it run, and can it keep what it takes.

Only Redis makes it red: a provider that is away is a matter of the workers.
"""

from http import HTTPStatus

from flask import Flask, Response, jsonify

from shared.errors import StoreUnavailableError
from shared.store.health import Health


def install_health(app: Flask, health: Health) -> None:
    def live() -> Response:
        return jsonify(status="ok")

    def ready() -> tuple[Response, HTTPStatus]:
        reason = _trouble(health)
        if reason is None:
            return jsonify(status="ok"), HTTPStatus.OK
        return jsonify(status="unavailable", reason=reason), HTTPStatus.SERVICE_UNAVAILABLE

    app.add_url_rule("/livez", "livez", live)
    app.add_url_rule("/readyz", "readyz", ready)


def _trouble(health: Health) -> str | None:
    try:
        return health.trouble()
    except StoreUnavailableError as exc:
        return f"Redis does not answer or takes no writes ({exc})"
