"""Composition root of the web processes: `gunicorn 'webhook.wsgi:receiver()'` and `'webhook.wsgi:api()'`."""

from dataclasses import replace

from flask import Flask

from shared.deps import Deps, build_deps
from shared.error_reports import OnBug, error_reports
from shared.library_logs import take_over_logging
from shared.observability import configure_logging
from shared.queues import Doorbell
from shared.settings import Settings, load_settings
from shared.store.connection import LONG_PATIENCE_SECONDS, PATIENCE_SECONDS
from shared.tracing import tracing
from webhook.api.app import create_api
from webhook.app import create_receiver


def receiver() -> Flask:
    """Its bugs stand in the log, and it has no spans: nothing else is told on the way of a webhook."""
    settings = load_settings()
    deps = _deps(settings, None, patience_seconds=LONG_PATIENCE_SECONDS)
    deps.tallies.keep_flushing()
    return create_receiver(deps)


def api() -> Flask:
    settings = load_settings()
    deps = _deps(settings, error_reports(settings.sentry_dsn.reveal()))
    return create_api(replace(deps, on_work=tracing(settings.otlp_endpoint.reveal(), "api")))


def _deps(settings: Settings, on_bug: OnBug | None, *, patience_seconds: float = PATIENCE_SECONDS) -> Deps:
    configure_logging(settings.log_format, on_bug)
    take_over_logging()
    return build_deps(settings, Doorbell(settings).ring, patience_seconds=patience_seconds)
