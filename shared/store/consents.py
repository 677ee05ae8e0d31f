"""Consent of many contacts: decisions by the hundred, how each came to be, and all that stands in pages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import redis

from shared.clock import from_ms, to_ms
from shared.configuration import AnySender
from shared.domain.consent import Category, Consent, ConsentRecord, ConsentWord
from shared.domain.identifiers import ContactId
from shared.domain.identity import key_of
from shared.store.codec import dump_consent, load_consent
from shared.store.connection import translated
from shared.store.keyed_hash import NO_HASHES, KeyedHashes
from shared.store.keys import Keys
from shared.store.scripts import Call, Scripts

#: What `load_consent` looks at.
_FIELDS = [
    name.format(category)
    for category in Category
    for name in ("consent:{}", "preference:{}", "preference:{}_at")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one contact decided about some categories."""

    contact: ContactId
    record: ConsentRecord
    categories: Sequence[Category]
    #: Who says so: `api`, `import`.
    by: str = "api"
    app: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPage:
    consents: Sequence[tuple[ContactId, Consent]]
    #: The last one of a page that is followed by another.
    next: ContactId | None


class Consents:
    def __init__(self, client: redis.Redis, scripts: Scripts, hashes: KeyedHashes = NO_HASHES) -> None:
        self._client = client
        self._scripts = scripts
        self._hashes = hashes

    def record_all(self, sender: AnySender, decisions: Sequence[Decision], *, now: datetime) -> list[int]:
        """How many categories each has changed, in order; 0: something newer stands. One round trip."""
        answers = self._scripts.run_all(
            [call_of(sender, decision, now, self._hashes) for decision in decisions]
        )
        return [int(changed) for _word, changed in answers]

    def history(self, business: str, contact: ContactId) -> tuple[ContactId, list[ConsentWord]]:
        """Who is meant, and every word about the consent, by event time, newest first."""
        name, lines = self._scripts.run(Call.of("consent_history", business, key_of(contact).value))
        words = sorted(map(_load_word, lines), key=lambda word: (word.at, word.recorded_at), reverse=True)
        return ContactId(name), words

    def page(self, business: str, *, after: ContactId | None, limit: int) -> ConsentPage:
        """Those who have a consent, by name, so that what changes meanwhile moves nobody to another page."""
        keys = Keys(business)
        start = f"({after.value}" if after else "-"
        with translated(self._client):
            names = cast(
                "list[str]", self._client.zrangebylex(keys.consented(), start, "+", start=0, num=limit + 1)
            )
            shown = names[:limit]
            pipeline = self._client.pipeline(transaction=False)
            for name in shown:
                pipeline.hmget(keys.contact(name), _FIELDS)
            values = pipeline.execute()
        consents = [
            (ContactId(name), load_consent(_given(each))) for name, each in zip(shown, values, strict=True)
        ]
        return ConsentPage(consents=consents, next=ContactId(shown[-1]) if len(names) > limit else None)


def call_of(sender: AnySender, decision: Decision, now: datetime, hashes: KeyedHashes = NO_HASHES) -> Call:
    return Call.of(
        "set_consent",
        sender.business,
        to_ms(now),
        sender.alias,
        key_of(decision.contact).value,
        decision.record.status,
        int(decision.record.at.timestamp()),
        dump_consent(decision.record),
        " ".join(decision.categories),
        decision.by,
        decision.app,
        hashes.known_as([decision.contact]),
    )


def _given(values: Sequence[str | None]) -> Mapping[str, str]:
    return {name: value for name, value in zip(_FIELDS, values, strict=True) if value is not None}


def _load_word(line: str) -> ConsentWord:
    """A line as lua/parts/consent.lua writes it."""
    word, _, heard = line.rpartition("\n")
    by, app, sender, categories, record = word.split("|", 4)
    recorded_at, _, changed = heard.partition("|")
    stored = json.loads(record)
    return ConsentWord(
        status=stored["status"],
        at=datetime.fromtimestamp(stored["at"], UTC),
        recorded_at=from_ms(recorded_at),
        categories=tuple(map(Category, categories.split())),
        changed=tuple(map(Category, changed.split())),
        source=stored["source"],
        evidence=stored["evidence"],
        by=by,
        app=app or None,
        sender=sender,
    )
