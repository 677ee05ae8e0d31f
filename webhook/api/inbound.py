"""`/v1/inbound/{id}`: fetch the file of an inbound message through us, and mark it as read.

A wamid is base64 and may hold slashes: an id may stand in the address as it is, or percent-encoded.
"""

import math
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Response, current_app

from shared.domain.retry import ErrorClass
from shared.problems import Code
from shared.providers.base import ReadMarked, ReadReceipt, ReadUnsupported, Rejected
from shared.providers.media import MediaFile, MediaRefusal, MediaRefused
from shared.schemas.inbound import EXAMPLE, InboundQuerySchema, ReadMarkedSchema, ReadRequestSchema
from shared.store.inbound import InboundRecord
from webhook.api.attachment import attachment_headers, safe_content_type
from webhook.api.auth import own_senders, sender_of_address
from webhook.api.blueprint import OF_A_SENDER, LenientBlueprint
from webhook.api.context import deps
from webhook.api.slots import Slots
from webhook.errors import ProblemError

#: At once in one process, whose threads others need too: files on their way, and requests to mark as read.
MOST_FETCHES = 4
MOST_RECEIPTS = 4
_AWAY = timedelta(seconds=5)
_EXTENSION = "finestra.inbound"
_FILE = {"*/*": {"schema": {"type": "string", "format": "binary"}}}


blueprint = LenientBlueprint("inbound", __name__, description="What contacts wrote to us.")


_MEDIA_PROBLEMS: Mapping[MediaRefusal, tuple[Code, str]] = {
    MediaRefusal.GONE: (Code.MEDIA_GONE, "The provider keeps a file for some days, and this one no more."),
    MediaRefusal.DENIED: (Code.PROVIDER_REFUSED, "The provider does not give us the file: see its token."),
    MediaRefusal.TOO_LARGE: (Code.MEDIA_TOO_LARGE, "The file is larger than 100 MB."),
    MediaRefusal.HOST_NOT_ALLOWED: (
        Code.MEDIA_HOST_NOT_ALLOWED,
        "The file lies on a host that is not one of the sender's media_hosts. Nothing was asked there.",
    ),
    MediaRefusal.AWAY: (Code.PROVIDER_UNAVAILABLE, "The provider does not answer, or says to come back."),
    MediaRefusal.UNREADABLE: (Code.PROVIDER_REFUSED, "The provider's answer holds no file."),
}
_PROBLEMS = (*OF_A_SENDER, Code.NOT_FOUND, Code.TOO_MANY_AT_ONCE)


def install_inbound(app: Flask) -> None:
    app.extensions[_EXTENSION] = {"fetches": Slots(MOST_FETCHES), "receipts": Slots(MOST_RECEIPTS)}


@blueprint.route("/v1/inbound/<path:inbound_id>/media")
@blueprint.guarded(
    "events",
    "contacts:read",
    problems=(*_PROBLEMS, Code.NO_MEDIA, *dict(_MEDIA_PROBLEMS.values())),
)
@blueprint.arguments(InboundQuerySchema(), location="query")
@blueprint.doc(responses={200: {"description": "The file, of the type it was sent as", "content": _FILE}})
def fetch_media(query: dict[str, Any], inbound_id: str) -> Response:
    """Fetch the file that a contact sent; it is passed on and not kept."""
    record = _find(query["sender"], inbound_id)
    if record.media is None:
        raise ProblemError(Code.NO_MEDIA, "This message holds no file, or none that can be found again.")
    with ExitStack() as held:
        held.callback(_slots("fetches").take())
        file = deps().providers[record.sender].fetch_media(record.media)
        if isinstance(file, MediaRefused):
            raise _media_problem(file.reason)
        held.callback(file.close)
        response = _answer(record, file)
        # Called at the end of the body, and when the client goes away before.
        response.call_on_close(held.pop_all().close)
    return response


@blueprint.route("/v1/inbound/<path:inbound_id>/read", methods=["POST"])
@blueprint.guarded(
    "messages",
    problems=(*_PROBLEMS, Code.UNSUPPORTED_BY_PROVIDER, Code.PROVIDER_REFUSED, Code.PROVIDER_UNAVAILABLE),
)
@blueprint.body(ReadRequestSchema(), example=EXAMPLE, required=False)
@blueprint.arguments(InboundQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, ReadMarkedSchema())
def mark_read(asked: dict[str, Any], query: dict[str, Any], inbound_id: str) -> dict[str, Any]:
    """Mark a message as read, and show that an answer is being written; the body may be left out."""
    record = _find(query["sender"], inbound_id)
    receipt = ReadReceipt(
        event_id=record.event_id,
        read_handle=record.read_handle,
        contact=record.contact,
        typing=asked["typing"],
    )
    with ExitStack() as held:
        held.callback(_slots("receipts").take())
        result = deps().providers[record.sender].mark_read(receipt)
    match result:
        case ReadMarked():
            return {"id": record.event_id, "marked_read": True, "typing": receipt.typing}
        case ReadUnsupported():
            raise ProblemError(Code.UNSUPPORTED_BY_PROVIDER, f"{result.why}.")
        case Rejected():
            raise _receipt_problem(result)


def _find(alias: str | None, inbound_id: str) -> InboundRecord:
    if alias is None:
        record = deps().inbox.find(own_senders(), inbound_id)
    else:
        sender = sender_of_address(alias)
        record = deps().inbox.get(sender.business, sender.alias, inbound_id)
    if record is None:
        raise ProblemError(
            Code.NOT_FOUND, "No such message came for a sender that the key may use, or it is kept no more."
        )
    return record


def _slots(name: str) -> Slots:
    return cast("Mapping[str, Slots]", current_app.extensions[_EXTENSION])[name]


def _answer(record: InboundRecord, file: MediaFile) -> Response:
    """Without a length when the provider gives none: then only the connection says whether it was all."""
    media = record.media
    content_type = safe_content_type(file.content_type, media.mime_type if media else None)
    filename = media.filename if media else None
    response = Response(
        file.chunks,
        headers=attachment_headers(filename=filename, kind=record.kind, content_type=content_type),
    )
    if file.size_bytes is not None:
        response.content_length = file.size_bytes
    return response


_PASSES = frozenset({ErrorClass.RETRY, ErrorClass.THROTTLE, ErrorClass.IN_DOUBT})


def _media_problem(reason: MediaRefusal) -> ProblemError:
    code, detail = _MEDIA_PROBLEMS[reason]
    return ProblemError(code, detail, headers=_retry_after(_AWAY) if reason is MediaRefusal.AWAY else None)


def _receipt_problem(rejected: Rejected) -> ProblemError:
    """The provider's own words stay here: they may quote a token."""
    if rejected.row.error_class in _PASSES:
        wait = max(_AWAY, rejected.retry_after or _AWAY, rejected.row.minimum_wait)
        detail = "The provider did not take it, or did not say. It may be sent again."
        return ProblemError(Code.PROVIDER_UNAVAILABLE, detail, headers=_retry_after(wait))
    detail = f"The provider refused it with the code {rejected.code}. {rejected.row.advice}"
    return ProblemError(Code.PROVIDER_REFUSED, detail)


def _retry_after(wait: timedelta) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(wait.total_seconds()))}
