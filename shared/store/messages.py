"""Messages: accepted in one step, read back with all that happened to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis

from shared.clock import duration_ms, from_ms, to_ms
from shared.configuration import DEFAULT_MAX_BACKLOG, AnySender
from shared.domain.identifiers import MessageId
from shared.domain.identity import key_of
from shared.domain.message import MessageRequest, MessageState
from shared.domain.template_call import Misfit
from shared.domain.templates import TemplateId
from shared.errors import StoreUnavailableError
from shared.store.codec import Known, dump_request, load_known
from shared.store.connection import read_hash, translated
from shared.store.keyed_hash import NO_HASHES, KeyedHashes
from shared.store.keys import Keys
from shared.store.lanes import BELL_LIFE
from shared.store.limits import watched_word
from shared.store.message_record import MessageRecord, read_message, readable
from shared.store.scripts import Argument, Call, Scripts
from shared.store.seen_templates import SeenTemplates

_IDEMPOTENCY_LIFE = timedelta(hours=24)
#: A request names ten templates at most, and each may have to be seen first.
_LOOKS = 12
_UNSEEN = ("unseen",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What an app hands in."""

    message_id: MessageId
    app: str
    request: MessageRequest
    idempotency_key: str | None = None
    #: Of the body as it came, to tell a repeat from a reuse.
    fingerprint: str = ""
    #: Whether the answer shall say what a decision would look at.
    wants_facts: bool = True
    #: So many messages of the app may wait at most.
    max_backlog: int = DEFAULT_MAX_BACKLOG


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Also for a repeat: then with the first one's id, time and facts."""

    message_id: MessageId
    accepted_at: datetime
    must_ring: bool
    #: None: the facts were not wanted.
    known: Known | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudged:
    """What asks a contact for the answer that content waits for."""

    #: None: the content's own came to nothing, and no other is alive.
    by: MessageId | None
    #: What the content is settled on: it is decided anew if the nudge has ended since.
    versions: str


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The idempotency key belongs to another body."""


@dataclass(frozen=True, slots=True)
class TemplateMismatch:
    """The request does not fill the template as it stands."""

    template: str
    misfits: tuple[Misfit, ...]


@dataclass(frozen=True, slots=True)
class BacklogFull:
    """As many messages of the app wait as may."""


AcceptAnswer = Accepted | KeyReused | TemplateMismatch | BacklogFull


class Messages:
    def __init__(
        self,
        client: redis.Redis,
        scripts: Scripts,
        *,
        window_length: timedelta,
        retention: timedelta,
        hashes: KeyedHashes = NO_HASHES,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._hashes = hashes
        self._window_length = window_length
        self._retention = retention
        self._seen = SeenTemplates()

    def accept(self, sender: AnySender, acceptance: Acceptance, *, now: datetime) -> AcceptAnswer:
        """Write one message, or answer the earlier one. Safe to repeat. Raises StoreUnavailableError."""
        return self.accept_all([(sender, acceptance)], now=now)[0]

    def accept_all(
        self, acceptances: Sequence[tuple[AnySender, Acceptance]], *, now: datetime
    ) -> list[AcceptAnswer]:
        """The same for many, each by itself, in one round trip; two when a template is not as it was seen."""
        answers: dict[int, Sequence[Any]] = {}
        for _ in range(_LOOKS):
            pending = [index for index in range(len(acceptances)) if index not in answers]
            calls = [self._accept_call(*acceptances[index], now) for index in pending]
            for index, answer in zip(pending, self._scripts.run_all(calls) if calls else [], strict=True):
                if answer[0] == "unseen":
                    self._seen.learn(acceptances[index][0].business, *answer[1:])
                else:
                    answers[index] = answer
        return [
            self._accept_answer(sender, acceptance, answers.get(index, _UNSEEN))
            for index, (sender, acceptance) in enumerate(acceptances)
        ]

    def nudge(
        self, sender: AnySender, content: MessageId, versions: str, acceptance: Acceptance, *, now: datetime
    ) -> Nudged | None:
        """Send `acceptance`, of the content's app, or join the nudge that is under way. Safe to repeat.

        None: what the content was decided on (`versions`) has changed.
        """
        row = self.row(sender, acceptance, now)
        answer = self._scripts.run(Call.of("nudge", sender.business, content.value, versions, *row))
        if answer[0] == "changed":
            return None
        return Nudged(versions=answer[1], by=MessageId(answer[2]) if answer[0] == "nudged" else None)

    def facts(self, sender: AnySender, request: MessageRequest) -> Known:
        """What a decision about `request` would look at now; for dry runs."""
        templates = [str(template_id) for template_id in template_ids(sender, request)]
        call = Call.of(
            "facts",
            sender.business,
            sender.alias,
            key_of(request.to).value,
            " ".join(templates),
            watched_word(sender),
        )
        return load_known(self._scripts.run(call), self._window_length)

    def get(self, business: str, message_id: MessageId) -> MessageRecord | None:
        stored = read_hash(self._client, Keys(business).message(message_id))
        return read_message(message_id, stored) if stored else None

    def get_all(self, business: str, ids: Sequence[MessageId]) -> list[MessageRecord]:
        """Those of `ids` that are still kept, in that order, in one round trip."""
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for message_id in ids:
                pipeline.hgetall(Keys(business).message(message_id))
            hashes = pipeline.execute()
        records = (readable(message_id, stored) for message_id, stored in zip(ids, hashes, strict=True))
        return [record for record in records if record is not None]

    def have_answered(self, app: str, keys: Sequence[tuple[AnySender, str | None]]) -> list[bool]:
        """Whether a message was accepted under each key, which `accept` would answer again."""
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for sender, key in keys:
                pipeline.exists(Keys(sender.business).idempotency(app, sender.alias, key or ""))
            return [bool(found) for found in pipeline.execute()]

    def count(self, business: str, state: MessageState) -> int:
        with translated(self._client):
            return int(self._client.zcard(Keys(business).state(state)))

    def _accept_answer(
        self, sender: AnySender, acceptance: Acceptance, answer: Sequence[Any]
    ) -> AcceptAnswer:
        match answer[0]:
            case "reused":
                return KeyReused()
            case "mismatch":
                return self._mismatch(sender, acceptance.request, answer[1])
            case "unseen":
                # Every look found it edited once more.
                raise StoreUnavailableError("a template of the request changes all the time")
            case "full":
                return BacklogFull()
            case _:
                _, message_id, accepted_at, ring, known = answer
                return Accepted(
                    message_id=MessageId(message_id),
                    accepted_at=from_ms(accepted_at),
                    must_ring=bool(ring),
                    known=load_known(known, self._window_length) if known else None,
                )

    def _accept_call(self, sender: AnySender, acceptance: Acceptance, now: datetime) -> Call:
        return Call.of("accept", sender.business, *self.row(sender, acceptance, now))

    def row(self, sender: AnySender, acceptance: Acceptance, now: datetime) -> tuple[Argument, ...]:
        """What accept.lua takes, for scripts that write messages of their own."""
        request = acceptance.request
        return (
            to_ms(now),
            acceptance.message_id.value,
            sender.alias,
            key_of(request.to).value,
            int(request.priority),
            to_ms(request.expires_at),
            dump_request(request),
            acceptance.app,
            request.reference or "",
            request.in_doubt,
            " ".join(str(template_id) for template_id in template_ids(sender, request)),
            self._seen.words(sender.business, template_ids(sender, request), request.templates),
            acceptance.idempotency_key or "",
            acceptance.fingerprint,
            duration_ms(_IDEMPOTENCY_LIFE),
            duration_ms(self._retention),
            duration_ms(BELL_LIFE),
            int(acceptance.wants_facts),
            watched_word(sender),
            acceptance.max_backlog,
            self._hashes.known_as([request.to]),
        )

    def _mismatch(self, sender: AnySender, request: MessageRequest, template: str) -> TemplateMismatch:
        ids = [str(template_id) for template_id in template_ids(sender, request)]
        call = request.templates[ids.index(template)]
        return TemplateMismatch(template, self._seen.misfits(sender.business, template, call))


def template_ids(sender: AnySender, request: MessageRequest) -> list[TemplateId]:
    return [TemplateId(sender.account, call.name, call.language) for call in request.templates]
