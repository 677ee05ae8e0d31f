"""Meta's Cloud API: the request for one message, and what its answer means.

Meta, "Send messages" and "Message API", read 2025-11 and 2026-03.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from shared.configuration import MetaSender
from shared.domain.identifiers import ContactId, ProviderMessageId
from shared.domain.routing import SessionRoute, TemplateRoute
from shared.http.client import Answer, Doubt, HttpCall, HttpClient, NotSent
from shared.providers.base import UNLISTED, Outgoing, Rejected, SendResult, Submitted
from shared.providers.meta.errors import code_of, detail_of, row_of
from shared.providers.outcomes import without_answer, without_code
from shared.providers.parameters import filled_variables, is_number
from shared.providers.reading import first_object, object_at, text_at

#: Meta sends it later, or drops it with 132015 ("Template pacing", read 2026-09).
_HELD = "held_for_quality_assessment"


class MetaProvider:
    """One Meta number's way out; see `Provider`."""

    batch_size = 1

    def __init__(self, sender: MetaSender, http: HttpClient) -> None:
        self._http = http
        self._url = f"{sender.base_url.rstrip('/')}/{sender.api_version}/{sender.phone_number_id}/messages"
        self._headers = {"Authorization": f"Bearer {sender.access_token.reveal()}"}

    def build_call(self, batch: Sequence[Outgoing]) -> HttpCall:
        (outgoing,) = batch
        return HttpCall(url=self._url, headers=self._headers, json=build_body(outgoing))

    def send(self, batch: Sequence[Outgoing]) -> Sequence[SendResult]:
        return [read_answer(self._http.post(self.build_call(batch)))]


def build_body(outgoing: Outgoing) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_addressee(outgoing.to),
        "biz_opaque_callback_data": str(outgoing.reference),
        **_content(outgoing.route),
    }


def _addressee(contact: ContactId) -> dict[str, str]:
    """Without its `+` a number may be taken for one of the business's own country."""
    return {"recipient" if contact.phone_number is None else "to": contact.value}


def _content(route: SessionRoute | TemplateRoute) -> dict[str, Any]:
    if isinstance(route, SessionRoute):
        return {"type": "text", "text": {"body": route.text}}
    return {"type": "template", "template": _template(route)}


def _template(route: TemplateRoute) -> dict[str, Any]:
    template: dict[str, Any] = {"name": route.call.name, "language": {"code": route.call.language}}
    parameters = [_parameter(name, value) for name, value in filled_variables(route)]
    if parameters:
        template["components"] = [{"type": "body", "parameters": parameters}]
    return template


def _parameter(name: str, value: str) -> dict[str, str]:
    parameter = {"type": "text", "text": value}
    return parameter if is_number(name) else {**parameter, "parameter_name": name}


def read_answer(outcome: Answer | NotSent | Doubt) -> SendResult:
    """Judge by `error.code`: almost every error is a 400, and some faults of configuration are a 500."""
    if not isinstance(outcome, Answer):
        return without_answer(outcome)
    body: Mapping[str, Any] = outcome.body if isinstance(outcome.body, dict) else {}
    if outcome.status == HTTPStatus.OK:
        return _read_submitted(body) or without_code(outcome)
    error = object_at(body, "error")
    code = code_of(error)
    if code is None or _is_only_status_known(code, outcome.status):
        return without_code(outcome)
    return Rejected(code=code, row=row_of(code), detail=detail_of(error), retry_after=outcome.retry_after)


def _read_submitted(body: Mapping[str, Any]) -> Submitted | None:
    """None when there is no message id: then nobody knows."""
    message = first_object(body.get("messages"))
    message_id = text_at(message, "id")
    if message_id is None:
        return None
    return Submitted(
        provider_message_id=ProviderMessageId(message_id),
        wa_id=text_at(first_object(body.get("contacts")), "wa_id"),
        provider_hold=message.get("message_status") == _HELD,
    )


def _is_only_status_known(code: str, status: int) -> bool:
    """429 and 503 speak for themselves where the code does not."""
    speaks = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    return speaks and row_of(code) is UNLISTED
