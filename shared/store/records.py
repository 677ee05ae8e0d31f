"""All that is kept of one person, for whoever has to hand it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId, MessageId
from shared.store.codec import load_caps
from shared.store.connection import read_hash
from shared.store.keys import Keys
from shared.store.message_record import MessageRecord
from shared.store.messages import Messages
from shared.store.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The provider takes no templates of a category for the contact."""

    category: Category
    until: datetime
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    names: tuple[str, ...]
    caps: tuple[Cap, ...]
    #: In the order of acceptance.
    messages: tuple[MessageRecord, ...]
    #: In the order of event times, each with its id, as recorded.
    inbound: tuple[Mapping[str, Any], ...]


class Records:
    def __init__(self, client: redis.Redis, messages: Messages) -> None:
        self._client = client
        self._messages = messages
        self._people = People(client)

    def gather(self, business: str, contact: ContactId) -> PersonRecord:
        """Looks through everything: seconds where there is much. Raises StoreUnavailableError."""
        person = self._people.find(business, contact)
        ids = sorted({message_id for page in self._people.messages(person) for message_id, _ in page})
        inbound = {
            ref: {"id": ref.partition(":")[2], **record}
            for page in self._people.inbound(person)
            for ref, record in page
        }
        return PersonRecord(
            names=tuple(sorted(person.names)),
            caps=tuple(cap for name in sorted(person.names) for cap in self._caps(business, name)),
            messages=tuple(self._messages.get_all(business, [MessageId(each) for each in ids])),
            inbound=tuple(sorted(inbound.values(), key=lambda record: str(record["at"]))),
        )

    def _caps(self, business: str, name: str) -> Sequence[Cap]:
        stored = read_hash(self._client, Keys(business).contact(name))
        return [
            Cap(category=category, until=until, code=stored[f"cap:{category}"].rpartition("|")[2])
            for category, until in load_caps(stored).items()
        ]
