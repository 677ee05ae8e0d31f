"""CM.com's webhooks: inbound messages (MO) and status reports. Unsigned; the secret is in the address.

Pure: values in, a `Post` out.
reference: CM.com "Incoming messages" and "Incoming status report", read 2026-11.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.accounts import CmAccount
from sandbox.cm_checks import from_e164
from sandbox.delivery import Post
from sandbox.world import Inbound

_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed message in CM.com's own numbers."""

    code: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One status report."""

    #: "0" accepted by the channel, "2" delivered, "3" failed, "4" read.
    code: str
    at: float
    contact: str
    reference: str | None
    #: Only with code "3".
    failure: Failure | None = None


def inbound(account: CmAccount, inbound: Inbound, name: str, link: str | None = None) -> Post:
    """A customer's text, or a file with its `link`; `message_type` is what one live client reads.

    Two choices where the real thing is UNCONFIRMED: `reference` is a fresh id, since no inbound message
    of the sandbox answers a certain one of ours; `messageContext` is WhatsApp's id of this message.
    """
    file = inbound.file
    payload = {
        "reference": uuid.uuid4().hex,
        "messageContext": inbound.message_id,
        "from": {"number": inbound.writer, "name": name},
        "to": {"number": account.number},
        "message": {
            "text": inbound.text,
            "media": {
                "mediaUri": link or "",
                "contentType": file.mime_type if file else "",
                "title": (file.filename if file else None) or "",
            },
            "custom": {"message_type": file.kind} if file else {},
        },
        "groupings": ["", "", ""],
        "timeUtc": _without_zone(inbound.at),
        "channel": "WhatsApp",
    }
    return Post(url=account.webhook_url, body=_encode(payload), headers=_HEADERS)


def status(account: CmAccount, report: Report) -> Post:
    """One report: `msg` is an object, every leaf a string. No message id, no sender.

    UNCONFIRMED: the zone of `received` (UTC here), the form of `to` (as it was sent), and what stands
    for a missing reference (an empty string).
    """
    failure = report.failure
    message = {
        "received": _without_zone(report.at),
        "to": from_e164(report.contact),
        "reference": report.reference or "",
        "status": {
            "code": report.code,
            "errorCode": str(failure.code) if failure else "",
            "errorDescription": failure.description if failure else "",
        },
        "operator": "",
    }
    body = _encode({"messages": {"msg": message}})
    return Post(url=account.webhook_url, body=body, headers=_HEADERS, any_2xx=True)


def _without_zone(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _encode(payload: Mapping[str, object]) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()
