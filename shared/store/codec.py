"""How a request, a template and the facts of a decision look in Redis, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clock import from_ms, to_ms
from shared.domain.consent import Category, Consent, ConsentRecord, ConsentStatus
from shared.domain.content import plain
from shared.domain.halts import Halt
from shared.domain.identifiers import ContactId
from shared.domain.limits import Burst, DayStanding
from shared.domain.message import InDoubt, MessageRequest, Priority, WhenClosed, WhenOpen
from shared.domain.session_content import SessionContent, Text
from shared.domain.template_call import TemplateButton, TemplateCall
from shared.domain.template_parts import ButtonFill
from shared.domain.templates import Template
from shared.domain.window import Window
from shared.store.contents import dump_content, load_content, load_header
from shared.store.effects import load_halts
from shared.store.template_codec import readable_template

#: Made once: `json.dumps` makes one a call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
#: A contact's fields for each category: consent, preference, cap. Written out once: every claim reads them.
_FIELDS = tuple((one, f"consent:{one}", f"preference:{one}", f"cap:{one}") for one in Category)


def dump(value: Any) -> str:  # noqa: ANN401 - JSON takes anything
    return _ENCODER.encode(value)


def dump_request(request: MessageRequest) -> str:
    return dump(
        {
            "to": request.to.value,
            "sender": request.sender,
            **_dump_content(request),
            "templates": [_dump_call(call) for call in request.templates],
            "category": request.category,
            "when_open": request.when_open,
            "when_closed": request.when_closed,
            "priority": request.priority,
            "in_doubt": request.in_doubt,
            "reference": request.reference,
            **({} if request.nudge_for is None else {"nudge_for": request.nudge_for}),
            **_dump_confirmed(request),
            "expires_at": to_ms(request.expires_at),
        }
    )


def _dump_confirmed(request: MessageRequest) -> dict[str, Any]:
    at = request.confirms_opt_out_at
    return {} if at is None else {"confirms_opt_out_at": to_ms(at)}


def _load_confirmed(stored: Mapping[str, Any]) -> datetime | None:
    at = stored.get("confirms_opt_out_at")
    return None if at is None else from_ms(at)


def _dump_content(request: MessageRequest) -> dict[str, Any]:
    """Most is text, and stands as such; `content` and `reply_to` only where there is one."""
    content = request.content
    quote = {} if request.reply_to is None else {"reply_to": request.reply_to}
    if content is None or isinstance(content, Text):
        return {"text": content and content.body, **quote}
    return {"text": None, "content": dump_content(content), **quote}


def _load_content(stored: Mapping[str, Any]) -> SessionContent | None:
    if stored["text"] is not None:
        return Text(stored["text"])
    return load_content(stored["content"]) if "content" in stored else None


def _dump_call(call: TemplateCall) -> dict[str, Any]:
    stored: dict[str, Any] = {"name": call.name, "language": call.language, "values": dict(call.values)}
    if call.header is not None:
        stored["header"] = plain(call.header)
    if call.buttons:
        stored["buttons"] = plain(call.buttons)
    return stored


def _load_call(stored: Mapping[str, Any]) -> TemplateCall:
    return TemplateCall(
        name=stored["name"],
        language=stored["language"],
        values=stored["values"],
        header=load_header(stored.get("header")),
        buttons=tuple(
            TemplateButton(**{**button, "fill": ButtonFill(button["fill"])})
            for button in stored.get("buttons", ())
        ),
    )


def load_request(text: str) -> MessageRequest:
    stored = json.loads(text)
    return MessageRequest(
        to=ContactId(stored["to"]),
        sender=stored["sender"],
        content=_load_content(stored),
        reply_to=stored.get("reply_to"),
        templates=tuple(_load_call(call) for call in stored["templates"]),
        category=Category(stored["category"]),
        when_open=WhenOpen(stored["when_open"]),
        when_closed=WhenClosed(stored["when_closed"]),
        priority=Priority(stored["priority"]),
        in_doubt=InDoubt(stored["in_doubt"]),
        reference=stored["reference"],
        nudge_for=stored.get("nudge_for"),
        confirms_opt_out_at=_load_confirmed(stored),
        expires_at=from_ms(stored["expires_at"]),
    )


def pairs(flat: Sequence[str] | dict[str, str]) -> dict[str, str]:
    """A hash as a script returns it: field, value, field, value."""
    if isinstance(flat, dict):
        return flat
    items = iter(flat)
    return dict(zip(items, items, strict=True))


def load_window(value: str | None, length: timedelta) -> Window:
    if not value:
        return Window(length=length)
    last, _, rest = value.partition("|")
    refused = rest.rpartition("|")[2]
    return Window(
        last_inbound_at=from_ms(last) if last != "0" else None,
        refused_at=from_ms(refused) if refused else None,
        length=length,
    )


def dump_consent(record: ConsentRecord) -> str:
    return dump(
        {
            "status": record.status,
            "at": int(record.at.timestamp()),
            "source": record.source,
            "evidence": record.evidence,
        }
    )


def load_consent(contact: Mapping[str, str]) -> Consent:
    records = {}
    for category, field_of_consent, field_of_preference, _ in _FIELDS:
        text = contact.get(field_of_consent)
        record = None if text is None else _load_consent_record(text)
        preference = _load_preference(contact, field_of_preference)
        if preference is not None and not (record and record.at > preference.at):
            record = preference
        if record is not None:
            records[category] = record
    return Consent(records)


def _load_preference(contact: Mapping[str, str], name: str) -> ConsentRecord | None:
    """The opt-out that the contact told WhatsApp; what was resumed leaves our own record as it stands."""
    if contact.get(name) != ConsentStatus.OPTED_OUT:
        return None
    at = from_ms(contact[f"{name}_at"])
    return ConsentRecord(status=ConsentStatus.OPTED_OUT, at=at, source="user_preferences")


def _load_consent_record(text: str) -> ConsentRecord:
    stored = json.loads(text)
    return ConsentRecord(
        status=ConsentStatus(stored["status"]),
        at=datetime.fromtimestamp(stored["at"], UTC),
        source=stored["source"],
        evidence=stored["evidence"],
    )


def load_caps(contact: Mapping[str, str]) -> dict[Category, datetime]:
    """One that the contact's own writing ends is over once it has written since."""
    caps = {}
    for category, _, _, name in _FIELDS:
        cap = contact.get(name)
        if cap is None:
            continue
        until, ends_by_writing, _ = cap.split("|", 2)
        written_at, since = int(contact.get("last_inbound_at", 0)), int(contact.get(f"{name}_at", 0))
        if until != "0" and not (ends_by_writing == "1" and written_at > since):
            caps[category] = from_ms(until)
    return caps


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a script said about window, contact, sender and templates, at one instant."""

    #: Opaque: what `begin` compares to see that nothing has changed.
    versions: str
    window: Window
    consent: Consent
    last_inbound_at: datetime | None
    #: What halts the sender, ended ones too.
    halts: tuple[Halt, ...] = ()
    #: Answers in a row that speak of an outage of the provider.
    failures: int = 0
    #: The provider is down: this claim is the one that tries.
    is_away: bool = False
    #: Until when the contact takes no templates of a category.
    caps: Mapping[Category, datetime] = field(default_factory=dict)
    #: Who is meant: a number when one is known.
    contact: ContactId
    #: The name of the contact that last proved to work; None: it never wrote and was never sent to.
    address: ContactId | None
    #: Its number went with the old id and was not seen since.
    is_number_given_up: bool = False
    #: When the sender's next message may go, as its rate counts (ms).
    tat_ms: float = 0
    #: What was sent to the contact and is not paid off.
    burst: Burst | None = None
    day: DayStanding = field(default_factory=DayStanding)
    templates: tuple[Template | None, ...]


def _load_burst(value: str) -> Burst | None:
    started_at, _, count = value.partition("|")
    return Burst(int(started_at), int(count)) if count else None


def _load_day(reached_at: str = "", full_since: str = "") -> DayStanding:
    return DayStanding(*(int(float(at)) if at else None for at in (reached_at, full_since)))


def load_known(answer: Sequence[Any], window_length: timedelta) -> Known:
    versions, window, contact, sender, name, limits, *templates = answer
    contact_hash, sender_hash = pairs(contact), pairs(sender)
    last, address = contact_hash.get("last_inbound_at"), contact_hash.get("address")
    return Known(
        versions=versions,
        window=load_window(window, window_length),
        consent=load_consent(contact_hash),
        last_inbound_at=from_ms(last) if last else None,
        halts=load_halts(sender_hash),
        failures=int(sender_hash.get("failures", 0)),
        is_away="probe_at" in sender_hash,
        caps=load_caps(contact_hash),
        contact=ContactId(name),
        address=ContactId(address) if address else None,
        is_number_given_up="renumbered_at" in contact_hash,
        tat_ms=float(sender_hash.get("tat", 0)),
        burst=_load_burst(limits[0]),
        day=_load_day(*limits[1:]),
        templates=tuple(readable_template(pairs(template)) for template in templates),
    )
