"""What runs by the clock, every half second in every worker: one of them wins each beat.

Expiries, ended leases, waking, windows that close, messages that nothing was heard of, and a doorbell for
every sender or app with something to do that nobody rang for. A sender whose rate was used up is looked at
every tenth of a second.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import groupby

from shared.configuration import AnySender
from shared.deps import Deps
from shared.domain.confirmation import CONFIRMING_APP
from shared.observability import LogEvent, get_logger, place_of
from shared.schemas.message_request import MAX_EXPIRY
from shared.store.lapses import Lapsed
from shared.store.reported import ReportedFailure

#: Glances at a sender after its rate was last used up.
_GLANCES = 5


class Ticker:
    def __init__(
        self,
        deps: Deps,
        *,
        ring_for_app: Callable[[str, str], None],
        upkeep: Callable[[str], None] = lambda _business: None,
        ring_for_erasures: Callable[[str], None] = lambda _business: None,
        show_reported: Callable[[Sequence[ReportedFailure]], None] = lambda _failures: None,
        show_lapsed: Callable[[Sequence[Lapsed]], None] = lambda _lapsed: None,
    ) -> None:
        """`ring_for_app`: tells the workers that an app (second) has events of a business (first).

        `upkeep`: what else a business needs now and then. `ring_for_erasures`: tells the workers that
        erasures of a business were interrupted; completing them looks at every key, for which no beat waits.
        `show_reported`: gives Flower the rows of what failed after it had been taken; `show_lapsed`: of what
        the clock ended.
        """
        self._deps = deps
        self._upkeep = upkeep
        self._ring_for_erasures = ring_for_erasures
        self._show_reported = show_reported
        self._show_lapsed = show_lapsed
        self._ring_for_app = ring_for_app
        configuration = deps.settings.configuration
        senders = sorted(configuration.senders.values(), key=_business)
        self._senders = {business: list(group) for business, group in groupby(senders, key=_business)}
        self._apps: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        #: How many more times each limited sender is glanced at.
        self._watched: dict[str, int] = {}
        for app in configuration.pushed_apps:
            for business in configuration.businesses_of(app):
                self._apps.setdefault(business, []).append(app.name)

    def beat(self) -> None:
        """One beat over all businesses. Nothing is done by a clock that nobody has measured."""
        if self._deps.clock.is_stale():
            return
        for business, senders in self._senders.items():
            if self._deps.lanes.sweep(business, now=self._deps.clock.now()):
                self._tick(senders)
                for step in (self._ring_for_apps, self._look_back, self._show, self._tidy, self._upkeep):
                    self._try(step, business)

    def _try(self, step: Callable[[str], None], business: str) -> None:
        """What one step stumbles over keeps neither the others nor other businesses waiting."""
        try:
            step(business)
        except (ValueError, KeyError, TypeError) as exc:  # what is stored cannot be read
            get_logger().error(
                LogEvent.BUG, where="ticker", business=business, error=type(exc).__name__, at=place_of(exc)
            )

    def watch(self, sender: AnySender) -> None:
        """Its rate is used up and there is more to send: nobody sleeps for it, it is looked at again soon."""
        with self._lock:
            self._watched[sender.alias] = _GLANCES

    def glance(self) -> None:
        """Ring for the watched senders that may send again."""
        with self._lock:
            self._watched = {alias: left - 1 for alias, left in self._watched.items() if left > 0}
            watched = [sender for alias in self._watched if (sender := self._deps.sender(alias)) is not None]
        if watched and not self._deps.clock.is_stale():
            self._tick(watched)

    def _tick(self, senders: list[AnySender]) -> None:
        ticks = self._deps.lanes.tick(senders, now=self._deps.clock.now())
        for sender, ticked in zip(senders, ticks, strict=True):
            if ticked.requeued or ticked.doubts:
                get_logger().warning(
                    LogEvent.LEASES_ENDED,
                    sender=sender.alias,
                    requeued=ticked.requeued,
                    doubts=ticked.doubts,
                )
            if ticked.must_ring:
                self._deps.ring(sender)
            elif ticked.is_limited:
                self.watch(sender)

    def _look_back(self, business: str) -> None:
        """What nothing was heard of, and what is listed no more."""
        now, settings = self._deps.clock.now(), self._deps.settings
        told = self._deps.silence.tell(business, now=now)
        if told:
            get_logger().warning(LogEvent.MESSAGES_UNDELIVERED, business=business, told=told)
        apps = (*settings.configuration.apps, CONFIRMING_APP)
        self._deps.listing.trim(business, apps, before=now - MAX_EXPIRY - settings.retention)

    def _show(self, business: str) -> None:
        failures = self._deps.reported.waiting(business)
        if failures:
            self._show_reported(failures)
            self._deps.reported.forget(business, failures)
        lapsed = self._deps.lapses.waiting(business)
        if lapsed:
            self._show_lapsed(lapsed)
            self._deps.lapses.forget(business, lapsed)

    def _tidy(self, business: str) -> None:
        """What goes by its time, a little at a beat; a walk that ends rings for what erases have left."""
        removed = self._deps.retention.beat(business, now=self._deps.clock.now())
        if removed is None:
            return
        get_logger().info(LogEvent.RETENTION_PASSED, business=business, removed=removed)
        if not self._deps.retention.state(business).has_all_keys:
            # Opt-outs of people who were erased under it are not recognised.
            get_logger().error(LogEvent.SECRET_KEY_LOST, business=business)
        if self._deps.settings.secret_keys and self._deps.erasure.is_unfinished(business):
            self._ring_for_erasures(business)

    def _ring_for_apps(self, business: str) -> None:
        apps = self._apps.get(business, [])
        for app in self._deps.callbacks.due(business, apps, now=self._deps.clock.now()):
            self._ring_for_app(business, app)


def _business(sender: AnySender) -> str:
    return sender.business
