"""Builds the two WSGI apps from what they are given; no module-level app, no globals."""

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from shared.deps import Deps
from shared.errors import StoreUnavailableError
from shared.observability import LogEvent, get_logger, place_of
from webhook.body import install_body_limit
from webhook.health import install_health
from webhook.receiver.cm import cm_blueprint
from webhook.receiver.counting import install_counting
from webhook.receiver.meta import meta_blueprint
from webhook.request_id import install_request_id

_RETRY_AFTER_SECONDS = "5"


def create_receiver(deps: Deps) -> Flask:
    """The public door: `/webhooks/…` and health, nothing else."""
    app = Flask("finestra.receiver", static_folder=None)
    install_request_id(app)
    install_counting(app, deps)
    install_body_limit(app)
    app.register_blueprint(meta_blueprint(deps))
    app.register_blueprint(cm_blueprint(deps))
    install_health(app, deps.health)
    app.register_error_handler(StoreUnavailableError, _store_unavailable)
    app.register_error_handler(Exception, _bug)
    return app


def _store_unavailable(error: StoreUnavailableError) -> Response:
    """Nothing is recorded, so the provider has to send it again."""
    get_logger().error(LogEvent.STORE_UNAVAILABLE, where="receiver", error=str(error))
    return Response(status=503, headers={"Retry-After": _RETRY_AFTER_SECONDS})


def _bug(error: Exception) -> HTTPException | Response:
    if isinstance(error, HTTPException):
        return error
    get_logger().error(LogEvent.BUG, where="receiver", error=type(error).__name__, at=place_of(error))
    return Response(status=500)
