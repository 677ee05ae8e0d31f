"""Meta's Cloud API: the request for one message or one read receipt, and what its answer means.

Meta, "Send messages" and "Message API", read 2025-11 and 2026-03; "Mark messages as read" and "Typing
indicators", read 2025-11.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from shared.configuration import MetaSender
from shared.domain.content import Media
from shared.domain.identifiers import ContactId, ProviderMessageId
from shared.domain.routes import SessionRoute, TemplateRoute
from shared.http.client import Answer, Doubt, HttpCall, HttpClient, NotSent
from shared.providers.base import (
    UNLISTED,
    Outgoing,
    ReadMarked,
    ReadReceipt,
    ReadResult,
    Rejected,
    SendResult,
    Submitted,
)
from shared.providers.media import MediaFile, MediaRefused
from shared.providers.meta.errors import code_of, detail_of, row_of
from shared.providers.meta.media import MetaMedia
from shared.providers.meta.session import session_part
from shared.providers.meta.template import template_object
from shared.providers.outcomes import without_answer, without_code
from shared.providers.reading import first_object, object_at, text_at

#: Held: Meta sends it later, or drops it with 132015 ("Template pacing", read 2026-09). Paused: type
#: definitions of client libraries list it. Neither is ever sent again by us.
_HOLDS = frozenset({"held_for_quality_assessment", "paused"})


class MetaProvider:
    """One Meta number's way out; see `Provider`. `downloads` has time for a whole file."""

    batch_size = 1

    def __init__(self, sender: MetaSender, http: HttpClient, downloads: HttpClient) -> None:
        self._http = http
        self._media = MetaMedia(sender, http, downloads)
        self._url = f"{sender.base_url.rstrip('/')}/{sender.api_version}/{sender.phone_number_id}/messages"
        self._headers = {"Authorization": f"Bearer {sender.access_token.reveal()}"}

    def build_call(self, batch: Sequence[Outgoing]) -> HttpCall:
        (outgoing,) = batch
        return HttpCall(url=self._url, headers=self._headers, json=build_body(outgoing))

    def send(self, batch: Sequence[Outgoing]) -> Sequence[SendResult]:
        return [read_answer(self._http.post(self.build_call(batch)))]

    def fetch_media(self, media: Media) -> MediaFile | MediaRefused:
        return self._media.fetch(media)

    def mark_read(self, receipt: ReadReceipt) -> ReadResult:
        call = HttpCall(url=self._url, headers=self._headers, json=build_receipt(receipt))
        return read_receipt_answer(self._http.post(call))


def build_body(outgoing: Outgoing) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_addressee(outgoing.to),
        "biz_opaque_callback_data": str(outgoing.reference),
        **_content(outgoing.route),
    }


def build_receipt(receipt: ReadReceipt) -> dict[str, Any]:
    """Earlier messages of the contact count as read, too. Typing ends with our answer, or after 25 s."""
    typing = {"typing_indicator": {"type": "text"}} if receipt.typing else {}
    return {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": receipt.event_id,
        **typing,
    }


def _addressee(contact: ContactId) -> dict[str, str]:
    """Without its `+` a number may be taken for one of the business's own country."""
    return {"recipient" if contact.phone_number is None else "to": contact.value}


def _content(route: SessionRoute | TemplateRoute) -> dict[str, Any]:
    if isinstance(route, SessionRoute):
        return session_part(route.content, route.reply_to)
    return {"type": "template", "template": template_object(route)}


def read_answer(outcome: Answer | NotSent | Doubt) -> SendResult:
    """Judge by `error.code`: almost every error is a 400, and some faults of configuration are a 500."""
    submitted = _read_submitted(_body_of_success(outcome))
    return submitted or _read_refusal(outcome)


def read_receipt_answer(outcome: Answer | NotSent | Doubt) -> ReadMarked | Rejected:
    is_marked = _body_of_success(outcome).get("success") is True
    return ReadMarked() if is_marked else _read_refusal(outcome)


def _body_of_success(outcome: Answer | NotSent | Doubt) -> Mapping[str, Any]:
    """Empty for anything but a 200 with an object."""
    if not isinstance(outcome, Answer) or outcome.status != HTTPStatus.OK:
        return {}
    return outcome.body if isinstance(outcome.body, dict) else {}


def _read_refusal(outcome: Answer | NotSent | Doubt) -> Rejected:
    if not isinstance(outcome, Answer):
        return without_answer(outcome)
    if outcome.status == HTTPStatus.OK:
        return without_code(outcome)
    error = object_at(outcome.body if isinstance(outcome.body, dict) else {}, "error")
    code = code_of(error)
    if code is None or _is_only_status_known(code, outcome.status):
        return without_code(outcome)
    return Rejected(code=code, row=row_of(code), detail=detail_of(error), retry_after=outcome.retry_after)


def _read_submitted(body: Mapping[str, Any]) -> Submitted | None:
    """None when there is no message id: then nobody knows."""
    message = first_object(body.get("messages"))
    message_id, status = text_at(message, "id"), text_at(message, "message_status")
    if message_id is None:
        return None
    return Submitted(
        provider_message_id=ProviderMessageId(message_id),
        wa_id=text_at(first_object(body.get("contacts")), "wa_id"),
        provider_hold=status if status in _HOLDS else None,
    )


def _is_only_status_known(code: str, status: int) -> bool:
    """429 and 503 speak for themselves where the code does not."""
    speaks = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    return speaks and row_of(code) is UNLISTED
