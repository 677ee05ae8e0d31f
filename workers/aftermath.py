"""What the provider's answers do beside their messages: to the sender and its kin, and for on-call."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.clock import rfc3339
from shared.configuration import AnySender
from shared.deps import Deps
from shared.domain.provider_errors import Effects
from shared.errors import StoreUnavailableError
from shared.observability import LogEvent, get_logger
from shared.providers.base import UNLISTED, Rejected, SendResult
from shared.store.claims import Settle
from shared.store.effects import plain_effects
from workers.outcomes import effects_on_others, word_of_provider


class Aftermath:
    """Of one sender's attempts in one drain. Safe to call from many threads."""

    def __init__(self, deps: Deps, sender: AnySender) -> None:
        self._deps = deps
        self._sender = sender
        #: An answer of this drain spoke of an outage: then success is worth a word, too.
        self._has_failed = False
        self._told_stops: set[str] = set()

    def settle(self, settles: Sequence[Settle], results: Sequence[SendResult]) -> list[Settle]:
        """The settles of one request, with what is to be recorded in the same steps."""
        now = self._deps.clock.now()
        pairs = list(zip(settles, results, strict=True))
        rejected = [(settle, result) for settle, result in pairs if isinstance(result, Rejected)]
        self._tell({result.code: (settle, result) for settle, result in rejected})
        ended = [self._with_effects(settle, result, now) for settle, result in pairs]
        # One request is one answer, however many messages were in it.
        return [replace(ended[0], provider=self._word(settles[0], results[0])), *ended[1:]]

    def _word(self, settle: Settle, result: SendResult) -> str:
        self._has_failed |= isinstance(result, Rejected) and result.row.is_outage
        known = settle.claim.known
        return word_of_provider(result, is_watched=self._has_failed or known.is_away or known.failures > 0)

    def _with_effects(self, settle: Settle, result: SendResult, now: datetime) -> Settle:
        effects = effects_on_others(settle, result, now)
        if not effects:
            return settle
        return replace(
            settle,
            effects=plain_effects(effects, self._sender, self._reached(effects), self._sender.business),
        )

    def _reached(self, effects: Effects) -> Sequence[AnySender]:
        return self._deps.settings.configuration.reached(self._sender, effects.scope)

    def _tell(self, rejected: dict[str, tuple[Settle, Rejected]]) -> None:
        """What somebody must hear of: a sender that cannot send, a code that we do not know; once a code."""
        for settle, result in rejected.values():
            if result.row is UNLISTED:
                get_logger().error(LogEvent.UNLISTED_ERROR_CODE, sender=self._sender.alias, code=result.code)
                name = f"unforeseen_total:{self._sender.alias}:unlisted_code"
                self._deps.tallies.add(self._sender.business, name)
            effects = effects_on_others(settle, result, self._deps.clock.now())
            if effects:
                self._tell_halt(effects)
                self._tell_stop(effects)
                self._reach_elsewhere(effects)

    def _tell_halt(self, effects: Effects) -> None:
        halt = effects.halt
        if halt is not None:
            get_logger().error(
                LogEvent.SENDER_HALTED,
                senders=[sender.alias for sender in self._reached(effects)],
                kind=halt.kind,
                code=halt.code,
                scope=halt.scope,
                until=rfc3339(halt.until) if halt.until else None,
            )

    def _tell_stop(self, effects: Effects) -> None:
        """Once a drain and code: all that was on its way with the template meets the same error."""
        stop = effects.stop
        if stop is not None and stop.code not in self._told_stops:
            self._told_stops.add(stop.code)
            get_logger().error(
                LogEvent.TEMPLATE_STOPPED,
                sender=self._sender.alias,
                status=stop.status,
                reason=stop.code,
                until=rfc3339(stop.until) if stop.until else None,
            )

    def _reach_elsewhere(self, effects: Effects) -> None:
        """Senders of other businesses, which the script that settles cannot reach."""
        others = [sender for sender in self._reached(effects) if sender.business != self._sender.business]
        if not others:
            return
        try:
            self._deps.senders.reach(self._sender, others, effects, now=self._deps.clock.now())
        except StoreUnavailableError as exc:
            # The answers must be recorded all the same; their own attempts will tell them.
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where="reach", error=str(exc))
