"""From an authentic body to what is recorded: read it, find whose each update is, record all in one step.

The address of a POST only picks the secrets; an update belongs to the sender that it names.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from shared.configuration import AnySender, Configuration
from shared.deps import Deps
from shared.domain.events import (
    MessageReceived,
    ProviderEvent,
    StatusReported,
    TemplateStatusChanged,
    UpdateSetAside,
)
from shared.domain.identifiers import InvalidIdentifierError, PhoneNumber
from shared.observability import LogEvent, get_logger

Parse = Callable[[Any, datetime], list[ProviderEvent]]

_Owned = tuple[AnySender, ProviderEvent]

_NOT_OURS = ("unknown_number", "unknown_account")


def record_body(deps: Deps, addressed: AnySender, body: bytes, parse: Parse) -> None:
    """Record every update of a body. Raises StoreUnavailableError; then nothing must be acknowledged."""
    started = time.perf_counter()
    now = deps.clock.now()
    updates = [
        owned
        for event in _events(body, parse, now)
        for owned in _owned(deps.settings.configuration, addressed, event, body)
    ]
    words = deps.recorder.record(_with_each_body_once(updates), now=now)
    get_logger().info(
        LogEvent.WEBHOOK,
        sender=addressed.alias,
        updates=dict(Counter(words)),
        seconds=round(time.perf_counter() - started, 4),
    )


def _with_each_body_once(updates: list[_Owned]) -> list[_Owned]:
    """What is not ours is kept with the whole body: once, however many such updates are in it."""
    kept: list[_Owned] = []
    seen: set[str] = set()
    for sender, event in updates:
        if isinstance(event, UpdateSetAside) and event.reason in _NOT_OURS:
            if event.reason in seen:
                continue
            seen.add(event.reason)
        kept.append((sender, event))
    return kept


def _events(body: bytes, parse: Parse, now: datetime) -> list[ProviderEvent]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return [UpdateSetAside(reason="not_json", raw=_text(body))]
    return parse(document, now)


def _owned(
    configuration: Configuration, addressed: AnySender, event: ProviderEvent, body: bytes
) -> Iterator[_Owned]:
    match event:
        case TemplateStatusChanged():
            yield from _owned_template(configuration, addressed, event, body)
        case MessageReceived() | StatusReported() if event.recipient is not None:
            sender = _sender_named(configuration, event.recipient)
            # What CM.com's address lets in must not speak for a number whose updates Meta signs.
            if sender is None or sender.provider != addressed.provider:
                yield addressed, UpdateSetAside(reason="unknown_number", raw=_text(body))
            else:
                yield sender, event
        case _:
            yield addressed, event


def _owned_template(
    configuration: Configuration, addressed: AnySender, event: TemplateStatusChanged, body: bytes
) -> Iterator[_Owned]:
    """A template belongs to an account, whose senders may speak for several businesses."""
    by_business = {sender.business: sender for sender in configuration.senders_of_account(event.account)}
    if not by_business:
        yield addressed, UpdateSetAside(reason="unknown_account", raw=_text(body))
    for sender in by_business.values():
        yield sender, event


def _sender_named(configuration: Configuration, recipient: str) -> AnySender | None:
    """By Meta's phone number id, or by our number's digits as CM.com writes it."""
    return configuration.sender_by_recipient.get(recipient) or configuration.sender_by_recipient.get(
        _digits(recipient)
    )


def _digits(recipient: str) -> str:
    try:
        return PhoneNumber.parse(recipient if recipient.startswith(("+", "00")) else f"+{recipient}").digits
    except InvalidIdentifierError:
        return recipient


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
