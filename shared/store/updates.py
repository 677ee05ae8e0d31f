"""Each update of a provider as the one script call that records it."""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from shared.clock import duration_ms, rfc3339, to_ms
from shared.configuration import AnySender, CmSender, MetaSender
from shared.domain.consent import ConsentStatus
from shared.domain.content import SystemNotice, plain
from shared.domain.events import (
    AccountChanged,
    MessageReceived,
    PreferenceChanged,
    ProviderEvent,
    ReportedError,
    StatusReported,
    UpdateNoted,
    UpdateSetAside,
)
from shared.domain.identifiers import ContactId
from shared.domain.identity import key_of
from shared.domain.inbound import Inbound, understand
from shared.domain.message import MessageState
from shared.domain.pricing import billed_as
from shared.domain.provider_errors import Scope, effects_of
from shared.domain.window import WindowPolicy
from shared.metrics import OTHER_CODE, code_label, reason_label
from shared.store.codec import dump, dump_consent
from shared.store.effects import how_it_goes_on, plain_effects, plain_halt
from shared.store.keyed_hash import NO_HASHES, KeyedHashes
from shared.store.limits import rate_of
from shared.store.scripts import REPEATED_WITHIN_MS, Call
from shared.store.template_words import template_call

# How long a provider may repeat an update, and a day: Meta 7 days ("Webhooks", read 2026-09), CM.com a
# month ("Incoming messages").
_SEEN_META_MS = duration_ms(timedelta(days=8))
_SEEN_CM_MS = duration_ms(timedelta(days=35))
_QUARANTINE_ENTRIES = 2_000
_MOST_RAW_BYTES = 256 * 1024
#: The updates of one POST came at one time, and many of them happened within one second.
_time_text = lru_cache(maxsize=64)(rfc3339)
#: Clocks differ a little; a provider's that is ahead by more is counted.
_CLOCK_TOLERANCE = timedelta(seconds=2)
#: What a contact wrote before that no longer counts in the sender's throughput.
_FRESH_FOR = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPolicy:
    window: WindowPolicy
    languages: tuple[str, ...]
    retention: timedelta
    #: The senders of each business.
    aliases_of: Mapping[str, tuple[str, ...]]
    #: Whom an error of a sender speaks of.
    reached: Callable[[AnySender, Scope], Sequence[AnySender]] = lambda sender, _scope: (sender,)
    #: 0 to 1, for what is tried again.
    jitter: Callable[[], float] = lambda: 0.5
    #: What confirms an opt-out by keyword, as a row; '': nothing to confirm.
    confirm: Callable[[AnySender, Inbound, datetime], str] | None = None
    #: What is kept of people who were erased.
    hashes: KeyedHashes = NO_HASHES


class Updates:
    """Makes the calls; `now` is when the update is recorded."""

    def __init__(self, policy: RecordingPolicy) -> None:
        self._policy = policy
        self._window_ms = duration_ms(policy.window.length)
        self._retention_ms = duration_ms(policy.retention)
        self._senders = {business: " ".join(aliases) for business, aliases in policy.aliases_of.items()}

    def call(self, sender: AnySender, update: ProviderEvent, now: datetime) -> Call:
        match update:
            case MessageReceived():
                return self._inbound(sender, update, now)
            case StatusReported():
                return self._status(sender, update, now)
            case PreferenceChanged():
                return self._preference(sender, update, now)
            case AccountChanged():
                return self._account(sender, update, now)
            case UpdateSetAside():
                return _set_aside(sender, update, now)
            case UpdateNoted():
                return _count(sender, f"updates_noted_total:{sender.alias}:{update.kind}")
            case _:
                return template_call(sender, update, now)

    def _inbound(self, sender: AnySender, event: MessageReceived, now: datetime) -> Call:
        policy = self._policy
        inbound = understand(event, received_at=now, policy=policy.window, languages=policy.languages)
        consent = inbound.consent
        names = _other_names(event)
        return Call.of(
            "record_inbound",
            sender.business,
            to_ms(now),
            sender.alias,
            key_of(event.contact).value,
            event.event_id,
            to_ms(inbound.at),
            self._window_ms if inbound.opens_window else 0,
            _seen_ms(sender),
            dump(_inbound_record(sender, inbound, now)),
            self._retention_ms,
            consent.status if consent else "",
            dump_consent(consent) if consent else "",
            " ".join(inbound.keyword.categories) if inbound.keyword else "",
            event.kind,
            _address(event).value,
            " ".join(name.value for name in names),
            self._senders.get(sender.business, ""),
            "1" if event.at > now + _CLOCK_TOLERANCE else "",
            _taken_of_rate(sender, event, now),
            policy.hashes.known_as([event.contact, *names]),
            policy.hashes.known_event(sender.alias, event.event_id),
            policy.confirm(sender, inbound, now) if policy.confirm else "",
        )

    def _status(self, sender: AnySender, event: StatusReported, now: datetime) -> Call:
        if event.reference is None:
            return _count(sender, f"statuses_unmatched_total:{sender.alias}")
        error = event.error
        result = {
            "ended_at": to_ms(now),  # the report has whole seconds; the timeline has its time
            "outcome": event.state,
            "error": error and {"code": error.code, "class": error.error_class, "detail": error.detail},
        }
        contact, name = event.contact, event.user_id
        names = [contact, name] if contact and name and contact.phone_number else []
        pricing = {**event.pricing, **{f"conversation_{n}": v for n, v in event.conversation.items()}}
        return Call.of(
            "record_status",
            sender.business,
            to_ms(now),
            event.reference.message_id.value,
            event.reference.attempt,
            event.state,
            to_ms(min(event.at, now)),
            dump(result) if error else "",
            how_it_goes_on(error, self._policy.jitter()),
            f"{':'.join(billed_as(pricing) or ())} {dump(pricing)}" if pricing else "",
            event.provider_message_id or "",
            sender.alias,
            key_of(names[0]).value if names else "",
            names[1].value if names else "",
            self._senders.get(sender.business, "") if names else "",
            event.unwanted or "",
            self._effects(sender, error, now),
            self._policy.hashes.known_as(names),
            _counted_as(event),
        )

    def _effects(self, sender: AnySender, error: ReportedError | None, now: datetime) -> str:
        if error is None:
            return ""
        effects = effects_of(error.row, error.code, now=now)
        if not effects:
            return ""
        reached = self._policy.reached(sender, effects.scope)
        return dump(plain_effects(effects, sender, reached, sender.business))

    def _account(self, sender: AnySender, event: AccountChanged, now: datetime) -> Call:
        news = {"topic": event.topic, "event": event.event, "details": event.details}
        return Call.of(
            "record_account",
            sender.business,
            to_ms(now),
            sender.alias,
            event.topic,
            dump(news),
            to_ms(min(event.at or now, now)),
            dump([plain_halt(halt) for halt in event.halts]),
            "1" if event.lifts else "",
            self._effects(sender, event.error, now),
        )

    def _preference(self, sender: AnySender, event: PreferenceChanged, now: datetime) -> Call:
        is_out = event.status is ConsentStatus.OPTED_OUT
        return Call.of(
            "record_preference",
            sender.business,
            to_ms(now),
            sender.alias,
            key_of(event.contact).value,
            event.user_id.value if event.user_id else "",
            self._senders.get(sender.business, ""),
            event.category,
            ConsentStatus.OPTED_OUT if is_out else "resumed",
            to_ms(min(event.at, now)),
        )


def _count(sender: AnySender, name: str) -> Call:
    return Call.of("count", sender.business, name, secrets.token_hex(8), REPEATED_WITHIN_MS)


def _counted_as(event: StatusReported) -> str:
    """For the metrics: why it failed; '' of whatever has not."""
    if event.state is not MessageState.FAILED:
        return ""
    return code_label(event.error.code) if event.error else OTHER_CODE


def _other_names(event: MessageReceived) -> list[ContactId]:
    """What else the contact is called from now on: the last is the newest."""
    names = [event.user_id] if event.user_id is not None else []
    if isinstance(event.content, SystemNotice) and event.content.new_user_id is not None:
        names.append(event.content.new_user_id)
    return names


def _seen_ms(sender: AnySender) -> int:
    return _SEEN_CM_MS if isinstance(sender, CmSender) else _SEEN_META_MS


def _address(event: MessageReceived) -> ContactId:
    """What to answer to: a new id comes with a new number, so the old number is nobody's we know."""
    if isinstance(event.content, SystemNotice) and event.content.new_user_id is not None:
        return event.content.new_user_id
    return event.contact


def _taken_of_rate(sender: AnySender, event: MessageReceived, now: datetime) -> float:
    """Meta counts in and out together ("Throughput", read 2026-09); what comes late was counted then."""
    is_fresh = event.at > now - _FRESH_FOR
    return rate_of(sender).interval_ms if is_fresh and isinstance(sender, MetaSender) else 0


def _inbound_record(sender: AnySender, inbound: Inbound, now: datetime) -> dict[str, Any]:
    """What apps get to read; absent is absent."""
    event = inbound.event
    record: dict[str, Any] = {
        "sender": sender.alias,
        "contact": event.contact.value,
        "kind": event.kind,
        "at": _time_text(inbound.at),
        "received_at": _time_text(now),
        "text": event.text,
        "payload": event.payload,
    }
    if event.content is not None:
        record["content"] = plain(event.content)
    if event.referral:
        record["referral"] = dict(event.referral)
    if event.is_forwarded:
        record["forwarded"] = True
    more = {"reply_to": event.reply_to, "name": event.profile_name, "read_handle": event.read_handle}
    record.update((name, value) for name, value in more.items() if value is not None)
    return record


def _set_aside(sender: AnySender, update: UpdateSetAside, now: datetime) -> Call:
    raw = update.raw.encode()
    whole = b"\n".join((sender.alias.encode(), update.reason.encode(), raw))
    return Call.of(
        "quarantine",
        sender.business,
        to_ms(now),
        sender.alias,
        update.reason,
        raw[:_MOST_RAW_BYTES].decode("utf-8", "ignore"),
        _QUARANTINE_ENTRIES,
        int(len(raw) > _MOST_RAW_BYTES),
        reason_label(update.reason),
        hashlib.sha256(whole).hexdigest(),
        _seen_ms(sender),
    )
