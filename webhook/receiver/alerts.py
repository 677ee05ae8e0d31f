"""What somebody must hear of among recorded updates: what stops, and codes that we do not know.

What an update halts in its own business is recorded with it; senders of other businesses are told here.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.clock import rfc3339
from shared.configuration import AnySender
from shared.deps import Deps
from shared.domain.events import (
    AccountChanged,
    ProviderEvent,
    ReportedError,
    StatusReported,
    TemplateStatusChanged,
)
from shared.domain.halts import Halt
from shared.domain.provider_errors import effects_of
from shared.errors import StoreUnavailableError
from shared.observability import LogEvent, get_logger
from shared.providers.base import UNLISTED

#: The recorder's words for an update that changed something: a copy alarms nobody again.
_NEWS = frozenset({"moved", "rerouted", "recorded"})
#: And for one after which nothing can be sent with a template.
_STOPPED = "stopped"


def alert(deps: Deps, updates: Sequence[tuple[AnySender, ProviderEvent]], words: Sequence[str]) -> None:
    for (sender, event), word in zip(updates, words, strict=True):
        if word == _STOPPED and isinstance(event, TemplateStatusChanged):
            _alert_of_template(sender, event)
        if word not in _NEWS or not isinstance(event, StatusReported | AccountChanged):
            continue
        if event.error is not None:
            _alert_of_error(deps, sender, event.error, deps.clock.now())
        for halt in event.halts if isinstance(event, AccountChanged) else ():
            _alert_of_halt([sender], halt)


def _alert_of_template(sender: AnySender, event: TemplateStatusChanged) -> None:
    """Once: a repeat changes nothing."""
    get_logger().error(
        LogEvent.TEMPLATE_STOPPED,
        sender=sender.alias,
        template=f"{event.name}/{event.language}",
        status=event.stopped or event.approval,
        reason=event.reason,
        until=rfc3339(event.until) if event.until else None,
    )


def _alert_of_error(deps: Deps, sender: AnySender, error: ReportedError, now: datetime) -> None:
    if error.row is UNLISTED:
        get_logger().error(LogEvent.UNLISTED_ERROR_CODE, sender=sender.alias, code=error.code)
    effects = effects_of(error.row, error.code, now=now)
    reached = deps.settings.configuration.reached(sender, effects.scope)
    if effects.halt is not None:
        _alert_of_halt(reached, effects.halt)
    others = [one for one in reached if one.business != sender.business]
    if not (effects.halt or effects.pause_until) or not others:
        return
    try:
        deps.senders.reach(sender, others, effects, now=now)
    except StoreUnavailableError as exc:
        # The update is recorded and must be answered so; their own attempts will tell them.
        get_logger().warning(LogEvent.STORE_UNAVAILABLE, where="reach", error=str(exc))


def _alert_of_halt(senders: Sequence[AnySender], halt: Halt) -> None:
    get_logger().error(
        LogEvent.SENDER_HALTED,
        senders=[sender.alias for sender in senders],
        kind=halt.kind,
        code=halt.code,
        scope=halt.scope,
        until=rfc3339(halt.until) if halt.until else None,
    )
