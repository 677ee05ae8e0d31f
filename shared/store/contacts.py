"""Contacts: their windows and their consent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.clock import to_ms
from shared.configuration import AnySender
from shared.domain.consent import Category, Consent, ConsentRecord
from shared.domain.identifiers import ContactId, MessageId, PhoneNumber
from shared.domain.identity import key_of
from shared.domain.window import Window
from shared.store.codec import load_consent, load_window, pairs
from shared.store.consents import Decision, call_of
from shared.store.keyed_hash import NO_HASHES, KeyedHashes
from shared.store.scripts import Call, Scripts

_INBOUND_PREFIX = "in:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    #: Who is meant by the name that was asked for.
    contact: ContactId
    #: The name that last proved to work.
    address: ContactId | None
    user_id: ContactId | None
    window: Window
    consent: Consent
    #: Ids of the latest messages both ways, newest first; ours start with `msg_`.
    outbound_ids: tuple[str, ...]
    #: What the contact wrote, newest first, as recorded.
    inbound: tuple[Mapping[str, Any], ...]


class Contacts:
    def __init__(
        self,
        scripts: Scripts,
        *,
        window_length: timedelta,
        aliases_of: Mapping[str, tuple[str, ...]],
        hashes: KeyedHashes = NO_HASHES,
    ) -> None:
        """`aliases_of`: the senders of each business."""
        self._scripts = scripts
        self._window_length = window_length
        self._aliases_of = aliases_of
        self._hashes = hashes

    def get(self, sender: AnySender, contact: ContactId) -> ContactRecord:
        """A contact as one sender sees it; one who is unknown has a closed window and no consent."""
        call = Call.of("contact", sender.business, sender.alias, key_of(contact).value)
        name, window, flat, recent, records = self._scripts.run(call)
        stored = pairs(flat)
        inbound = [
            {"id": id_.removeprefix(_INBOUND_PREFIX).partition(":")[2], **json.loads(record)}
            for id_, record in zip(recent, records, strict=True)
            if record
        ]
        return ContactRecord(
            contact=ContactId(name),
            address=ContactId(stored["address"]) if "address" in stored else None,
            user_id=ContactId(stored["user_id"]) if "user_id" in stored else None,
            window=load_window(window, self._window_length),
            consent=load_consent(stored),
            outbound_ids=tuple(id_ for id_ in recent if not id_.startswith(_INBOUND_PREFIX)),
            inbound=tuple(inbound),
        )

    def set_consent(
        self,
        sender: AnySender,
        contact: ContactId,
        record: ConsentRecord,
        categories: Sequence[Category],
        *,
        now: datetime,
        app: str = "",
    ) -> int:
        """Record a decision; how many categories it changed (an older one changes nothing)."""
        decision = Decision(contact=contact, record=record, categories=categories, app=app)
        _word, changed = self._scripts.run(call_of(sender, decision, now, self._hashes))
        return int(changed)

    def learn(
        self,
        business: str,
        contact: ContactId,
        number: PhoneNumber,
        *,
        now: datetime,
        by: MessageId | None = None,
    ) -> None:
        """WhatsApp knows the contact under `number`: send to that, and take what it writes for theirs.

        `by`: the message whose answer said so; nothing is learned by one that was erased meanwhile.
        """
        name = ContactId(number.value)
        senders = " ".join(self._aliases_of.get(business, ()))
        arguments = (
            to_ms(now),
            key_of(contact).value,
            name.value,
            key_of(name).value,
            senders,
            str(by or ""),
        )
        self._scripts.run(Call.of("learn_address", business, *arguments))
