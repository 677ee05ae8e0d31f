"""`/v1/messages/{id}/cancel`, `/retry`, `/resolve`: what a person does with one message."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.domain.message import MessageState
from shared.problems import Code
from shared.schemas.message_answer import MessageSchema
from shared.schemas.message_change import RESOLVE_EXAMPLE, RETRY_EXAMPLE, ResolveSchema, RetrySchema
from shared.store.changes import Change, Changed, Resolution, Retry
from shared.store.listing import Found
from webhook.api.blueprint import LenientBlueprint
from webhook.api.context import deps
from webhook.api.own_messages import hand, keep_deed, own_message, view_own
from webhook.errors import ProblemError

blueprint = LenientBlueprint("message_changes", __name__, description="What people do with a message.")

_PROBLEMS = (Code.NOT_FOUND, Code.MESSAGE_IN_FLIGHT)
_DOUBT = "Nobody knows whether it arrived: say with /resolve how it ended, or send it again with /retry"
_IN_FLIGHT = "It is being sent; look again in some seconds."

Answers = Mapping[MessageState, tuple[Code, str]]

_NOT_CANCELLED: Answers = {
    MessageState.SENDING: (Code.MESSAGE_IN_FLIGHT, _IN_FLIGHT),
    MessageState.UNKNOWN: (Code.MESSAGE_IN_DOUBT, f'{_DOUBT} and "accept_duplicate": true.'),
}
_NOT_RETRIED: Answers = {
    MessageState.QUEUED: (Code.MESSAGE_WAITING, "It is queued: it goes out by itself."),
    MessageState.DEFERRED: (Code.MESSAGE_WAITING, "It is deferred: it goes out when its time comes."),
    MessageState.HELD: (Code.MESSAGE_WAITING, "It is held: it goes out when the contact writes."),
    MessageState.SENDING: (Code.MESSAGE_IN_FLIGHT, _IN_FLIGHT),
    MessageState.UNKNOWN: (Code.MESSAGE_IN_DOUBT, 'It may have arrived: give "accept_duplicate": true.'),
}


@blueprint.route("/v1/messages/<message_id>/cancel", methods=["POST"])
@blueprint.guarded("messages", problems=(*_PROBLEMS, Code.MESSAGE_IN_DOUBT, Code.MESSAGE_FINAL))
@blueprint.response(HTTPStatus.OK, MessageSchema())
def cancel_message(message_id: str) -> dict[str, Any]:
    """Stop a message that has not left; one that is cancelled stays so."""
    found = own_message(message_id)
    (changed,) = deps().changes.cancel(found.business, [found.record.id], hand=hand(), now=deps().clock.now())
    return _answer(found, "cancel", changed, _NOT_CANCELLED)


@blueprint.route("/v1/messages/<message_id>/retry", methods=["POST"])
@blueprint.guarded(
    "messages", problems=(*_PROBLEMS, Code.MESSAGE_IN_DOUBT, Code.MESSAGE_WAITING, Code.MESSAGE_FINAL)
)
@blueprint.body(RetrySchema(), example=RETRY_EXAMPLE, required=False)
@blueprint.response(HTTPStatus.OK, MessageSchema())
def retry_message(asked: dict[str, Any], message_id: str) -> dict[str, Any]:
    """Send a message again that failed, was refused, expired or is in doubt; it queues up at the end."""
    found = own_message(message_id)
    now = deps().clock.now()
    retry = Retry(
        nonce=deps().new_nonce(),
        expires_at=None if asked["expires_in"] is None else now + asked["expires_in"],
        accepts_duplicate=asked["accept_duplicate"],
    )
    message = (found.record.id, found.record.request)
    (changed,) = deps().changes.retry(found.business, [message], retry, hand=hand(), now=now)
    sender = deps().sender(found.record.request.sender)
    if changed.must_ring and sender is not None:
        deps().ring(sender)
    return _answer(found, "retry", changed, _NOT_RETRIED)


@blueprint.route("/v1/messages/<message_id>/resolve", methods=["POST"])
@blueprint.guarded("messages", problems=(*_PROBLEMS, Code.MESSAGE_NOT_IN_DOUBT))
@blueprint.body(ResolveSchema(), example=RESOLVE_EXAMPLE)
@blueprint.response(HTTPStatus.OK, MessageSchema())
def resolve_message(asked: dict[str, Any], message_id: str) -> dict[str, Any]:
    """Say how a message in doubt ended; what the provider says later still counts."""
    found = own_message(message_id)
    resolution = Resolution(asked["outcome"])
    changed = deps().changes.resolve(
        found.business, found.record.id, resolution, hand=hand(), now=deps().clock.now()
    )
    if changed.change is Change.REFUSED:
        text = f"It is {changed.state}, not unknown: nothing is in doubt."
        raise ProblemError(Code.MESSAGE_NOT_IN_DOUBT, text)
    return _answer(found, "resolve", changed, {}, outcome=resolution.value)


def _answer(found: Found, action: str, changed: Changed, refusals: Answers, **details: str) -> dict[str, Any]:
    if changed.change is not Change.DONE:
        raise _problem(action, changed, refusals)
    keep_deed(found.business, action, done=1, message_id=changed.message_id, details=details)
    return view_own(own_message(changed.message_id.value).record)


def _problem(action: str, changed: Changed, refusals: Answers) -> ProblemError:
    match changed.change:
        case Change.MISSING:
            return ProblemError(Code.NOT_FOUND, "There is no such message of yours.")
        case Change.EXPIRED:
            errors = {"expires_in": ["needed: the time of the message has passed"]}
            return ProblemError(Code.INVALID_REQUEST, "See errors.", errors=errors)
        case Change.IN_HAND:
            return ProblemError(Code.MESSAGE_IN_FLIGHT, _IN_FLIGHT)
    final = (Code.MESSAGE_FINAL, f"It is {changed.state}: there is nothing left to {action}.")
    return ProblemError(*refusals.get(changed.state or MessageState.CANCELLED, final))
