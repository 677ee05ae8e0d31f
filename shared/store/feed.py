"""What happened, for apps: a stream of ids, rendered when it is read, so that what is erased is not told.

An entry carries a type, a time and whom it is about; text comes only from the record of an inbound message.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis

from shared.clock import from_ms, rfc3339
from shared.configuration import App, Configuration
from shared.domain.identifiers import MessageId
from shared.observability import LogEvent, get_logger, place_of
from shared.store.connection import translated
from shared.store.keys import Keys
from shared.store.message_record import MessageRecord, read_message
from shared.store.template_codec import load_template

#: Before the first entry of a stream.
START = "0-0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the stream, as it stands."""

    id: str
    type: str
    at: datetime
    #: A message's id, or what an inbound message or a template is kept under.
    ref: str
    sender: str | None
    contact: str | None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What an app gets to read."""

    id: str
    type: str
    at: datetime
    data: Mapping[str, Any]
    #: What decides who may read it: its sender, the account of a template, the app of a message.
    sender: str | None = None
    account: str | None = None
    #: Consent belongs to it, whoever heard of it.
    business: str | None = None
    app: str | None = None

    @property
    def entry_id(self) -> str:
        """Of the stream's entry."""
        return self.id.rpartition("_")[2]

    def is_for(self, app: App, configuration: Configuration) -> bool:
        """Whether an app may read it: what it sent, and what concerns a sender that it may use."""
        if self.app is not None:
            return app.may("admin") or self.app == app.name
        return any(
            app.may_use(sender.alias)
            for sender in configuration.senders.values()
            if sender.alias == self.sender
            or sender.account == self.account
            or sender.business == self.business
        )

    @property
    def contact(self) -> str:
        """Whose events come in order; '' for what is about nobody."""
        return str(self.data.get("contact") or "")


class Feed:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def entries(self, business: str, *, after: str, most: int) -> list[Entry]:
        """At most `most` entries behind `after`, oldest first."""
        with translated(self._client):
            found: Any = self._client.xrange(Keys(business).events(), min=f"({after}", count=most)
        return [_entry(id_, fields) for id_, fields in found]

    def last_id(self, business: str) -> str:
        with translated(self._client):
            found: Any = self._client.xrevrange(Keys(business).events(), count=1)
        return str(found[0][0]) if found else START

    def render(self, business: str, entries: Sequence[Entry]) -> list[Event]:
        """What there is to tell of each; one whose record is gone is left out. Two round trips at most."""
        keys = Keys(business)
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for entry in entries:
                _ask(pipeline, keys, entry)
            stored = pipeline.execute()
        rendered = (_readable(business, entry, found) for entry, found in zip(entries, stored, strict=True))
        return [event for event in rendered if event is not None]


def _entry(id_: str, fields: Mapping[str, str]) -> Entry:
    at = fields["at"]
    return Entry(
        id=id_,
        type=fields["t"],
        at=from_ms(at or id_.partition("-")[0]),
        ref=fields["r"],
        sender=fields.get("s"),
        contact=fields.get("c") or None,
        more=json.loads(fields.get("m", "{}")),
    )


def _ask(pipeline: Any, keys: Keys, entry: Entry) -> None:  # noqa: ANN401 - redis-py's pipelines have no one type
    subject = entry.type.partition(".")[0]
    if subject == "message":
        pipeline.hgetall(keys.message(entry.ref))
    elif subject == "inbound":
        pipeline.get(keys.record(entry.ref))
    elif subject == "template":
        pipeline.hgetall(keys.template(entry.ref))
    else:
        pipeline.echo("")  # nothing to read: the entry says it all


def _readable(business: str, entry: Entry, found: Any) -> Event | None:  # noqa: ANN401 - as the pipeline answered
    """One record that cannot be read does not keep an app from all that comes after it."""
    try:
        return _event(business, entry, found)
    except (ValueError, KeyError, TypeError) as exc:
        get_logger().error(
            LogEvent.BUG, where="feed", event_id=entry.id, error=type(exc).__name__, at=place_of(exc)
        )
        return None


def _event(business: str, entry: Entry, found: Any) -> Event | None:  # noqa: ANN401 - as the pipeline answered
    event_id = f"evt_{business}_{entry.id}"
    match entry.type.partition(".")[0]:
        case "message":
            return _of_message(event_id, entry, found) if found else _of_erased(event_id, entry)
        case "inbound":
            return _of_inbound(event_id, entry, found) if found else None
        case "template":
            return _of_template(event_id, entry, found) if found else None
        case "sender":
            data = {"sender": entry.sender, **_with_times(entry.more)}
        case _:
            data = {"sender": entry.sender, "contact": entry.contact, **_with_times(entry.more)}
    if entry.type == "consent.changed":
        return Event(id=event_id, type=entry.type, at=entry.at, data=data, business=business)
    return Event(id=event_id, type=entry.type, at=entry.at, data=data, sender=entry.sender)


def _of_message(event_id: str, entry: Entry, found: Mapping[str, str]) -> Event:
    record = read_message(MessageId(entry.ref), found)
    data = {
        "id": record.id.value,
        "sender": record.request.sender,
        "contact": found["contact"],
        "to": record.request.to.value,
        "reference": record.request.reference,
        **_outcome_of(entry.type, record),
    }
    sender = record.request.sender
    return Event(id=event_id, type=entry.type, at=entry.at, data=data, sender=sender, app=record.app)


def _of_erased(event_id: str, entry: Entry) -> Event | None:
    """The last word about a message that had not left when its contact was erased, without the contact."""
    if entry.more.get("reason") != "erased":
        return None
    data = {"id": entry.ref, "sender": entry.sender, "contact": None, "reason": "erased"}
    app = str(entry.more["app"])
    return Event(id=event_id, type=entry.type, at=entry.at, data=data, sender=entry.sender, app=app)


def _outcome_of(type_: str, record: MessageRecord) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if type_ in {"message.failed", "message.refused", "message.expired", "message.held", "message.unknown"}:
        last = record.attempts[-1] if record.attempts else {}
        more = {"reason": record.reason, "error": last.get("error")}
    elif record.pricing is not None:
        more = {"pricing": record.pricing}
    if record.provider_message_id is not None:
        more["provider_message_id"] = record.provider_message_id
    return more


def _of_inbound(event_id: str, entry: Entry, found: str) -> Event:
    record = json.loads(found)
    shown = {name: value for name, value in record.items() if name not in {"contact", "read_handle"}}
    inbound_id = entry.ref.partition(":")[2]
    data = {"id": inbound_id, "contact": entry.contact, "from": record["contact"], **shown}
    return Event(id=event_id, type=entry.type, at=entry.at, data=data, sender=entry.sender)


def _of_template(event_id: str, entry: Entry, found: Mapping[str, str]) -> Event | None:
    template = load_template(found)
    if template is None:
        return None
    data = {
        "account": template.id.account,
        "name": template.id.name,
        "language": template.id.language,
        "status": template.status,
        "category": template.category,
        "quality": found.get("quality"),
    }
    return Event(id=event_id, type=entry.type, at=entry.at, data=data, account=template.id.account)


def _with_times(more: Mapping[str, Any]) -> dict[str, Any]:
    """Times are milliseconds in the store and RFC 3339 at every door."""
    return {n: rfc3339(from_ms(v)) if n.endswith("_at") else v for n, v in more.items()}
