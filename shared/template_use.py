"""Which templates are in use, and whether each can be sent as things stand; for a door and for the doctor."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.configuration import AnySender, Policy
from shared.deps import Deps
from shared.domain.templates import Gate, Template, TemplateId, TemplateStatus
from shared.errors import UnreadableTemplateError

_MISSING = "missing"
#: Changes that decide nothing about whether it may be sent.
_BESIDE = frozenset(
    {"quality", "announced_category", "announced_category_at", "stopped_reason", "stopped_until"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateInUse:
    """Named by what waits to be sent, or was accepted in the last seven days."""

    sender: str
    name: str
    language: str
    #: As of a template, or `missing`.
    status: str
    is_sendable: bool
    #: Why not, where it is known.
    why: str | None
    #: Of one that cannot be sent: when that was last decided, where its history has it.
    since: datetime | None
    waiting: int
    recent: int


def in_use(deps: Deps, senders: Iterable[AnySender]) -> list[TemplateInUse]:
    """Of the senders' accounts, each account once; what cannot be sent comes first."""
    first: dict[tuple[str, str], AnySender] = {}
    for sender in senders:
        first.setdefault((sender.business, sender.account), sender)
    found = [item for sender in first.values() for item in _of_account(deps, sender)]
    return sorted(found, key=lambda one: (one.is_sendable, -one.waiting, one.name, one.language, one.sender))


def _of_account(deps: Deps, sender: AnySender) -> list[TemplateInUse]:
    held = {str(one.id): one for one in deps.templates.list(sender.business, sender.account)}
    configuration, found = deps.settings.configuration, []
    used = deps.template_use.of(sender.business, configuration.apps, now=deps.clock.now())
    for named, use in used.items():
        account, name, language = named.split(":", 2)
        if account != sender.account:
            continue
        one = TemplateId(account, name, language)
        template = held.get(named)
        is_sendable = template is not None and _can_be_sent(template, configuration.policy)
        found.append(
            TemplateInUse(
                sender=sender.alias,
                name=name,
                language=language,
                status=template.status if template else _MISSING,
                is_sendable=is_sendable,
                why=_why(template, configuration.policy) if template else _why_missing(deps, sender, one),
                since=None if is_sendable else _since(deps, sender, one, template),
                waiting=use.waiting,
                recent=use.recent,
            )
        )
    return found


def _why_missing(deps: Deps, sender: AnySender, template_id: TemplateId) -> str | None:
    try:
        deps.templates.get(sender.business, template_id)
    except UnreadableTemplateError:
        return "what is stored of it cannot be read: delete it, then register it anew or sync"
    return None


def _since(
    deps: Deps, sender: AnySender, template_id: TemplateId, template: Template | None
) -> datetime | None:
    """What is approved is stopped by its category; else what decided last about its gates, stops or end."""
    is_approved = template is not None and template.status is TemplateStatus.APPROVED
    decides = _is_of_category if is_approved else _is_decisive
    entries = deps.template_history.entries(sender.business, template_id)
    return next((entry.at for entry in entries if decides(entry.details)), None)


def _is_of_category(details: Mapping[str, Any]) -> bool:
    return "category" in details


def _is_decisive(details: Mapping[str, Any]) -> bool:
    return not details or bool(details.keys() - _BESIDE)


def _can_be_sent(template: Template, policy: Policy) -> bool:
    is_refused = template.category in policy.refused_categories
    is_stopped = policy.stop_on_category_change and template.is_category_changed
    return template.status is TemplateStatus.APPROVED and not is_refused and not is_stopped


def _why(template: Template, policy: Policy) -> str | None:
    if template.stop is not None:
        return template.stop.reason
    if template.is_category_changed:
        return f"WhatsApp has it as {template.category}"
    if template.status is TemplateStatus.APPROVED:
        return None if _can_be_sent(template, policy) else f"policy refuses {template.category}"
    return next((template.reasons[gate] for gate in Gate if gate in template.reasons), None)
