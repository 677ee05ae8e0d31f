"""Composition root of the web processes: `gunicorn 'webhook.wsgi:receiver()'` and `'webhook.wsgi:api()'`."""

from flask import Flask

from shared.deps import Deps, build_deps
from shared.observability import configure_logging
from shared.queues import Doorbell, make_celery
from shared.settings import load_settings
from webhook.api.app import create_api
from webhook.app import create_receiver

# An app must not wait for a broker: the ticker rings for whoever could not.
_BELL_SECONDS = 0.25


def receiver() -> Flask:
    return create_receiver(_deps())


def api() -> Flask:
    return create_api(_deps())


def _deps() -> Deps:
    settings = load_settings()
    configure_logging(settings.log_format)
    celery = make_celery(settings, socket_timeout_seconds=_BELL_SECONDS)
    return build_deps(settings, Doorbell(celery).ring)
