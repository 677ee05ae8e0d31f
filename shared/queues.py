"""Queue and task names, and the doorbell: how the doors speak to the workers without importing them.

A doorbell carries no work, only whose lanes to look at; losing or doubling it delays and loses nothing.
"""

from celery import Celery
from kombu import Queue
from kombu.exceptions import KombuError, OperationalError

from shared.configuration import AnySender, Configuration
from shared.observability import LogEvent, get_logger
from shared.settings import Settings

OUTBOUND = "outbound"
EVENTS = "events"
MAINTENANCE = "maintenance"
#: The name of a queue and of its one task: the door for apps that have Celery and no HTTP.
SUBMIT = "outbound.submit"
DRAIN = "outbound.drain"
PUSH = "events.push"
#: Reads an account's list of templates; the sender is the one that asks.
SYNC = "maintenance.sync_templates"
#: Completes erasures that were interrupted.
ERASE = "maintenance.complete_erasures"
#: Drains at once, at least: each has threads of its own for what it sends.
_DRAINS = 4
#: Kinds of upkeep: a long one keeps the other waiting no more than a drain.
_UPKEEP = 2
_IMPATIENT_SECONDS = 0.25
#: Submissions at once; each is a round trip or two.
_SUBMISSIONS = 8
#: After this a submission whose worker died comes again: longer than one takes with the store away.
_VISIBLE_AGAIN_SECONDS = 60


def make_celery(settings: Settings, *, socket_timeout_seconds: float = 5.0) -> Celery:
    """A Celery app on our broker, as workers need it: patient, it comes back whatever happens."""
    app = Celery("finestra", set_as_current=False)
    app.conf.update(
        broker_url=settings.broker_url.reveal(),
        broker_transport_options={
            # What is owed stands in our own keys, so a lost bell costs half a second and the emulation of
            # acknowledgements would cost two thirds of the worker.
            "ack_emulation": False,
            "socket_timeout": socket_timeout_seconds,
            "socket_connect_timeout": min(socket_timeout_seconds, 2.0),
            "socket_keepalive": True,
            "health_check_interval": 10,
            "global_keyprefix": "finestra-broker:",
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_default_queue=OUTBOUND,
        task_queues=[Queue(OUTBOUND), Queue(EVENTS), Queue(MAINTENANCE)],
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_publish_retry=False,
        worker_pool="threads",
        worker_concurrency=_threads(settings.configuration),
        worker_prefetch_multiplier=1,
        worker_send_task_events=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        enable_utc=True,
    )
    return app


def make_door_celery(settings: Settings) -> Celery:
    """For the worker of the Celery door: what it takes is work, so it is acknowledged only when it is done.

    Its arguments are people: no events of tasks, and nobody may ask it from outside what it has in hand.
    """
    app = make_celery(settings)
    app.conf.update(
        broker_transport_options={
            **app.conf.broker_transport_options,
            "ack_emulation": True,
            "visibility_timeout": _VISIBLE_AGAIN_SECONDS,
            # Kombu looks for what nobody acknowledged once in interval times throttle.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
        },
        task_queues=[Queue(SUBMIT)],
        task_default_queue=SUBMIT,
        task_acks_late=True,
        worker_concurrency=_SUBMISSIONS,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
    )
    return app


def _threads(configuration: Configuration) -> int:
    """One for each bell that can ring, and each kind of upkeep: nobody waits for another that is slow."""
    bells = sum(len(configuration.businesses_of(app)) for app in configuration.pushed_apps)
    return max(_DRAINS, len(configuration.senders)) + bells + _UPKEEP


def make_impatient_celery(settings: Settings) -> Celery:
    """For what must not wait for a broker: bells and events, which may be lost."""
    app = make_celery(settings, socket_timeout_seconds=_IMPATIENT_SECONDS)
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, "max_retries": 0}
    return app


def broker_trouble(settings: Settings) -> str | None:
    """Why the broker takes no bell; None: it would."""
    app = make_celery(settings, socket_timeout_seconds=_IMPATIENT_SECONDS * 4)
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
    except (OperationalError, KombuError, OSError) as exc:
        return type(exc.__cause__ or exc).__name__
    return None


class Doorbell:
    """Rings for a sender, or for an app that is to be told something.

    Half a second at most; a failure is logged, the ticker rings again.
    """

    def __init__(self, settings: Settings) -> None:
        self._app = make_impatient_celery(settings)

    def ring(self, sender: AnySender) -> None:
        self._send(DRAIN, OUTBOUND, sender.business, sender.alias)

    def pass_on(self, sender: AnySender) -> None:
        """Ring for whoever waits the longest: not for us, who have just come back from the door."""
        self._send(DRAIN, OUTBOUND, sender.business, sender.alias, is_passed_on=True)

    def ring_for_app(self, business: str, app: str) -> None:
        self._send(PUSH, EVENTS, business, app)

    def ring_for_templates(self, sender: AnySender) -> None:
        self._send(SYNC, MAINTENANCE, sender.business, sender.alias)

    def ring_for_erasures(self, business: str) -> None:
        self._send(ERASE, MAINTENANCE, business)

    def _send(self, task: str, queue: str, *whom: str, **more: bool) -> None:
        """`whom`: the business, and who of it."""
        try:
            self._app.send_task(task, args=whom, kwargs=more, queue=queue, retry=False)
        except (OperationalError, KombuError, OSError) as exc:
            get_logger().warning(LogEvent.BELL_NOT_RUNG, whom=whom[-1], error=type(exc).__name__)
