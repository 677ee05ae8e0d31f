"""`/v1/submissions`: what the Celery door refused. People list it, show it, remove it."""

import json
import re
from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.schemas.consent import SenderQuerySchema
from shared.schemas.quarantine import ID_PATTERN
from shared.schemas.submission import (
    RawSubmissionSchema,
    SubmissionListSchema,
    SubmissionQuerySchema,
    SubmissionSchema,
)
from shared.store.quarantine import Entry, RawEntry
from webhook.api.auth import sender_of_address
from webhook.api.blueprint import OF_A_SENDER, Blueprint
from webhook.api.context import caller, deps
from webhook.api.deeds import note_deed
from webhook.errors import ProblemError

blueprint = Blueprint("submissions", __name__, description="What the Celery door refused.")

_REFUSALS = (*OF_A_SENDER, Code.NOT_FOUND)


@blueprint.route("/v1/submissions")
@blueprint.guarded("admin", problems=OF_A_SENDER)
@blueprint.arguments(SubmissionQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, SubmissionListSchema())
def list_submissions(query: dict[str, Any]) -> dict[str, Any]:
    """List what was refused, newest first, without its text."""
    page = deps().refused_submissions.page(
        _business(query["sender"]), before=query["before"], limit=query["limit"], reason=query["reason"]
    )
    return {"items": [_view(entry) for entry in page.entries], "next": page.next}


@blueprint.route("/v1/submissions/<entry_id>")
@blueprint.guarded("admin", problems=_REFUSALS)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, RawSubmissionSchema())
def show_submission(query: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """Show one with its text and what is wrong with it."""
    business, entry = _find(query["sender"], entry_id)
    note_deed(business, "submission.show", details=_deed_of(entry))
    return {**_view(entry), "errors": json.loads(entry.errors), "raw": entry.raw}


@blueprint.route("/v1/submissions/<entry_id>", methods=["DELETE"])
@blueprint.guarded("admin", problems=_REFUSALS)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, SubmissionSchema())
def delete_submission(query: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """Remove one for good; the answer says what it was."""
    business, entry = _find(query["sender"], entry_id)
    deps().refused_submissions.remove(business, entry.id)
    note_deed(business, "submission.delete", details=_deed_of(entry))
    get_logger().warning(
        LogEvent.SUBMISSION_REMOVED,
        app=caller().name,
        of=entry.app,
        reason=entry.reason,
        at=rfc3339(entry.at),
    )
    return _view(entry)


def _find(alias: str | None, entry_id: str) -> tuple[str, RawEntry]:
    business = _business(alias)
    is_id = re.fullmatch(ID_PATTERN, entry_id)
    entry = deps().refused_submissions.get(business, entry_id) if is_id else None
    if entry is None:
        raise ProblemError(Code.NOT_FOUND, "No refused submission has this id, or not any more.")
    return business, entry


def _business(alias: str | None) -> str:
    """Any sender names its business; where there is one, none has to be named."""
    businesses = {sender.business for sender in deps().settings.configuration.senders.values()}
    if alias is None and not caller().senders and len(businesses) == 1:
        return businesses.pop()
    return sender_of_address(alias).business


def _view(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "app": entry.app,
        "sender": entry.sender,
        "reason": entry.reason,
        "bytes": entry.size_bytes,
        "cut": entry.is_cut,
    }


def _deed_of(entry: Entry) -> dict[str, str]:
    return {"id": entry.id, "app": entry.app, "reason": entry.reason}
