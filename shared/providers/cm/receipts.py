"""CM.com's outbound events: an inbound message is marked as read, and the contact sees that we type.

CM.com, "Events", read 2026-11, shows MarkAsRead and calls its `message_id` the id "received in the MO
webhook" without naming the field. One live client (a TypeScript transport, read 2026-11) takes
`messageContext`, and it alone shows the event Typing: both wait for `message_context_is_inbound_id`. What the
answer looks like is UNCONFIRMED; any 2xx counts.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.configuration import CmSender
from shared.domain.identifiers import PhoneNumber
from shared.http.client import Answer, Doubt, HttpCall, HttpClient, NotSent
from shared.providers.base import UNLISTED, ReadMarked, ReadReceipt, ReadResult, ReadUnsupported, Rejected
from shared.providers.cm.errors import answer_row
from shared.providers.cm.wire import member, number_form
from shared.providers.outcomes import without_answer, without_code
from shared.providers.reading import number_text

_SETTING_OFF = ReadUnsupported(
    "CM.com does not say by which id a message is marked as read; if its messageContext is the message's own,"
    " set message_context_is_inbound_id for this sender"
)
_NO_HANDLE = ReadUnsupported("CM.com gave no id by which this message can be marked as read")
_NO_NUMBER = ReadUnsupported(
    "CM.com knows contacts by their numbers, and of this one only a user id is known"
)


def mark_read(sender: CmSender, http: HttpClient, receipt: ReadReceipt) -> ReadResult:
    """One request, or two with `typing`: the second only once the first went well."""
    number = receipt.contact.phone_number
    if not sender.is_message_context_own_id:
        return _SETTING_OFF
    if receipt.read_handle is None:
        return _NO_HANDLE
    if number is None:
        return _NO_NUMBER
    kinds = [("MarkAsRead", {}), ("Typing", {"typing_indicator": "text"})][: 2 if receipt.typing else 1]
    result: ReadMarked | Rejected = ReadMarked()
    for kind, more in kinds:
        custom = {"message_id": receipt.read_handle, **more}
        result = read_event_answer(http.post(build_event(sender, number, kind, custom)))
        if isinstance(result, Rejected):
            break
    return result


def build_event(sender: CmSender, to: PhoneNumber, kind: str, custom: Mapping[str, str]) -> HttpCall:
    """`from` is our number, as in a message; both are single objects here."""
    return HttpCall(
        url=f"{sender.base_url.rstrip('/')}/v1.0/event",
        headers={"X-CM-PRODUCTTOKEN": sender.product_token.reveal()},
        json={
            "channel": "WhatsApp",
            "event": {"type": kind, "custom": dict(custom)},
            "from": {"number": number_form(sender.number)},
            "to": {"number": number_form(to)},
        },
    )


def read_event_answer(outcome: Answer | NotSent | Doubt) -> ReadMarked | Rejected:
    if not isinstance(outcome, Answer):
        return without_answer(outcome)
    if HTTPStatus.OK <= outcome.status < HTTPStatus.MULTIPLE_CHOICES:
        return ReadMarked()
    body: Mapping[str, Any] = outcome.body if isinstance(outcome.body, dict) else {}
    code = number_text(member(body, "errorcode"))
    row = UNLISTED if code is None else answer_row(code)
    if code is None or row is UNLISTED:
        return without_code(outcome)
    return Rejected(code=code, row=row, retry_after=outcome.retry_after)
