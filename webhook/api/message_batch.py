"""`/v1/messages/batch`: accept many at once, each by itself."""

from collections import Counter
from http import HTTPStatus
from typing import Any

from flask import Response, g, jsonify

from shared.acceptance import (
    Receipt,
    Refusal,
    RefusalCode,
    Submission,
    accept,
    read_submission,
    tell_accepted,
)
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.schemas.message_batch import EXAMPLE, BatchAnswerSchema, BatchSchema, split_entry
from webhook.api.blueprint import Blueprint
from webhook.api.context import caller, deps
from webhook.api.message_view import view_accepted
from webhook.errors import problem_body

blueprint = Blueprint("message_batch", __name__, description="Many messages at once.")


@blueprint.route("/v1/messages/batch", methods=["POST"])
@blueprint.guarded("messages")
@blueprint.body(BatchSchema(), example=EXAMPLE)
@blueprint.response(HTTPStatus.OK, BatchAnswerSchema())
def accept_batch(batch: dict[str, Any]) -> Response:
    """Accept up to 1,000 messages; each is accepted or refused by itself, in the same order."""
    read = [_read(entry) for entry in batch["messages"]]
    accepted = iter(accept(deps(), caller(), [each for each in read if isinstance(each, Submission)]))
    answers = [next(accepted) if isinstance(each, Submission) else each for each in read]
    for answer in answers:
        if isinstance(answer, Receipt):
            tell_accepted(deps(), caller(), answer, g.request_id)
    results = [_view(answer) for answer in answers]
    outcomes = Counter(result.get("code", "accepted") for result in results)
    get_logger().info(LogEvent.BATCH_ACCEPTED, app=caller().name, outcomes=dict(outcomes))
    return jsonify({"results": results})


def _read(entry: Any) -> Submission | Refusal:  # noqa: ANN401 - JSON is anything
    message, key, mistakes = split_entry(entry)
    if mistakes:
        return Refusal(code=RefusalCode.INVALID_REQUEST, errors=mistakes)
    return read_submission(message, key)


def _view(answer: Receipt | Refusal) -> dict[str, Any]:
    match answer:
        case Receipt():
            shown = view_accepted(answer, deps().settings.configuration.policy)
            return {"status": int(HTTPStatus.ACCEPTED), **shown}
        case Refusal():
            return problem_body(Code(answer.code), answer.detail, errors=answer.errors)
