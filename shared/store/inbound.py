"""What contacts wrote to us, by the provider's id of the message. Recording is another's work: updates.py."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import redis

from shared.configuration import AnySender
from shared.domain.content import Media
from shared.domain.identifiers import ContactId
from shared.domain.window import InboundKind
from shared.store.connection import translated
from shared.store.keys import Keys

_MEDIA_KINDS = frozenset(
    {
        InboundKind.IMAGE,
        InboundKind.VIDEO,
        InboundKind.AUDIO,
        InboundKind.DOCUMENT,
        InboundKind.STICKER,
    }
)
_MEDIA_FIELDS = tuple(field.name for field in fields(Media))


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRecord:
    """One inbound message, as far as it is answered to, marked as read, or fetched."""

    #: The provider's id, or our fingerprint where the provider gives none.
    event_id: str
    #: Alias of the sender that it was written to.
    sender: str
    contact: ContactId
    kind: InboundKind
    at: datetime
    #: None: it holds no file, or none that can be found again.
    media: Media | None
    #: By what the provider marks it as read, where that is not `event_id`.
    read_handle: str | None


class Inbox:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def get(self, business: str, sender_alias: str, event_id: str) -> InboundRecord | None:
        """None: it never came for this sender, or longer ago than we keep it."""
        with translated(self._client):
            stored = self._client.get(Keys(business).inbound(sender_alias, event_id))
        return _load(sender_alias, event_id, stored)

    def find(self, senders: Sequence[AnySender], event_id: str) -> InboundRecord | None:
        """The same when it is not known whom it was written to: one round trip for all of `senders`."""
        pipeline = self._client.pipeline(transaction=False)
        for sender in senders:
            pipeline.get(Keys(sender.business).inbound(sender.alias, event_id))
        with translated(self._client):
            answers = pipeline.execute()
        found = (
            _load(sender.alias, event_id, stored) for sender, stored in zip(senders, answers, strict=True)
        )
        return next((record for record in found if record is not None), None)


def _load(sender_alias: str, event_id: str, stored: Any) -> InboundRecord | None:  # noqa: ANN401 - redis-py's
    if stored is None:
        return None
    record = json.loads(stored)
    kind = InboundKind(record["kind"])
    return InboundRecord(
        event_id=event_id,
        sender=sender_alias,
        contact=ContactId(record["contact"]),
        kind=kind,
        at=datetime.fromisoformat(record["at"]),
        media=_media(record.get("content") or {}) if kind in _MEDIA_KINDS else None,
        read_handle=record.get("read_handle"),
    )


def _media(content: Mapping[str, Any]) -> Media | None:
    """None where the provider showed neither an id nor an address."""
    media = Media(**{name: content[name] for name in _MEDIA_FIELDS if name in content})
    return media if media.media_id or media.url else None
