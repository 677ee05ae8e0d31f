"""Composition root of the web processes: `gunicorn 'webhook.wsgi:receiver()'` and `'webhook.wsgi:api()'`."""

from flask import Flask

from shared.deps import Deps, build_deps
from shared.library_logs import take_over_logging
from shared.observability import configure_logging
from shared.queues import Doorbell
from shared.settings import load_settings
from webhook.api.app import create_api
from webhook.app import create_receiver


def receiver() -> Flask:
    deps = _deps()
    deps.tallies.keep_flushing()
    return create_receiver(deps)


def api() -> Flask:
    return create_api(_deps())


def _deps() -> Deps:
    settings = load_settings()
    configure_logging(settings.log_format)
    take_over_logging()
    return build_deps(settings, Doorbell(settings).ring)
