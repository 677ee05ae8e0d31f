"""The only decorated functions: each parses its arguments, calls one handler and says what came of it."""

import threading
from concurrent.futures import ThreadPoolExecutor

from celery import Celery

from shared.deps import Deps
from shared.errors import StoreUnavailableError
from shared.observability import LogEvent, get_logger, place_of
from shared.queues import DRAIN
from workers.monitor import Monitor
from workers.outbound import Drain


def register(app: Celery, deps: Deps, monitor: Monitor, stopping: threading.Event) -> None:
    most_slots = deps.settings.worker_slots
    slots = ThreadPoolExecutor(max_workers=most_slots, thread_name_prefix="slot")

    @app.task(name=DRAIN)
    def drain(business: str, alias: str) -> str:
        """Look at the lanes of one sender. Ringing twice, or for a sender that is gone, harms nothing."""
        sender = deps.sender(alias)
        if sender is None or sender.business != business:
            return f"{alias} → no such sender here"
        try:
            report = Drain(deps, sender, slots, most_slots=most_slots, stopping=stopping).run()
        except StoreUnavailableError as exc:
            # Whoever watches the clock rings again; what was in hand is given back by its lease.
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where=DRAIN, sender=alias, error=str(exc))
            return f"{alias} → the store does not answer"
        except Exception as exc:
            get_logger().error(
                LogEvent.BUG, where=DRAIN, sender=alias, error=type(exc).__name__, at=place_of(exc)
            )
            raise
        if report.must_ring:
            deps.ring(sender)
        monitor.show(report.settled)
        get_logger().info(LogEvent.DRAINED, sender=alias, report=str(report))
        return str(report)
