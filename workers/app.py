"""Composition root of the workers: settings, then the real things, then Celery.

Run it as `celery -A workers.app:app worker`.
Importing this module does nothing; asking it for `app` builds it, once.
"""

import gc
import threading
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging, worker_ready, worker_shutting_down
from celery.utils.nodenames import default_nodename

from shared.deps import build_deps
from shared.error_reports import error_reports
from shared.errors import StoreUnavailableError
from shared.library_logs import take_over_logging
from shared.observability import LogEvent, configure_logging, get_logger, place_of
from shared.queues import Doorbell, make_celery, make_impatient_celery
from shared.settings import load_settings
from shared.tracing import tracing
from workers.monitor import Monitor
from workers.tasks import register
from workers.ticker import Ticker
from workers.upkeep import Upkeep

_GLANCE_SECONDS = 0.1
#: Claims in hand and the rows of a drain are some ten thousand values, all gone with it, none of them in a
#: cycle: only what grows beyond that is worth a look.
_GARBAGE_THRESHOLDS = (100_000, 20, 20)
_GLANCES_PER_BEAT = 5


def __getattr__(name: str) -> Celery:
    """`workers.app:app`, built when first asked for."""
    if name == "app":
        return build_app()
    raise AttributeError(name)


@cache
def build_app() -> Celery:
    settings = load_settings()
    configure_logging(settings.log_format, error_reports(settings.sentry_dsn.reveal()))
    setup_logging.connect(_take_over_logging, weak=False)
    celery = make_celery(settings)
    doorbell = Doorbell(settings)
    on_work = tracing(settings.otlp_endpoint.reveal(), "worker")
    deps = replace(build_deps(settings, doorbell.ring), on_work=on_work)
    deps.tallies.keep_flushing()
    stopping = threading.Event()

    def stop_claiming(**_: object) -> None:
        stopping.set()

    worker_shutting_down.connect(stop_claiming, weak=False)
    worker_ready.connect(_spare_the_collector, weak=False)
    upkeep = Upkeep(deps, ring_for_templates=doorbell.ring_for_templates)
    monitor = Monitor(make_impatient_celery(settings), default_nodename(""))
    ticker = Ticker(
        deps,
        ring_for_app=doorbell.ring_for_app,
        upkeep=upkeep.beat,
        ring_for_erasures=doorbell.ring_for_erasures,
        show_reported=monitor.show_reported,
        show_lapsed=monitor.show_lapsed,
    )
    register(celery, deps, monitor, ticker, stopping, pass_on=doorbell.pass_on)
    celery.steps["worker"].add(_ticker_step(ticker))
    return celery


def _take_over_logging(**_: object) -> None:
    """Celery's own lines quote whatever it is sent."""
    take_over_logging()


def _spare_the_collector(**_: object) -> None:
    """What stands by now stays: to look for garbage among it, every 700 values, took a fifth of a drain."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def _ticker_step(ticker: Ticker) -> type[bootsteps.StartStopStep]:
    """The ticker lives and dies with its worker, on its own thread: the consumer must not wait for Redis."""

    class TickerStep(bootsteps.StartStopStep):
        def __init__(self, parent: Any, **options: Any) -> None:  # noqa: ANN401 - Celery's signature
            super().__init__(parent, **options)
            self._over = threading.Event()

        def start(self, parent: Any) -> None:  # noqa: ANN401, ARG002
            threading.Thread(
                target=_beat_until, args=(ticker, self._over), name="ticker", daemon=True
            ).start()

        def stop(self, parent: Any) -> None:  # noqa: ANN401, ARG002
            self._over.set()

    return TickerStep


def _beat_until(ticker: Ticker, over: threading.Event) -> None:
    for glance in count(1):
        if over.wait(_GLANCE_SECONDS):
            return
        try:
            if glance % _GLANCES_PER_BEAT:
                ticker.glance()
            else:
                ticker.beat()
        except StoreUnavailableError as exc:
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where="ticker", error=str(exc))
        except Exception as exc:  # noqa: BLE001 - a worker without its ticker would look alive and do nothing
            get_logger().error(LogEvent.BUG, where="ticker", error=type(exc).__name__, at=place_of(exc))
