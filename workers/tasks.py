"""The only decorated functions: each parses its arguments, calls one handler and says what came of it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from celery import Celery
from celery.exceptions import Reject

from shared.callbacks.client import CallbackClient
from shared.configuration import AnySender, MetaSender
from shared.deps import Deps
from shared.errors import FinestraError, StoreUnavailableError
from shared.observability import LogEvent, get_logger, place_of
from shared.queues import DRAIN, ERASE, PUSH, SUBMIT, SYNC
from shared.template_sync import sync_templates
from shared.tracing import Work
from workers.callbacks import MOST_IN_HAND, Pusher
from workers.drains import Drains
from workers.monitor import Monitor
from workers.report import tell_settled
from workers.submissions import INTERNAL_ERROR, Handed, Submissions
from workers.ticker import Ticker

#: How long a submission stays in hand while the store is away, before it goes back to its queue.
_PAUSE_SECONDS = 5.0


class TaskFailedError(FinestraError):
    """All that Celery and Flower hear of a bug: the error's name. Its text may quote a person."""


@contextmanager
def _bugs_named(deps: Deps, where: str, **whose: str) -> Iterator[None]:
    """Log a bug with its place; what is raised on says no more than its name. Tell of the task's run."""
    started_at, error = deps.clock.now(), None
    try:
        yield
    except StoreUnavailableError as exc:
        error = type(exc).__name__
        raise
    except Exception as exc:  # noqa: BLE001 - Celery and Flower show the text and the traceback of what is raised
        error = type(exc).__name__
        get_logger().error(LogEvent.BUG, where=where, error=error, at=place_of(exc), **whose)
        raise TaskFailedError(error) from None
    finally:
        deps.on_work(_run(deps, where, started_at, error, **whose))


def _run(deps: Deps, task: str, started_at: datetime, error: str | None, **whose: str) -> Work:
    return Work(
        name=task,
        started_at=started_at,
        ended_at=deps.clock.now(),
        is_failed=error is not None,
        error=error,
        sender=whose.get("sender"),
        app=whose.get("app"),
    )


def register(
    app: Celery,
    deps: Deps,
    monitor: Monitor,
    ticker: Ticker,
    stopping: threading.Event,
    *,
    pass_on: Callable[[AnySender], None],
) -> None:
    """`pass_on`: rings for a sender once more, for another process."""
    _register_drain(app, deps, monitor, ticker, stopping, pass_on)
    _register_push(app, deps)
    _register_sync(app, deps)
    _register_erase(app, deps, stopping)


def _register_erase(app: Celery, deps: Deps, stopping: threading.Event) -> None:
    businesses = {one.business for one in deps.settings.configuration.senders.values()}

    @app.task(name=ERASE, shared=False)
    def erase(business: str) -> str:
        """Complete what an erase has left. Ringing twice, or for a business that is gone, is harmless."""
        if business not in businesses:
            return f"{business} → no such business here"
        try:
            with _bugs_named(deps, ERASE, business=business):
                done = deps.erasure.resume(business, is_stopping=stopping.is_set)
        except StoreUnavailableError as exc:
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where=ERASE, business=business, error=str(exc))
            return f"{business} → the store does not answer"
        if done is None:
            return f"{business} → somebody is at it"
        get_logger().info(LogEvent.ERASURES_COMPLETED, business=business, done=done)
        return f"{business} → {done} completed"


def _register_sync(app: Celery, deps: Deps) -> None:
    @app.task(name=SYNC, shared=False)
    def sync(business: str, alias: str) -> str:
        """Read the provider's list of templates. Ringing twice, or for a sender that is gone, is harmless."""
        sender = deps.sender(alias)
        if not isinstance(sender, MetaSender) or sender.business != business:
            return f"{alias} → no such sender with a list of templates here"
        try:
            with _bugs_named(deps, SYNC, sender=alias):
                report = sync_templates(deps, sender)
        except StoreUnavailableError as exc:
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where=SYNC, sender=alias, error=str(exc))
            return f"{alias} → the store does not answer"
        return f"{alias} → {report.listed} listed, {report.changed} changed, {report.failed_with or 'whole'}"


def _register_push(app: Celery, deps: Deps) -> None:
    apps = {one.name: one for one in deps.settings.configuration.pushed_apps}
    clients = {one.name: CallbackClient(one) for one in apps.values()}
    threads = {one: ThreadPoolExecutor(MOST_IN_HAND, thread_name_prefix=f"push-{one}") for one in apps}

    @app.task(name=PUSH, shared=False)
    def push(business: str, name: str) -> str:
        """Push to one app what it was not told yet. Ringing twice, or for one that is gone, is harmless."""
        if name not in apps:
            return f"{name} → no such app here"
        try:
            with _bugs_named(deps, PUSH, app=name):
                told = Pusher(deps, apps[name], business, clients[name], threads[name]).run()
        except StoreUnavailableError as exc:
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where=PUSH, app=name, error=str(exc))
            return f"{name} → the store does not answer"
        get_logger().info(LogEvent.PUSHED, app=name, report=told)
        return told


def _register_drain(
    app: Celery,
    deps: Deps,
    monitor: Monitor,
    ticker: Ticker,
    stopping: threading.Event,
    pass_on: Callable[[AnySender], None],
) -> None:
    drains = Drains(deps, stopping, when_limited=ticker.watch)

    @app.task(name=DRAIN, shared=False)
    def drain(business: str, alias: str, *, is_passed_on: bool = False) -> str:
        """Look at the lanes of one sender. Ringing twice, or for a sender that is gone, harms nothing.

        Who is loaded with that sender already passes a bell on once, so that all processes share the work.
        """
        sender = deps.sender(alias)
        if sender is None or sender.business != business:
            return f"{alias} → no such sender here"
        if not is_passed_on and drains.is_loaded_with(alias):
            pass_on(sender)
            return f"{alias} → passed on"
        try:
            with _bugs_named(deps, DRAIN, sender=alias):
                report = drains.run(sender)
        except StoreUnavailableError as exc:
            # Whoever watches the clock rings again; what was in hand is given back by its lease.
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where=DRAIN, sender=alias, error=str(exc))
            return f"{alias} → the store does not answer"
        if report.must_ring:
            deps.ring(sender)
        monitor.show(alias, report.settled)
        tell_settled(alias, report.settled)
        get_logger().info(LogEvent.DRAINED, sender=alias, report=str(report))
        return str(report)


def register_submit(app: Celery, submissions: Submissions, stopping: threading.Event) -> None:
    """The one task that carries work: acknowledged when it has returned, accepted or listed as refused."""

    @app.task(name=SUBMIT, typing=False, shared=False)
    def submit(*arguments: object, **named: object) -> str:
        """Accept a message; what a bug of ours cannot take is listed too."""
        handed = Handed(task_id=str(submit.request.id), arguments=arguments, named=named)
        try:
            return _submitted(submissions, handed)
        except StoreUnavailableError as exc:
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where=SUBMIT, error=str(exc))
            stopping.wait(_PAUSE_SECONDS)
            raise Reject("the store does not answer", requeue=True) from None


def _submitted(submissions: Submissions, handed: Handed) -> str:
    try:
        return submissions.take(handed)
    except StoreUnavailableError:
        raise
    except Exception as exc:  # noqa: BLE001 - what came must be listed, whatever is wrong with us
        get_logger().error(LogEvent.BUG, where=SUBMIT, error=type(exc).__name__, at=place_of(exc))
        submissions.refuse(handed.task_id, handed.raw(), INTERNAL_ERROR, handed.named)
        return f"refused: {INTERNAL_ERROR}"
