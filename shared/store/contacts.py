"""Contacts: their windows and their consent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis

from shared.configuration import AnySender
from shared.domain.consent import Category, Consent, ConsentRecord
from shared.domain.identifiers import ContactId
from shared.domain.window import Window
from shared.store.codec import dump_consent, load_consent, load_window
from shared.store.connection import translated
from shared.store.keys import Keys
from shared.store.scripts import Call, Scripts

_INBOUND_PREFIX = "in:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    contact: ContactId
    window: Window
    consent: Consent
    #: Ids of the latest messages both ways, newest first; ours start with `msg_`.
    outbound_ids: tuple[str, ...]
    #: What the contact wrote, newest first, as recorded.
    inbound: tuple[Mapping[str, Any], ...]


class Contacts:
    def __init__(self, client: redis.Redis, scripts: Scripts, *, window_length: timedelta) -> None:
        self._client = client
        self._scripts = scripts
        self._window_length = window_length

    def get(self, sender: AnySender, contact: ContactId) -> ContactRecord:
        """A contact as one sender sees it; one who is unknown has a closed window and no consent."""
        keys = Keys(sender.business)
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            pipeline.get(keys.window(sender.alias, contact))
            pipeline.hgetall(keys.contact(contact))
            pipeline.zrevrange(keys.recent(contact), 0, -1)
            window, stored, recent = pipeline.execute()
        inbound_ids = [id_.removeprefix(_INBOUND_PREFIX) for id_ in recent if id_.startswith(_INBOUND_PREFIX)]
        return ContactRecord(
            contact=contact,
            window=load_window(window, self._window_length),
            consent=load_consent(stored),
            outbound_ids=tuple(id_ for id_ in recent if not id_.startswith(_INBOUND_PREFIX)),
            inbound=self._inbound(keys, inbound_ids),
        )

    def set_consent(
        self, business: str, contact: ContactId, record: ConsentRecord, categories: Sequence[Category]
    ) -> int:
        """Record a decision; how many categories it changed (an older one changes nothing)."""
        at_seconds = int(record.at.timestamp())
        arguments = (contact.value, record.status, at_seconds, dump_consent(record), " ".join(categories))
        return int(self._scripts.run(Call.of("set_consent", business, *arguments)))

    def _inbound(self, keys: Keys, ids: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
        if not ids:
            return ()
        with translated(self._client):
            texts = self._client.mget([keys.inbound(id_) for id_ in ids])
        return tuple(
            {"id": id_, **json.loads(text)} for id_, text in zip(ids, texts, strict=True) if text is not None
        )
