"""What somebody must hear of among recorded updates: what stops, unknown codes, a STOP nearly said.

What an update halts in its own business is recorded with it; senders of other businesses are told here.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.clock import rfc3339
from shared.configuration import AnySender
from shared.deps import Deps
from shared.domain.events import (
    AccountChanged,
    MessageReceived,
    ProviderEvent,
    ReportedError,
    StatusReported,
    TemplateCategoryChanged,
    TemplateStatusChanged,
)
from shared.domain.halts import Halt
from shared.domain.keywords import is_near_miss
from shared.domain.provider_errors import effects_of
from shared.errors import StoreUnavailableError
from shared.observability import LogEvent, get_logger
from shared.providers.base import UNLISTED

#: The recorder's words for an update that changed something: a copy alarms nobody again.
_NEWS = frozenset({"moved", "rerouted", "recorded"})
#: And for one after which nothing can be sent with a template.
_STOPPED = "stopped"
_RELABELLED = frozenset({"changed", _STOPPED})


def alert(deps: Deps, updates: Sequence[tuple[AnySender, ProviderEvent]], words: Sequence[str]) -> None:
    for (sender, event), word in zip(updates, words, strict=True):
        match event:
            case TemplateStatusChanged() if word == _STOPPED:
                _alert_of_template(sender, event)
            case TemplateCategoryChanged() if word in _RELABELLED:
                _alert_of_category(sender, event)
            case MessageReceived() if word in _NEWS:
                _note_near_miss(deps, sender, event)
            case StatusReported() | AccountChanged() if word in _NEWS:
                _alert_of_news(deps, sender, event)
            case _:
                pass


def _alert_of_news(deps: Deps, sender: AnySender, event: StatusReported | AccountChanged) -> None:
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


def _note_near_miss(deps: Deps, sender: AnySender, event: MessageReceived) -> None:
    """Who it was, the sender's latest messages show: WhatsApp's ids hold numbers, and logs must not."""
    if event.text and is_near_miss(event.text, deps.settings.configuration.policy.languages):
        get_logger().info(LogEvent.OPT_OUT_NEARLY_SAID, sender=sender.alias, kind=event.kind)


def _alert_of_category(sender: AnySender, event: TemplateCategoryChanged) -> None:
    """It costs more, needs another consent, and stops where `on_category_change` says so."""
    get_logger().error(
        LogEvent.TEMPLATE_RELABELLED,
        sender=sender.alias,
        template=f"{event.name}/{event.language}",
        category=event.category,
        announced=event.announced,
        announced_for=rfc3339(event.announced_for) if event.announced_for else None,
    )


def _alert_of_error(deps: Deps, sender: AnySender, error: ReportedError, now: datetime) -> None:
    if error.row is UNLISTED:
        get_logger().error(LogEvent.UNLISTED_ERROR_CODE, sender=sender.alias, code=error.code)
        deps.tallies.add(sender.business, f"unforeseen_total:{sender.alias}:unlisted_code")
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
