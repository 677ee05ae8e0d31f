"""CM.com's Business Messaging API: one request for a batch. Its answer is read in answer.py.

CM.com, "Business Messaging Basics", "Shared features" and "WhatsApp templates", read 2026-11.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.configuration import CmSender
from shared.domain.content import Media
from shared.domain.provider_errors import ErrorRow
from shared.domain.retry import ErrorClass
from shared.domain.routes import SessionRoute, TemplateRoute
from shared.http.client import HttpCall, HttpClient
from shared.providers.base import Outgoing, ReadReceipt, ReadResult, Rejected, SendResult
from shared.providers.cm.answer import read_answer
from shared.providers.cm.receipts import mark_read
from shared.providers.cm.session import session_part
from shared.providers.cm.template import template_part
from shared.providers.cm.wire import number_form, zoned_time
from shared.providers.media import Hosts, MediaFile, MediaRefusal, MediaRefused, open_file

PHONE_NUMBER_REQUIRED = Rejected(
    code="phone_number_required",
    row=ErrorRow(
        error_class=ErrorClass.PERMANENT,
        advice="CM.com sends to phone numbers only, and of this contact only a user id is known.",
    ),
)

#: The door refuses it with the field's name; this is for what was accepted for another provider.
UNSUPPORTED = Rejected(
    code="unsupported_by_provider",
    row=ErrorRow(
        error_class=ErrorClass.PERMANENT,
        advice="CM.com is not known to take this kind of content. Send it from another sender.",
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
        """What CM.com cannot be asked for is left out."""
        return self._call(build_message(self._sender, outgoing) for outgoing in batch)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[SendResult]:
        built = [build_message(self._sender, outgoing) for outgoing in batch]
        sent = [out for out, each in zip(batch, built, strict=True) if not isinstance(each, Rejected)]
        results = iter(read_answer(sent, self._http.post(self._call(built))) if sent else ())
        return [each if isinstance(each, Rejected) else next(results) for each in built]

    def _call(self, built: Iterable[dict[str, Any] | Rejected]) -> HttpCall:
        messages = [each for each in built if not isinstance(each, Rejected)]
        return HttpCall(url=self._url, headers=self._headers, json=build_body(messages))

    def fetch_media(self, media: Media) -> MediaFile | MediaRefused:
        """Without the token: whether a GET needs it is UNCONFIRMED, and the address came from outside."""
        if media.url is None:
            return MediaRefused(MediaRefusal.GONE)
        return open_file(self._downloads, media.url, {}, self._media_hosts)

    def mark_read(self, receipt: ReadReceipt) -> ReadResult:
        return mark_read(self._sender, self._http, receipt)


def build_body(messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"messages": {"msg": list(messages)}}


def build_message(sender: CmSender, outgoing: Outgoing) -> dict[str, Any] | Rejected:
    """One of a batch, or why CM.com cannot be asked for it."""
    number = outgoing.to.phone_number
    if number is None:
        return PHONE_NUMBER_REQUIRED
    content = _content(sender, outgoing.route)
    if content is None:
        return UNSUPPORTED
    return {
        "from": number_form(sender.number),
        "to": [{"number": number_form(number)}],
        "allowedChannels": ["WhatsApp"],
        "reference": str(outgoing.reference),
        "validity": zoned_time(outgoing.expires_at),
        **content,
    }


def _content(sender: CmSender, route: SessionRoute | TemplateRoute) -> dict[str, Any] | None:
    if isinstance(route, SessionRoute):
        return session_part(route.content, route.reply_to)
    return template_part(sender, route)
