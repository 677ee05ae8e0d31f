"""What all of Meta's Graph API has in common: the token, the version in the path, and how it says no.

reference: Meta "Error codes", read 2026-09.
"""

import re
import secrets
from http import HTTPStatus

from flask import Response, jsonify, request

from sandbox.accounts import MetaAccount
from sandbox.faults import Fault
from sandbox.misbehaviour import bare_answer
from sandbox.refusals import Refusal, meta_error
from sandbox.world import World

VERSION = re.compile(r"v[0-9]+\.[0-9]+")


def bearer_accounts(world: World) -> list[MetaAccount] | Response:
    """The accounts of the request's token, one at least.

    A missing token is 403 and 200 by Meta's table; public reports also show 401 and 104.
    """
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if not token:
        return graph_error(HTTPStatus.FORBIDDEN, "OAuthException", 200, "Provide valid app ID")
    allowed = [each for each in world.meta_accounts() if each.access_token == token]
    if not allowed:
        message = "Invalid OAuth access token - Cannot parse access token"
        return graph_error(HTTPStatus.UNAUTHORIZED, "OAuthException", 190, message)
    return allowed


def refuse_unseen(fault: Fault) -> Response:
    if fault.kind == "no_body" or fault.code is None:
        return bare_answer(fault)
    return error(Refusal(code=fault.code, details=fault.details), fault.status)


def error(refusal: Refusal, http_status: int | None = None) -> Response:
    known = meta_error(refusal.code)
    body = {
        "message": f"(#{refusal.code}) {known.title}",
        "type": "OAuthException",
        "code": refusal.code,
        "error_data": {"messaging_product": "whatsapp", "details": refusal.details},
        "fbtrace_id": _trace_id(),
    }
    answer = jsonify(error=body)
    answer.status_code = http_status or known.http_status
    return answer


def graph_error(
    http_status: int, kind: str, code: int, message: str, *, subcode: int | None = None
) -> Response:
    """What the Graph API says before a request reaches WhatsApp: no `error_data`."""
    body: dict[str, object] = {"message": message, "type": kind, "code": code}
    if subcode is not None:
        body["error_subcode"] = subcode
    answer = jsonify(error={**body, "fbtrace_id": _trace_id()})
    answer.status_code = http_status
    return answer


def _trace_id() -> str:
    return "A" + secrets.token_urlsafe(16)
