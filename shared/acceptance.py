"""Accepting messages, whichever door they come by: which sender, is it in time, then one step of the store.

A refusal is a value with a stable code; each door says it in its own way. It knows neither HTTP nor Celery.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from shared.clock import from_ms, to_ms
from shared.configuration import AnySender, App, Configuration
from shared.deps import Deps
from shared.domain.message import MessageRequest
from shared.domain.template_call import misfits
from shared.providers.support import unsupported
from shared.schemas.documents import canonical, read
from shared.schemas.message_request import Draft, MessageRequestSchema
from shared.store.codec import Known
from shared.store.messages import (
    Acceptance,
    AcceptAnswer,
    Accepted,
    BacklogFull,
    KeyReused,
    TemplateMismatch,
    template_ids,
)
from shared.tracing import Work

_SCHEMA = MessageRequestSchema()


class RefusalCode(StrEnum):
    """Stable: programs match on it. `shared/problems.py` has each of them with its HTTP status."""

    INVALID_REQUEST = "invalid_request"
    SENDER_NOT_ALLOWED = "sender_not_allowed"
    UNSUPPORTED_BY_PROVIDER = "unsupported_by_provider"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    TEMPLATE_MISMATCH = "template_mismatch"
    BACKLOG_FULL = "backlog_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a message was not accepted. `detail` and `errors` are for whoever handed it in, not for logs."""

    code: RefusalCode
    detail: str = "See errors."
    #: By field, as the body names it.
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A message as an app hands it in."""

    draft: Draft
    idempotency_key: str | None
    #: Of the body, to tell a repeat from a reuse.
    fingerprint: str
    #: Whether the receipt shall say what a decision would look at now.
    wants_facts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A draft with its sender, both fit for each other."""

    draft: Draft
    sender: AnySender


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A message that was accepted, now or before under the same key."""

    sender: AnySender
    request: MessageRequest
    accepted: Accepted
    is_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """What goes to the store, and its place among what was handed in."""

    index: int
    placed: Placed
    acceptance: Acceptance


def read_submission(document: Any, idempotency_key: str | None) -> Submission | Refusal:  # noqa: ANN401 - JSON is anything
    """A message from its JSON, as in section 6 of the contract.

    Raises ValueError for what JSON or UTF-8 does not have: NaN, half a surrogate pair.
    """
    draft, mistakes = read(_SCHEMA, document)
    if mistakes:
        return Refusal(code=RefusalCode.INVALID_REQUEST, errors=mistakes)
    # Compared only under a key.
    print_ = fingerprint(canonical(document)) if idempotency_key is not None else ""
    return Submission(draft=draft, idempotency_key=idempotency_key, fingerprint=print_)


def fingerprint(body: bytes) -> str:
    """Of a body in its one spelling."""
    return hashlib.sha256(body).hexdigest()


def accept_one(deps: Deps, app: App, submission: Submission) -> Receipt | Refusal:
    return accept(deps, app, [submission])[0]


def accept(deps: Deps, app: App, submissions: Sequence[Submission]) -> list[Receipt | Refusal]:
    """Each by itself, in the same order, in one round trip; each sender is rung once.

    Raises StoreUnavailableError: then some may be accepted; a repeat with the same keys doubles nothing.
    """
    # Whole milliseconds, as stored: a repeat is answered from what is stored.
    now = from_ms(to_ms(deps.clock.now()))
    answers: dict[int, Receipt | Refusal] = {}
    offers: list[_Offer] = []
    for index, submission in enumerate(submissions):
        placed = place(deps.settings.configuration, app, submission.draft)
        if isinstance(placed, Placed):
            offers.append(_offer(deps, app, index, placed, submission, now))
        else:
            answers[index] = placed
    answers |= _refuse_late(deps, app, offers, now)
    in_time = [offer for offer in offers if offer.index not in answers]
    stored = deps.messages.accept_all([(offer.placed.sender, offer.acceptance) for offer in in_time], now=now)
    answers |= {o.index: _receipt(o, answer) for o, answer in zip(in_time, stored, strict=True)}
    _ring(deps, answers.values())
    return [answers[index] for index in range(len(submissions))]


def tell_accepted(deps: Deps, app: App, receipt: Receipt, request_id: str | None = None) -> None:
    """The origin of a message's trace, where no request stands for it alone; a repeat begins none."""
    if receipt.is_repeat:
        return
    deps.on_work(
        Work(
            name="accept",
            started_at=receipt.accepted.accepted_at,
            ended_at=deps.clock.now(),
            message_id=receipt.accepted.message_id.value,
            is_origin=True,
            request_id=request_id,
            app=app.name,
            sender=receipt.sender.alias,
        )
    )


def place(configuration: Configuration, app: App, draft: Draft) -> Placed | Refusal:
    """The draft with the sender that it names, or the only one there is."""
    sender = choose_sender(configuration, app, draft.sender)
    if isinstance(sender, Refusal):
        return sender
    mistakes = unsupported(sender, draft.to, draft.content, draft.templates)
    if mistakes:
        return Refusal(code=RefusalCode.UNSUPPORTED_BY_PROVIDER, errors=mistakes)
    return Placed(draft=draft, sender=sender)


def choose_sender(configuration: Configuration, app: App, alias: str | None) -> AnySender | Refusal:
    """The sender that a body names; what is wrong with it is a mistake in the body."""
    own = [sender for sender in configuration.senders.values() if app.may_use(sender.alias)]
    names = "this key may use " + (", ".join(sender.alias for sender in own) or "none")
    if alias is None:
        if len(own) == 1:
            return own[0]
        return _invalid("sender", f"needed, as there is not exactly one; {names}")
    sender = configuration.senders.get(alias)
    if sender is None:
        return _invalid("sender", f"there is no such sender; {names}")
    if sender not in own:
        return Refusal(
            code=RefusalCode.SENDER_NOT_ALLOWED, detail=f"The key may not use this sender; {names}."
        )
    return sender


def refuse_mistimed(draft: Draft, now: datetime) -> Refusal | None:
    mistakes = draft.mistakes(now)
    return Refusal(code=RefusalCode.INVALID_REQUEST, errors=mistakes) if mistakes else None


def refuse_mismatch(sender: AnySender, request: MessageRequest, known: Known) -> Refusal | None:
    """What the store refuses by itself, for a dry run."""
    for call, template in zip(request.templates, known.templates, strict=True):
        found = () if template is None else tuple(misfits(call, template))
        if template is not None and found:
            return _mismatch(sender, request, TemplateMismatch(str(template.id), found))
    return None


def _offer(deps: Deps, app: App, index: int, placed: Placed, submission: Submission, now: datetime) -> _Offer:
    acceptance = Acceptance(
        message_id=deps.new_message_id(),
        app=app.name,
        request=placed.draft.request(placed.sender, now),
        idempotency_key=submission.idempotency_key,
        fingerprint=submission.fingerprint,
        wants_facts=submission.wants_facts,
        max_backlog=app.max_backlog,
    )
    return _Offer(index=index, placed=placed, acceptance=acceptance)


def _refuse_late(deps: Deps, app: App, offers: Sequence[_Offer], now: datetime) -> dict[int, Refusal]:
    """Those whose time has passed, unless they were accepted when it had not: then their answer stands."""
    refusals = [(offer, refuse_mistimed(offer.placed.draft, now)) for offer in offers]
    mistimed = [(offer, refusal) for offer, refusal in refusals if refusal is not None]
    if not mistimed:
        return {}
    keys = [(offer.placed.sender, offer.acceptance.idempotency_key) for offer, _ in mistimed]
    answered = deps.messages.have_answered(app.name, keys)
    return {o.index: refusal for (o, refusal), done in zip(mistimed, answered, strict=True) if not done}


def _receipt(offer: _Offer, answer: AcceptAnswer) -> Receipt | Refusal:
    sender, acceptance = offer.placed.sender, offer.acceptance
    match answer:
        case Accepted():
            return Receipt(
                sender=sender,
                request=offer.placed.draft.request(sender, answer.accepted_at),
                accepted=answer,
                is_repeat=answer.message_id != acceptance.message_id,
            )
        case KeyReused():
            text = "This Idempotency-Key came with another body in the last 24 hours."
            return Refusal(code=RefusalCode.IDEMPOTENCY_KEY_REUSED, detail=text)
        case TemplateMismatch():
            return _mismatch(sender, acceptance.request, answer)
        case BacklogFull():
            text = "As many messages of this app wait as may; send it again when some have left."
            return Refusal(code=RefusalCode.BACKLOG_FULL, detail=text)
        case _:
            assert_never(answer)


def _mismatch(sender: AnySender, request: MessageRequest, mismatch: TemplateMismatch) -> Refusal:
    ids = [str(template_id) for template_id in template_ids(sender, request)]
    index = ids.index(mismatch.template)
    prefix = "template." if index == 0 else f"template.alternates.{index - 1}."
    errors = {prefix + misfit.field: [misfit.mend] for misfit in mismatch.misfits}
    return Refusal(code=RefusalCode.TEMPLATE_MISMATCH, errors=errors)


def _invalid(name: str, text: str) -> Refusal:
    return Refusal(code=RefusalCode.INVALID_REQUEST, errors={name: [text]})


def _ring(deps: Deps, answers: Iterable[Receipt | Refusal]) -> None:
    waiting = {
        answer.sender.alias: answer.sender
        for answer in answers
        if isinstance(answer, Receipt) and answer.accepted.must_ring
    }
    for sender in waiting.values():
        deps.ring(sender)
