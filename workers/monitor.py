"""A row for every message in Flower, from grouped Celery events: one event is enough for a full row.

What fails after the provider had taken it has a row of its own: that of its message would stay green. What
the clock ends, with no worker at it, takes the row of its message over.

Ids, rules and codes only; exception texts are ours, because Flower shows them as they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from celery import Celery
from celery.events import EventDispatcher
from kombu.exceptions import KombuError, OperationalError

from shared.domain.message import MessageState
from shared.observability import LogEvent, get_logger
from shared.store.claims import Outcome
from shared.store.lapses import Lapsed
from shared.store.reported import ReportedFailure
from workers.report import Settled

_EVENT_TYPES = {
    Outcome.SUBMITTED: "task-succeeded",
    Outcome.HELD: "task-succeeded",
    Outcome.EXPIRED: "task-failed",
    Outcome.CANCELLED: "task-succeeded",
    Outcome.FAILED: "task-failed",
    Outcome.REFUSED: "task-failed",
    Outcome.DEFERRED: "task-retried",
    Outcome.WINDOW_REFUSED: "task-retried",
    Outcome.RELEASED: "task-retried",
    # A type of our own becomes a state of its own: UNKNOWN.
    Outcome.UNKNOWN: "task-unknown",
}


#: Stand whatever was before.
_ALWAYS_SHOWN = frozenset({"task-succeeded", "task-retried"})
#: Events in one message to the broker: Celery's own 24 spend most of it on the messages.
_GROUP = 200

#: Its type and its fields.
Event = tuple[str, dict[str, Any]]


class Monitor:
    def __init__(self, app: Celery, hostname: str) -> None:
        self._app = app
        self._hostname = hostname

    def show(self, sender: str, settled: Sequence[Settled]) -> None:
        """Send one event a message, grouped. Flower being away is no reason to stop."""
        if settled:
            self._send(events_of(sender, settled))

    def show_reported(self, failures: Sequence[ReportedFailure]) -> None:
        """Send one event for each; FAILURE if that was the end of its message, else RETRY."""
        if failures:
            self._send(_reported(failures))

    def show_lapsed(self, lapsed: Sequence[Lapsed]) -> None:
        """FAILURE for each that is listed, and one more for those that are only counted."""
        if lapsed:
            self._send(events_of_lapsed(lapsed))

    def _send(self, events: Iterable[Event]) -> None:
        try:
            with self._app.connection_for_write() as connection:
                dispatcher = EventDispatcher(
                    connection,
                    hostname=self._hostname,
                    app=self._app,
                    buffer_group=["task"],
                    buffer_limit=_GROUP,
                )
                for kind, fields in events:
                    dispatcher.send(kind, **fields)
                dispatcher.flush()
                dispatcher.close()
        except (OperationalError, KombuError, OSError) as exc:
            get_logger().warning(LogEvent.EVENTS_NOT_SENT, error=type(exc).__name__)


def events_of(sender: str, settled: Iterable[Settled]) -> Iterator[Event]:
    """What makes the row of each message say how it stands now.

    Celery's states have an order: what was held or taken the first time stays SUCCESS, and what had failed
    FAILURE, whatever comes next, unless that is a RETRY.
    """
    for item in settled:
        kind, fields = _EVENT_TYPES[item.outcome], _fields(sender, item)
        if kind not in _ALWAYS_SHOWN:
            yield "task-retried", fields
        yield kind, fields


def _fields(sender: str, item: Settled) -> dict[str, Any]:
    """The sender stands in the result too: the list of tasks shows that, and a search there finds it."""
    words = f"{sender} → {item.outcome}" + (f" ({item.code})" if item.code else "")
    return {
        "uuid": item.message_id,
        "name": f"outbound.send[{item.route}]",
        "args": f"('{sender}', '{item.message_id}')",
        "kwargs": "{}",
        "retries": max(0, item.attempt - 1),
        "result": words,
        "exception": words,
        "traceback": "",
        "runtime": (item.ended_at - item.started_at).total_seconds(),
        "received": item.started_at.timestamp(),
        "started": item.started_at.timestamp(),
    }


def _reported(failures: Iterable[ReportedFailure]) -> Iterator[Event]:
    for one in failures:
        kind = "task-failed" if one.state is MessageState.FAILED else "task-retried"
        uuid, words = f"{one.message_id}-{one.attempt}", f"{one.sender} → {one.state} ({one.code})"
        fields = _late("outbound.reported", uuid, (one.sender, one.message_id), words, one.at)
        yield kind, {**fields, "retries": one.attempt - 1}


def events_of_lapsed(lapsed: Iterable[Lapsed]) -> Iterator[Event]:
    """The row of each message, whatever it said before; of those that are only counted, one together."""
    for one in lapsed:
        reason = f" ({one.reason})" if one.reason != one.state else ""
        for lapse in one.listed:
            words, whose = f"{one.sender} → {one.state}{reason}", (one.sender, lapse.message_id)
            fields = _late("outbound.lapsed", lapse.message_id, whose, words, lapse.at)
            yield "task-retried", fields
            yield "task-failed", fields
        if one.more and one.listed:
            last, words = one.listed[-1], f"{one.sender} → {one.state} {one.more:,} more{reason}"
            yield (
                "task-failed",
                _late("outbound.lapsed", f"{last.message_id}-more", (one.sender,), words, last.at),
            )


def _late(name: str, uuid: str, args: tuple[str, ...], words: str, at: datetime) -> dict[str, Any]:
    """What became of a message when no drain had it in hand."""
    return {
        "uuid": uuid,
        "name": name,
        "args": str(args),
        "kwargs": "{}",
        "result": words,
        "exception": words,
        "traceback": "",
        "received": at.timestamp(),
        "started": at.timestamp(),
    }
