"""Records what providers tell us: every update of one POST in one round trip, each in one atomic step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import duration_ms, rfc3339, to_ms
from shared.configuration import AnySender, CmSender
from shared.domain.consent import DEFAULT_CATEGORIES
from shared.domain.events import (
    MessageReceived,
    ProviderEvent,
    StatusReported,
    TemplateStatusChanged,
    UpdateNoted,
    UpdateSetAside,
)
from shared.domain.inbound import Inbound, understand
from shared.domain.retry import ErrorClass
from shared.domain.templates import Gate, TemplateId
from shared.domain.window import WindowPolicy
from shared.store.codec import dump, dump_consent
from shared.store.scripts import Call, Scripts

# How long a provider may repeat an update, and a day: Meta 7 days ("Webhooks", read 2026-09), CM.com a
# month ("Incoming messages").
_SEEN_META = timedelta(days=8)
_SEEN_CM = timedelta(days=35)
_QUARANTINE_ENTRIES = 5_000
_MOST_RAW = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPolicy:
    window: WindowPolicy
    languages: tuple[str, ...]
    retention: timedelta


class Recorder:
    def __init__(self, scripts: Scripts, policy: RecordingPolicy) -> None:
        self._scripts = scripts
        self._policy = policy

    def record(self, updates: Sequence[tuple[AnySender, ProviderEvent]], *, now: datetime) -> list[str]:
        """One word an update, in order: `recorded`, `duplicate`, `moved`, … Raises StoreUnavailableError.

        Windows opened by these updates are open for whoever asks after this returns.
        """
        if not updates:
            return []
        calls = [self._call(sender, update, now) for sender, update in updates]
        return [_word(answer) for answer in self._scripts.run_all(calls)]

    def _call(self, sender: AnySender, update: ProviderEvent, now: datetime) -> Call:
        match update:
            case MessageReceived():
                return self._inbound(sender, update, now)
            case StatusReported():
                return _status(sender, update, now)
            case TemplateStatusChanged():
                return _template(sender, update)
            case UpdateSetAside():
                return _set_aside(sender, update, now)
            case UpdateNoted(kind=kind):
                return Call.of("count", sender.business, f"updates_noted_total:{sender.alias}:{kind}")
            case _:
                kind = type(update).__name__
                return Call.of("count", sender.business, f"updates_noted_total:{sender.alias}:{kind}")

    def _inbound(self, sender: AnySender, event: MessageReceived, now: datetime) -> Call:
        policy = self._policy
        inbound = understand(event, received_at=now, policy=policy.window, languages=policy.languages)
        consent = inbound.consent
        seen = _SEEN_CM if isinstance(sender, CmSender) else _SEEN_META
        return Call.of(
            "record_inbound",
            sender.business,
            to_ms(now),
            sender.alias,
            event.contact.value,
            event.event_id,
            to_ms(inbound.at),
            duration_ms(policy.window.length) if inbound.opens_window else 0,
            duration_ms(seen),
            dump(_inbound_record(sender, inbound, now)),
            duration_ms(policy.retention),
            consent.status if consent else "",
            dump_consent(consent) if consent else "",
            " ".join(DEFAULT_CATEGORIES[consent.status]) if consent else "",
        )


def _inbound_record(sender: AnySender, inbound: Inbound, now: datetime) -> dict[str, str | None]:
    event = inbound.event
    return {
        "sender": sender.alias,
        "contact": event.contact.value,
        "kind": event.kind,
        "at": rfc3339(inbound.at),
        "received_at": rfc3339(now),
        "text": event.text,
        "payload": event.payload,
    }


def _status(sender: AnySender, event: StatusReported, now: datetime) -> Call:
    if event.reference is None:
        return _set_aside(sender, UpdateSetAside(reason="status_without_reference", raw=event.state), now)
    error = event.error
    result = {
        "ended_at": to_ms(now),  # the report has whole seconds; the timeline has its time
        "outcome": event.state,
        "error": {"code": error.code, "class": error.error_class, "detail": error.detail} if error else None,
    }
    return Call.of(
        "record_status",
        sender.business,
        to_ms(now),
        event.reference.message_id.value,
        event.reference.attempt,
        event.state,
        to_ms(event.at),
        dump(result) if error else "",
        int(error is not None and error.error_class is ErrorClass.WINDOW),
        dump(dict(event.pricing)) if event.pricing else "",
        event.provider_message_id or "",
        sender.alias,
    )


def _template(sender: AnySender, event: TemplateStatusChanged) -> Call:
    fields = {"stopped": event.stopped or ""}
    if event.approval is not None:
        fields[f"gate:{Gate.WHATSAPP}"] = event.approval
        fields[f"reason:{Gate.WHATSAPP}"] = event.reason or ""
    template_id = TemplateId(event.account, event.name, event.language)
    flat = [text for pair in fields.items() for text in pair]
    return Call.of("save_template", sender.business, str(template_id), event.account, "change", "", *flat)


def _set_aside(sender: AnySender, update: UpdateSetAside, now: datetime) -> Call:
    return Call.of(
        "quarantine",
        sender.business,
        to_ms(now),
        sender.alias,
        update.reason,
        update.raw[:_MOST_RAW],
        _QUARANTINE_ENTRIES,
    )


def _word(answer: object) -> str:
    if isinstance(answer, list):
        return str(answer[0])
    return "changed" if answer == 1 else "set_aside" if isinstance(answer, str) else "unchanged"
