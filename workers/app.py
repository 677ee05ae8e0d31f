"""Composition root of the workers: settings, then the real things, then Celery.

Run it as `celery -A workers.app:app worker`.
Importing this module does nothing; asking it for `app` builds it, once.
"""

import threading
from functools import cache
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_shutting_down
from celery.utils.nodenames import default_nodename

from shared.deps import Deps, build_deps
from shared.errors import FinestraError
from shared.observability import LogEvent, configure_logging, get_logger
from shared.queues import Doorbell, make_celery
from shared.settings import load_settings
from workers.monitor import Monitor
from workers.tasks import register
from workers.ticker import Ticker

_BEAT_SECONDS = 0.5


def __getattr__(name: str) -> Celery:
    """`workers.app:app`, built when first asked for."""
    if name == "app":
        return build_app()
    raise AttributeError(name)


@cache
def build_app() -> Celery:
    settings = load_settings()
    configure_logging(settings.log_format)
    celery = make_celery(settings)
    deps = build_deps(settings, Doorbell(celery).ring)
    stopping = threading.Event()

    def stop_claiming(**_: object) -> None:
        stopping.set()

    worker_shutting_down.connect(stop_claiming, weak=False)
    register(celery, deps, Monitor(celery, default_nodename("")), stopping)
    celery.steps["worker"].add(_ticker_step(deps))
    return celery


def _ticker_step(deps: Deps) -> type[bootsteps.StartStopStep]:
    """The ticker lives and dies with its worker, on its own thread: the consumer must not wait for Redis."""

    class TickerStep(bootsteps.StartStopStep):
        def __init__(self, parent: Any, **options: Any) -> None:  # noqa: ANN401 - Celery's signature
            super().__init__(parent, **options)
            self._over = threading.Event()

        def start(self, parent: Any) -> None:  # noqa: ANN401, ARG002
            threading.Thread(
                target=_beat_until, args=(Ticker(deps), self._over), name="ticker", daemon=True
            ).start()

        def stop(self, parent: Any) -> None:  # noqa: ANN401, ARG002
            self._over.set()

    return TickerStep


def _beat_until(ticker: Ticker, over: threading.Event) -> None:
    while not over.wait(_BEAT_SECONDS):
        try:
            ticker.beat()
        except FinestraError as exc:
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where="ticker", error=str(exc))
