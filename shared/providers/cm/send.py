"""CM.com's Business Messaging API: one request for a batch. Its answer is read in answer.py.

CM.com, "Business Messaging Basics", "Shared features" and "WhatsApp templates", read 2026-11.
"""

from collections.abc import Sequence
from typing import Any

from shared.configuration import CmSender
from shared.domain.content import Media
from shared.domain.identifiers import PhoneNumber
from shared.domain.retry import ErrorClass
from shared.domain.routing import SessionRoute, TemplateRoute
from shared.domain.templates import render
from shared.http.client import HttpCall, HttpClient
from shared.providers.base import ErrorRow, Outgoing, ReadReceipt, ReadResult, Rejected, SendResult
from shared.providers.cm.answer import read_answer
from shared.providers.cm.receipts import mark_read
from shared.providers.cm.wire import number_form
from shared.providers.media import Hosts, MediaFile, MediaRefusal, MediaRefused, open_file
from shared.providers.parameters import filled_variables

PHONE_NUMBER_REQUIRED = Rejected(
    code="phone_number_required",
    row=ErrorRow(
        error_class=ErrorClass.PERMANENT,
        advice="CM.com sends to phone numbers only, and of this contact only a user id is known.",
    ),
)


class CmProvider:
    """One CM.com number's way out; see `Provider`. `downloads` has time for a whole file."""

    def __init__(self, sender: CmSender, http: HttpClient, downloads: HttpClient) -> None:
        self._http = http
        self._downloads = downloads
        self._media_hosts = Hosts.of_media(sender.media_hosts, sender.base_url)
        self._sender = sender
        self._url = f"{sender.base_url.rstrip('/')}/v1.0/message"
        self._headers = {"X-CM-PRODUCTTOKEN": sender.product_token.reveal()}

    @property
    def batch_size(self) -> int:
        return self._sender.batch_size

    def build_call(self, batch: Sequence[Outgoing]) -> HttpCall:
        """Contacts without a phone number are left out."""
        return HttpCall(url=self._url, headers=self._headers, json=build_body(self._sender, batch))

    def send(self, batch: Sequence[Outgoing]) -> Sequence[SendResult]:
        reachable = [outgoing for outgoing in batch if outgoing.to.phone_number is not None]
        if not reachable:
            return [PHONE_NUMBER_REQUIRED] * len(batch)
        results = iter(read_answer(reachable, self._http.post(self.build_call(reachable))))
        return [PHONE_NUMBER_REQUIRED if each.to.phone_number is None else next(results) for each in batch]

    def fetch_media(self, media: Media) -> MediaFile | MediaRefused:
        """Without the token: whether a GET needs it is UNCONFIRMED, and the address came from outside."""
        if media.url is None:
            return MediaRefused(MediaRefusal.GONE)
        return open_file(self._downloads, media.url, {}, self._media_hosts)

    def mark_read(self, receipt: ReadReceipt) -> ReadResult:
        return mark_read(self._sender, self._http, receipt)


def build_body(sender: CmSender, batch: Sequence[Outgoing]) -> dict[str, Any]:
    messages = [
        _message(sender, outgoing, outgoing.to.phone_number)
        for outgoing in batch
        if outgoing.to.phone_number is not None
    ]
    return {"messages": {"msg": messages}}


def _message(sender: CmSender, outgoing: Outgoing, to: PhoneNumber) -> dict[str, Any]:
    return {
        "from": number_form(sender.number),
        "to": [{"number": number_form(to)}],
        "allowedChannels": ["WhatsApp"],
        "reference": str(outgoing.reference),
        **_content(sender, outgoing.route),
    }


def _content(sender: CmSender, route: SessionRoute | TemplateRoute) -> dict[str, Any]:
    """`body` must not be empty even beside a template: error 304."""
    if isinstance(route, SessionRoute):
        return {"body": {"type": "auto", "content": route.text}}
    text = render(route.template.body, dict(filled_variables(route)))
    return {
        "body": {"type": "auto", "content": text.strip() or route.call.name},
        "richContent": {"conversation": [{"template": {"whatsapp": _template(sender, route)}}]},
    }


def _template(sender: CmSender, route: TemplateRoute) -> dict[str, Any]:
    template: dict[str, Any] = {
        "namespace": sender.template_namespace,
        "element_name": route.call.name,
        "language": {"policy": "deterministic", "code": route.call.language},
    }
    parameters = [{"type": "text", "text": value} for _, value in filled_variables(route)]
    if parameters:
        template["components"] = [{"type": "body", "parameters": parameters}]
    return template
