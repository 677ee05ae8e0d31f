"""The webhooks of the Cloud API: inbound messages and statuses, signed over the bytes that are sent.

Pure: values in, a `Post` out.
reference: Meta "Webhooks: create an endpoint", "messages" and "status" reference, read 2025-11 to 2026-09.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass

from sandbox.accounts import MetaAccount
from sandbox.delivery import Post
from sandbox.refusals import Refusal, meta_error
from sandbox.shapes import is_e164
from sandbox.templates import Template
from sandbox.world import Inbound

_ERRORS_PAGE = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"

#: Said of every file of the kind: it is no voice note, and does not move.
_FLAGS = {"audio": "voice", "sticker": "animated"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One step in the life of a message that was accepted."""

    message_id: str
    #: "sent", "delivered", "read" or "failed".
    name: str
    at: float
    #: +E164, or a user id whose phone number the sandbox never saw.
    contact: str
    user_id: str
    contact_name: str
    #: Echoed only if the request carried one.
    callback_data: str | None
    category: str
    #: Only for "failed".
    failure: Refusal | None = None


def encode(payload: dict[str, object]) -> bytes:
    r"""JSON as Meta writes and signs it: \uXXXX in lower case for all beyond ASCII, and '/' as '\/'.

    reference: Meta "Webhooks", note on escaped unicode, read 2025-11. Outside of strings JSON has no '/'.
    """
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def signature(body: bytes, app_secret: str) -> str:
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def inbound(account: MetaAccount, inbound: Inbound, name: str, link: str | None = None) -> Post:
    """A customer's text, or a file with its `link`. A writer known by user id only hides their number."""
    message: dict[str, object] = {
        "from_user_id": inbound.user_id,
        "id": inbound.message_id,
        "timestamp": str(int(inbound.at)),
        **_content(inbound, link),
    }
    if is_e164(inbound.writer):
        message = {"from": inbound.writer.removeprefix("+"), **message}
    people = [_person(inbound.writer, inbound.user_id, name)]
    return _post(account, {"contacts": people, "messages": [message]})


def _content(inbound: Inbound, link: str | None) -> dict[str, object]:
    """The link stands in webhooks since November 2025, "gradually" ("Media", read 2025-11)."""
    file = inbound.file
    if file is None:
        return {"type": "text", "text": {"body": inbound.text}}
    media: dict[str, object] = {
        "id": file.file_id,
        "mime_type": file.mime_type,
        "sha256": file.digest_base64(),
        "url": link,
    }
    if inbound.text:
        media["caption"] = inbound.text
    if file.filename is not None:
        media["filename"] = file.filename
    if file.kind in _FLAGS:
        media[_FLAGS[file.kind]] = False
    return {"type": file.kind, file.kind: media}


def status(account: MetaAccount, report: Status) -> Post:
    """One status. Those that failed come without `contacts`."""
    entry: dict[str, object] = {
        "id": report.message_id,
        "status": report.name,
        "timestamp": str(int(report.at)),
    }
    if is_e164(report.contact):
        entry["recipient_id"] = report.contact.removeprefix("+")
    entry["recipient_user_id"] = report.user_id
    if report.callback_data is not None:
        entry["biz_opaque_callback_data"] = report.callback_data
    if report.failure is not None:
        entry["errors"] = [_error(report.failure)]
        return _post(account, {"statuses": [entry]})
    if report.name != "read":
        entry["pricing"] = _pricing(report.category)
    people = [_person(report.contact, report.user_id, report.contact_name)]
    return _post(account, {"contacts": people, "statuses": [entry]})


def _person(contact: str, user_id: str, name: str) -> dict[str, object]:
    person: dict[str, object] = {"profile": {"name": name}}
    if is_e164(contact):
        person["wa_id"] = contact.removeprefix("+")
    return {**person, "user_id": user_id}


def _pricing(category: str) -> dict[str, object]:
    """As since 1 October 2026: templates cost, also inside the window.

    Free-form is free within a number's 1,000 a month; the sandbox plays a number that stays below.
    In which of the statuses a price comes is told in two ways: here in `sent` and in `delivered`.
    """
    free = category == "service"
    kind = "free_customer_service" if free else "regular"
    return {"billable": not free, "pricing_model": "PMP", "type": kind, "category": category}


def _error(failure: Refusal) -> dict[str, object]:
    title = meta_error(failure.code).title
    return {
        "code": failure.code,
        "title": title,
        "message": title,
        "error_data": {"details": failure.details},
        "href": _ERRORS_PAGE,
    }


def template_status(
    account: MetaAccount,
    template: Template,
    at: float,
    *,
    template_id: int = 9001,
    reason: str = "NONE",
    title: str | None = None,
) -> Post:
    """WhatsApp's word about a template. Unlike messages it carries no metadata, but the entry a time.

    reference: Meta "message_template_status_update" reference, read 2026-09. The id is invented here.
    """
    value: dict[str, object] = {
        "event": template.status,
        "message_template_id": template_id,
        "message_template_name": template.name,
        "message_template_language": template.language,
        "message_template_category": template.category,
        "reason": reason,
    }
    if title is not None:
        value["other_info"] = {"title": title, "description": "the sandbox was told so"}
    change = {"value": value, "field": "message_template_status_update"}
    return _signed(account, {"id": account.business_account_id, "time": int(at), "changes": [change]})


def _post(account: MetaAccount, updates: dict[str, object]) -> Post:
    metadata = {
        "display_phone_number": account.number.removeprefix("+"),
        "phone_number_id": account.phone_number_id,
    }
    value = {"messaging_product": "whatsapp", "metadata": metadata, **updates}
    change = {"value": value, "field": "messages"}
    return _signed(account, {"id": account.business_account_id, "changes": [change]})


def _signed(account: MetaAccount, entry: dict[str, object]) -> Post:
    body = encode({"object": "whatsapp_business_account", "entry": [entry]})
    headers = {
        "Content-Type": "application/json",
        "X-Hub-Signature-256": signature(body, account.app_secret),
    }
    return Post(url=account.webhook_url, body=body, headers=headers)
