"""Composition root of the Celery door's worker, and what it does with messages that are no submissions.

Run it as `celery -A workers.door:app worker`; it refuses to start unless FINESTRA_CELERY_DOOR=1.
Importing this module does nothing; asking it for `app` builds it, once.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_shutting_down
from celery.worker.consumer import Consumer
from kombu.exceptions import KombuError

from shared.deps import build_deps
from shared.error_reports import error_reports
from shared.errors import SettingsError, StoreUnavailableError
from shared.library_logs import take_over_logging
from shared.observability import LogEvent, configure_logging, get_logger
from shared.queues import SUBMIT, Doorbell, make_door_celery
from shared.settings import load_settings
from shared.tracing import tracing
from workers.submissions import NOT_A_SUBMISSION, Submissions
from workers.tasks import register_submit

#: How long what cannot be listed now stays in hand before it goes back to the queue.
_PAUSE_SECONDS = 5.0


def __getattr__(name: str) -> Celery:
    """`workers.door:app`, built when first asked for."""
    if name == "app":
        return build_app()
    raise AttributeError(name)


@cache
def build_app() -> Celery:
    settings = load_settings()
    if not settings.celery_door:
        raise SettingsError(["FINESTRA_CELERY_DOOR: set it to 1 to let whoever reaches the broker send"])
    configure_logging(settings.log_format, error_reports(settings.sentry_dsn.reveal()))
    setup_logging.connect(_take_over_logging, weak=False)
    celery = make_door_celery(settings)
    on_work = tracing(settings.otlp_endpoint.reveal(), "submit")
    submissions = Submissions(replace(build_deps(settings, Doorbell(settings).ring), on_work=on_work))
    stopping = threading.Event()

    def stop_waiting(**_: object) -> None:
        stopping.set()

    worker_shutting_down.connect(stop_waiting, weak=False)
    register_submit(celery, submissions, stopping)
    celery.conf.worker_consumer = consumer_of(submissions)
    return celery


def _take_over_logging(**_: object) -> None:
    """Celery's own lines quote whatever it is sent."""
    take_over_logging()


def consumer_of(submissions: Submissions) -> type[Consumer]:
    """Celery drops what it cannot read, and logs all of it: here such a message is listed, and not logged."""

    class DoorConsumer(Consumer):
        def create_task_handler(self, *arguments: Any, **named: Any) -> Callable[[Any], None]:  # noqa: ANN401
            take = super().create_task_handler(*arguments, **named)

            def receive(message: Any) -> None:  # noqa: ANN401 - kombu's message
                if is_submission(message):
                    take(message)
                else:
                    self._set_aside(message)

            return receive

        def _set_aside(self, message: Any) -> None:  # noqa: ANN401 - kombu's message
            try:
                submissions.refuse(_id_of(message), text_of(message), NOT_A_SUBMISSION, {})
            except StoreUnavailableError as exc:
                get_logger().warning(LogEvent.STORE_UNAVAILABLE, where=SUBMIT, error=str(exc))
                self.timer.call_after(_PAUSE_SECONDS, message.requeue)
            else:
                message.ack()

    return DoorConsumer


def is_submission(message: Any) -> bool:  # noqa: ANN401 - kombu's message
    """Whether Celery can read it, and finds our one task in it; in either of Celery's protocols."""
    try:
        payload = message.decode()
    except (KombuError, ValueError, LookupError, TypeError):
        return False
    headers = message.headers or {}
    if "task" not in headers:
        named = payload.get("kwargs") if isinstance(payload, dict) else None
        return (
            isinstance(named, dict) and payload.get("task") == SUBMIT and isinstance(payload.get("id"), str)
        )
    is_ours = headers["task"] == SUBMIT and isinstance(headers.get("id"), str)
    return is_ours and _is_body(payload)


def _is_body(payload: object) -> bool:
    match payload:
        case [list(), dict(), *_]:
            return True
        case _:
            return False


def text_of(message: Any) -> str:  # noqa: ANN401 - kombu's message
    body = message.body
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)


def _id_of(message: Any) -> str:  # noqa: ANN401 - kombu's message
    return str((message.headers or {}).get("id") or message.properties.get("delivery_tag") or "")
