"""`/v1/events`: what happened, to pull; `/v1/callbacks`: how it goes with what is pushed."""

import base64
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.configuration import App
from shared.deps import Deps
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.schemas.event import (
    CallbackListSchema,
    EventListSchema,
    EventQuerySchema,
    ParkedListSchema,
    RetriedSchema,
)
from shared.store.feed import START, Event
from webhook.api.blueprint import Blueprint
from webhook.api.context import caller, deps
from webhook.api.deeds import note_deed
from webhook.errors import ProblemError

blueprint = Blueprint("events", __name__, description="What happened, for apps.")

#: Threads of a process that may sleep in a long poll; whoever comes after them is answered at once.
MOST_POLLS = 32
_polls = threading.BoundedSemaphore(MOST_POLLS)
#: Never set: a poll waits on it from one look to the next.
_nothing = threading.Event()
_LOOK_EVERY_SECONDS = 0.25
_CHUNK = 500
#: Entries looked at for one answer: what is not for the caller is skipped, but not without end.
_MOST_LOOKED_AT = 5_000
_MOST_PARKED = 500
_PLACE = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)
#: Redis counts with 64 bits; one less, because a page begins behind its place.
_LARGEST_NUMBER = 2**64 - 2


@blueprint.route("/v1/events")
@blueprint.guarded("events")
@blueprint.arguments(EventQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, EventListSchema())
def list_events(query: dict[str, Any]) -> dict[str, Any]:
    """Pull events, oldest first; with `wait` the answer comes as soon as there is one."""
    page = _Page(deps(), caller(), query["types"], query["limit"])
    cursor = _parse_cursor(query["after"], page.businesses)
    found, cursor = page.read(cursor)
    if not found and query["wait"] and _polls.acquire(blocking=False):
        try:
            deadline = time.monotonic() + query["wait"]
            while not found and time.monotonic() < deadline:
                _nothing.wait(_LOOK_EVERY_SECONDS)
                found, cursor = page.read(cursor)
        finally:
            _polls.release()
    return {"items": [_view(event) for event in found], "next": _cursor_text(cursor)}


@blueprint.route("/v1/callbacks")
@blueprint.guarded("events")
@blueprint.response(HTTPStatus.OK, CallbackListSchema())
def list_callbacks() -> dict[str, Any]:
    """How the pushing of events goes: the caller's own app, or for an admin every app's."""
    items = []
    for app in _own_apps():
        for business in deps().settings.configuration.businesses_of(app):
            state = deps().callbacks.state(business, app.name)
            items.append(
                {
                    "app": app.name,
                    "business": business,
                    "waiting": state.waiting,
                    "parked": state.parked,
                    "failures_in_a_row": state.failures_in_a_row,
                    "last_reason": state.last_reason,
                    "last_failed_at": _time(state.last_failed_at),
                    "failing_since": _time(state.failing_since),
                    "parked_since": _time(state.parked_since),
                }
            )
    return {"items": items, "next": None}


@blueprint.route("/v1/callbacks/<app>/parked")
@blueprint.guarded("events", problems=(Code.NOT_FOUND,))
@blueprint.response(HTTPStatus.OK, ParkedListSchema())
def list_parked(app: str) -> dict[str, Any]:
    """List events that were given up, newest first."""
    found = _own_app(app)
    items = [
        {
            "id": f"evt_{business}_{parked.entry.id}",
            "type": parked.entry.type,
            "business": business,
            "reason": parked.reason,
            "at": rfc3339(parked.at),
        }
        for business in deps().settings.configuration.businesses_of(found)
        for parked in deps().callbacks.parked(business, found.name, most=_MOST_PARKED)
    ]
    return {"items": items, "next": None}


@blueprint.route("/v1/callbacks/<app>/retry", methods=["POST"])
@blueprint.guarded("events", problems=(Code.NOT_FOUND,))
@blueprint.response(HTTPStatus.OK, RetriedSchema())
def retry_parked(app: str) -> dict[str, Any]:
    """Push again what was given up, oldest first, and end the app's pause."""
    found, now = _own_app(app), deps().clock.now()
    retried = 0
    for business in deps().settings.configuration.businesses_of(found):
        done = deps().callbacks.retry(business, found.name, most=_MOST_PARKED, now=now)
        note_deed(business, "callbacks.retry", done=done, details={"app": found.name})
        retried += done
    get_logger().warning(LogEvent.CALLBACKS_RETRIED, app=caller().name, whose=found.name, retried=retried)
    return {"app": found.name, "retried": retried}


class _Page:
    """What one caller may read of the streams of its businesses."""

    def __init__(self, deps: Deps, app: App, types: frozenset[str], limit: int) -> None:
        self._deps = deps
        self._app = app
        self._types = types
        self._limit = limit
        self.businesses = deps.settings.configuration.businesses_of(app)

    def read(self, cursor: Mapping[str, str]) -> tuple[list[Event], dict[str, str]]:
        """The next events, and where to go on: behind the last of them, or behind what was skipped."""
        moved = dict(cursor)
        found: list[tuple[str, Event]] = []
        for business in self.businesses:
            for entry_id, event in self._events(business, cursor[business]):
                moved[business] = entry_id
                if event is not None:
                    found.append((business, event))
        found.sort(key=lambda pair: _order(pair[1].entry_id))
        for business, _ in found[self._limit :]:  # what did not fit is read again
            told = [event.entry_id for owner, event in found[: self._limit] if owner == business]
            moved[business] = told[-1] if told else cursor[business]
        return [event for _, event in found[: self._limit]], moved

    def _events(self, business: str, after: str) -> Iterator[tuple[str, Event | None]]:
        """Each entry's id with its event, or with None when it is not for the caller."""
        feed, told = self._deps.feed, 0
        for _ in range(_MOST_LOOKED_AT // _CHUNK):
            entries = feed.entries(business, after=after, most=_CHUNK)
            wanted = [entry for entry in entries if not self._types or entry.type in self._types]
            rendered = {event.entry_id: event for event in feed.render(business, wanted)}
            for entry in entries:
                event = rendered.get(entry.id)
                is_told = event is not None and event.is_for(self._app, self._deps.settings.configuration)
                told += is_told
                yield entry.id, event if is_told else None
                if told == self._limit:
                    return
            if len(entries) < _CHUNK:
                return
            after = entries[-1].id


def _order(entry_id: str) -> tuple[int, int]:
    """That of the stream; between businesses, that of their servers' clocks."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)


def _view(event: Event) -> dict[str, Any]:
    return {"id": event.id, "type": event.type, "timestamp": rfc3339(event.at), "data": dict(event.data)}


def _parse_cursor(text: str, businesses: tuple[str, ...]) -> dict[str, str]:
    """One place a business; a business that came later begins at its beginning."""
    try:
        places = json.loads(base64.urlsafe_b64decode(text.encode())) if text else {}
        cursor = {business: _place(places.get(business, START)) for business in businesses}
    except (ValueError, AttributeError, RecursionError):
        errors = {"after": ["not a cursor of ours: take `next` of the page before"]}
        raise ProblemError(Code.INVALID_REQUEST, "See errors.", errors=errors) from None
    return cursor


def _place(text: object) -> str:
    found = _PLACE.fullmatch(str(text))
    if found is None or max(int(found[1]), int(found[2])) > _LARGEST_NUMBER:
        raise ValueError("not a place in a stream")
    return str(text)


def _cursor_text(cursor: Mapping[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(dict(cursor), separators=(",", ":")).encode()).decode()


def _own_apps() -> list[App]:
    apps = deps().settings.configuration.pushed_apps
    return [app for app in apps if caller().may("admin") or app.name == caller().name]


def _own_app(name: str) -> App:
    for app in _own_apps():
        if app.name == name:
            return app
    raise ProblemError(Code.NOT_FOUND, "There is no such app with a callback_url that the key may see.")


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
