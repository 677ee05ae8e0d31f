"""The handler of an app's bell: hand it what is new, push what is due, a lane a contact, a few at a time.

An app that is slow or away costs itself only: it has threads of its own, and no other app waits for its bell.
It does not know Celery, nor how a push is signed.
"""

from concurrent.futures import Executor, Future, wait
from datetime import datetime, timedelta
from typing import Protocol

from shared.callbacks.client import Delivered, NotReached, Refused
from shared.clock import rfc3339
from shared.configuration import App
from shared.deps import Deps
from shared.domain.callbacks import GIVE_UP_AFTER, app_pause, next_push
from shared.errors import StoreUnavailableError
from shared.observability import LogEvent, get_logger
from shared.store.callbacks import AWAY_AFTER, Item, PushOutcome, first_place
from shared.store.codec import dump
from shared.store.feed import Event
from shared.tracing import Side, Work

PUSH_FOR = timedelta(seconds=5)
_MOST_SPREAD = 500
MOST_IN_HAND = 8


class Client(Protocol):
    """How an app is reached; `CallbackClient` over HTTP."""

    def push(self, event_id: str, at: datetime, body: bytes) -> Delivered | Refused | NotReached: ...


class Pusher:
    """One run for one app and one business."""

    def __init__(self, deps: Deps, app: App, business: str, client: Client, threads: Executor) -> None:
        self._deps = deps
        self._app = app
        self._business = business
        self._client = client
        self._threads = threads
        self._outcomes: dict[PushOutcome, int] = {}

    def run(self) -> str:
        """Until nothing is due or PUSH_FOR has passed; what came of it, in words for Flower."""
        stop_at = self._deps.clock.now() + PUSH_FOR
        in_hand: set[Future[None]] = set()
        try:
            self._give_up()
            while self._deps.clock.now() < stop_at:
                self._spread()
                free = MOST_IN_HAND - len(in_hand)
                items = self._claim(free) if free else []
                in_hand |= {self._threads.submit(self._handle, item) for item in items}
                if not in_hand:
                    break
                done, in_hand = wait(in_hand, timeout=0.05 if items else 1.0, return_when="FIRST_COMPLETED")
                _raise_first(done)
        finally:
            wait(in_hand)
            self._done()
        _raise_first(in_hand)
        told = ", ".join(f"{outcome} {number}" for outcome, number in sorted(self._outcomes.items()))
        return f"{self._app.name} → {told or 'nothing to push'}"

    def _done(self) -> None:
        try:
            self._deps.callbacks.done(self._business, self._app.name)
        except StoreUnavailableError as exc:
            # The bell ends by itself; what went wrong before must not be hidden by this.
            get_logger().warning(
                LogEvent.STORE_UNAVAILABLE, where="callbacks", app=self._app.name, error=str(exc)
            )

    def _give_up(self) -> None:
        """What is too old to be tried, all of it: an app that is away is asked for one event at a time."""
        now = self._deps.clock.now()
        while self._deps.callbacks.expire(
            self._business, self._app.name, before=now - GIVE_UP_AFTER, now=now
        ):
            self._count(PushOutcome.PARKED)

    def _claim(self, most: int) -> list[Item]:
        now = self._deps.clock.now()
        return self._deps.callbacks.claim(self._business, self._app.name, most, now=now)

    def _spread(self) -> None:
        """Move the app's place in the stream to its end; what concerns it goes into its lanes."""
        deps, business, name = self._deps, self._business, self._app.name
        while True:
            read_from = deps.callbacks.place(business, name)
            after = first_place(deps.feed.last_id(business)) if read_from is None else read_from
            entries = deps.feed.entries(business, after=after, most=_MOST_SPREAD)
            if not entries:
                return
            by_id = {entry.id: entry for entry in entries}
            events = [event for event in deps.feed.render(business, entries) if self._concerns(event)]
            lanes = [(event.contact, by_id[event.entry_id]) for event in events]
            deps.callbacks.spread(
                business, name, lanes, read_from=read_from, read_to=entries[-1].id, now=deps.clock.now()
            )

    def _concerns(self, event: Event) -> bool:
        return event.is_for(self._app, self._deps.settings.configuration)

    def _handle(self, item: Item) -> None:
        deps = self._deps
        rendered = deps.feed.render(item.business, [item.entry])
        if not rendered:
            deps.callbacks.settle(item, PushOutcome.GONE, now=deps.clock.now())
            self._count(PushOutcome.GONE)
            return
        (event,) = rendered
        started_at = deps.clock.now()
        pushed = self._client.push(event.id, started_at, body_of(event))
        self._tell(item, event, pushed, started_at)
        if isinstance(pushed, Delivered):
            deps.callbacks.settle(item, PushOutcome.TAKEN, now=deps.clock.now())
            self._count(PushOutcome.TAKEN)
        else:
            self._settle_failed(item, event, pushed)

    def _tell(
        self, item: Item, event: Event, pushed: Delivered | Refused | NotReached, started_at: datetime
    ) -> None:
        reason = None if isinstance(pushed, Delivered) else pushed.reason
        self._deps.on_work(
            Work(
                name="POST callback",
                side=Side.ASKING,
                started_at=started_at,
                ended_at=self._deps.clock.now(),
                is_failed=reason is not None,
                message_id=item.entry.ref if event.type.startswith("message.") else None,
                app=self._app.name,
                event=event.type,
                event_id=event.id,
                attempt=item.tries + 1,
                outcome=reason or "taken",
            )
        )

    def _settle_failed(self, item: Item, event: Event, pushed: Refused | NotReached) -> None:
        deps, now = self._deps, self._deps.clock.now()
        again_at = next_push(item.tries + 1, first_at=item.entry.at, now=now, jitter=deps.jitter())
        is_hopeless = isinstance(pushed, Refused) and pushed.is_hopeless
        outcome = PushOutcome.PARKED if is_hopeless or again_at is None else PushOutcome.AGAIN
        pause = app_pause(item.failures + 1, away_after=AWAY_AFTER)
        deps.callbacks.settle(
            item, outcome, now=now, again_at=again_at, reason=pushed.reason, paused_until=now + pause
        )
        self._count(outcome)
        get_logger().warning(
            LogEvent.CALLBACK_NOT_TAKEN,
            app=self._app.name,
            event_id=event.id,
            reason=pushed.reason,
            tries=item.tries + 1,
            outcome=outcome,
        )

    def _count(self, outcome: PushOutcome) -> None:
        self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1


def body_of(event: Event) -> bytes:
    """What an app gets, by push as by pull."""
    return dump({"type": event.type, "timestamp": rfc3339(event.at), "data": dict(event.data)}).encode()


def _raise_first(futures: set[Future[None]]) -> None:
    for future in futures:
        future.result()
