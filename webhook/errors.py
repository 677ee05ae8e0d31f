"""What can go wrong at a door, as RFC 9457 problems: one table from our errors to status and code.

No answer holds an exception's text; what nobody foresaw is logged with its place and answered 500.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from shared.acceptance import Refusal, RefusalCode
from shared.errors import FinestraError, StoreUnavailableError, UnreadableTemplateError
from shared.observability import LogEvent, get_logger, place_of

MEDIA_TYPE = "application/problem+json"
#: By field, as the body names it; an entry is a text, or for the lint its code and mend.
FieldErrors = Mapping[str, Sequence[str | Mapping[str, str]]]
_RETRY_AFTER_SECONDS = "2"
#: A backlog goes at the sender's rate: some hundreds have left by then.
_BACKLOG_RETRY_SECONDS = "5"


class Code(StrEnum):
    """Stable: programs match on it."""

    NOT_JSON = "not_json"
    BAD_REQUEST = "bad_request"
    KEY_REQUIRED = "key_required"
    SCOPE_MISSING = "scope_missing"
    SENDER_NOT_ALLOWED = "sender_not_allowed"
    NOT_FOUND = "not_found"
    UNKNOWN_SENDER = "unknown_sender"
    UNKNOWN_TEMPLATE = "unknown_template"
    UNREADABLE_TEMPLATE = "unreadable_template"
    NO_MEDIA = "no_media"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TEMPLATE_EXISTS = "template_exists"
    DECIDED_BY_PROVIDER = "decided_by_provider"
    TEMPLATE_BUSY = "template_busy"
    TEMPLATE_EDITED = "template_edited"
    TEMPLATE_LOCKED = "template_locked"
    MESSAGE_WAITING = "message_waiting"
    MESSAGE_IN_FLIGHT = "message_in_flight"
    MESSAGE_IN_DOUBT = "message_in_doubt"
    MESSAGE_NOT_IN_DOUBT = "message_not_in_doubt"
    MESSAGE_FINAL = "message_final"
    MEDIA_GONE = "media_gone"
    BODY_TOO_LARGE = "body_too_large"
    KEY_NOT_SET = "secret_key_missing"
    INVALID_REQUEST = "invalid_request"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    TEMPLATE_MISMATCH = "template_mismatch"
    TEMPLATE_LINT = "template_lint"
    EXAMPLE_NEEDED = "example_needed"
    UNSUPPORTED_BY_PROVIDER = "unsupported_by_provider"
    TOO_MANY_AT_ONCE = "too_many_at_once"
    BACKLOG_FULL = "backlog_full"
    INTERNAL_ERROR = "internal_error"
    PROVIDER_REFUSED = "provider_refused"
    MEDIA_HOST_NOT_ALLOWED = "media_host_not_allowed"
    MEDIA_TOO_LARGE = "media_too_large"
    STORE_UNAVAILABLE = "store_unavailable"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_IN_DOUBT = "provider_in_doubt"


@dataclass(frozen=True, slots=True)
class Kind:
    status: HTTPStatus
    title: str


KINDS: Mapping[Code, Kind] = {
    Code.NOT_JSON: Kind(HTTPStatus.BAD_REQUEST, "The body is not JSON"),
    Code.BAD_REQUEST: Kind(HTTPStatus.BAD_REQUEST, "The request cannot be read"),
    Code.KEY_REQUIRED: Kind(HTTPStatus.UNAUTHORIZED, "A valid key is required"),
    Code.SCOPE_MISSING: Kind(HTTPStatus.FORBIDDEN, "The key lacks a scope"),
    Code.SENDER_NOT_ALLOWED: Kind(HTTPStatus.FORBIDDEN, "The key may not use this sender"),
    Code.NOT_FOUND: Kind(HTTPStatus.NOT_FOUND, "Nothing is here"),
    Code.UNKNOWN_SENDER: Kind(HTTPStatus.NOT_FOUND, "There is no such sender"),
    Code.UNKNOWN_TEMPLATE: Kind(HTTPStatus.NOT_FOUND, "There is no such template"),
    Code.UNREADABLE_TEMPLATE: Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "The template cannot be read"),
    Code.NO_MEDIA: Kind(HTTPStatus.NOT_FOUND, "The message holds no file"),
    Code.METHOD_NOT_ALLOWED: Kind(HTTPStatus.METHOD_NOT_ALLOWED, "The method is not allowed here"),
    Code.TEMPLATE_EXISTS: Kind(HTTPStatus.CONFLICT, "The template exists"),
    Code.DECIDED_BY_PROVIDER: Kind(HTTPStatus.CONFLICT, "The provider decides this"),
    Code.TEMPLATE_BUSY: Kind(HTTPStatus.CONFLICT, "The template's state does not allow it"),
    Code.TEMPLATE_EDITED: Kind(HTTPStatus.CONFLICT, "The template has been edited since"),
    Code.TEMPLATE_LOCKED: Kind(HTTPStatus.CONFLICT, "WhatsApp does not allow it now"),
    Code.MESSAGE_WAITING: Kind(HTTPStatus.CONFLICT, "The message has not ended yet"),
    Code.MESSAGE_IN_FLIGHT: Kind(HTTPStatus.CONFLICT, "The message is being sent"),
    Code.MESSAGE_IN_DOUBT: Kind(HTTPStatus.CONFLICT, "Nobody knows whether the message arrived"),
    Code.MESSAGE_NOT_IN_DOUBT: Kind(HTTPStatus.CONFLICT, "It is known how the message stands"),
    Code.MESSAGE_FINAL: Kind(HTTPStatus.CONFLICT, "The message has ended"),
    Code.MEDIA_GONE: Kind(HTTPStatus.GONE, "The provider has the file no more"),
    Code.BODY_TOO_LARGE: Kind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    Code.KEY_NOT_SET: Kind(HTTPStatus.CONFLICT, "No secret key is set"),
    Code.INVALID_REQUEST: Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid"),
    Code.IDEMPOTENCY_KEY_REUSED: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The idempotency key belongs to another request"
    ),
    Code.TEMPLATE_MISMATCH: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The variables are not those of the template"
    ),
    Code.TEMPLATE_LINT: Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "The template would be rejected"),
    Code.EXAMPLE_NEEDED: Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "WhatsApp wants an example of the file"),
    Code.UNSUPPORTED_BY_PROVIDER: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The sender's provider does not support this"
    ),
    Code.TOO_MANY_AT_ONCE: Kind(HTTPStatus.TOO_MANY_REQUESTS, "Too many of these are under way"),
    Code.BACKLOG_FULL: Kind(HTTPStatus.TOO_MANY_REQUESTS, "The app has too many messages waiting"),
    Code.INTERNAL_ERROR: Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here"),
    Code.PROVIDER_REFUSED: Kind(HTTPStatus.BAD_GATEWAY, "The provider refused"),
    Code.MEDIA_HOST_NOT_ALLOWED: Kind(HTTPStatus.BAD_GATEWAY, "The file lies where we may not fetch it"),
    Code.MEDIA_TOO_LARGE: Kind(HTTPStatus.BAD_GATEWAY, "The file is too large"),
    Code.PROVIDER_IN_DOUBT: Kind(HTTPStatus.GATEWAY_TIMEOUT, "Nobody knows whether the provider did it"),
    Code.STORE_UNAVAILABLE: Kind(HTTPStatus.SERVICE_UNAVAILABLE, "The store does not answer at the moment"),
    Code.PROVIDER_UNAVAILABLE: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE, "The provider does not answer at the moment"
    ),
}


@dataclass(frozen=True, slots=True)
class _Row:
    code: Code
    detail: str


#: What is not a ProblemError; looked up along the class's bases.
_EXCEPTIONS: Mapping[type, _Row] = {
    StoreUnavailableError: _Row(
        Code.STORE_UNAVAILABLE,
        "It may or may not have been recorded. Send it again, with the same Idempotency-Key.",
    ),
    UnreadableTemplateError: _Row(
        Code.UNREADABLE_TEMPLATE,
        "What is stored of it cannot be read, so nothing goes out with it: delete it, then register it anew "
        "or have it read from the provider's list.",
    ),
    NotFound: _Row(Code.NOT_FOUND, "No resource has this address."),
    MethodNotAllowed: _Row(Code.METHOD_NOT_ALLOWED, "The header Allow names the methods."),
    RequestEntityTooLarge: _Row(Code.BODY_TOO_LARGE, "At most 4 MiB."),
    HTTPException: _Row(Code.BAD_REQUEST, "The request cannot be read as HTTP."),
    Exception: _Row(Code.INTERNAL_ERROR, "It has been logged under the id in X-Request-ID."),
}


#: For who only asked.
_ASK_AGAIN = "Nothing was changed. Ask again in a moment."


class ProblemError(FinestraError):
    """Ends a request with a problem. `detail` and `errors` are for the caller, not for logs."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        errors: FieldErrors | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.detail = detail
        self.errors = errors or {}
        self.headers = headers or {}
        super().__init__(str(code))


def install_errors(app: Flask) -> None:
    """Answer everything that is raised in `app`, HTTP errors included."""
    app.register_error_handler(Exception, _answer)


def problem(
    code: Code, detail: str, *, errors: FieldErrors | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    body = problem_body(code, detail, errors=errors)
    return Response(
        current_app.json.dumps(body), body["status"], headers=dict(headers or {}), content_type=MEDIA_TYPE
    )


def problem_body(code: Code, detail: str, *, errors: FieldErrors | None = None) -> dict[str, Any]:
    kind = KINDS[code]
    body: dict[str, Any] = {
        "type": f"/docs/errors#{code}",
        "title": kind.title,
        "status": int(kind.status),
        "detail": detail,
        "code": code,
        # Not the path, which may hold a number: problems get logged by those who receive them.
        "instance": f"/requests/{g.get('request_id', 'unknown')}",
    }
    return body | ({"errors": errors} if errors else {})


def problem_of(refusal: Refusal) -> ProblemError:
    """What the door answers when a message is refused."""
    headers = {"Retry-After": _BACKLOG_RETRY_SECONDS} if refusal.code is RefusalCode.BACKLOG_FULL else {}
    return ProblemError(Code(refusal.code), refusal.detail, errors=refusal.errors, headers=headers)


def _answer(error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return problem(error.code, error.detail, errors=error.errors, headers=error.headers)
    row = next(_EXCEPTIONS[base] for base in type(error).__mro__ if base in _EXCEPTIONS)
    is_unread = row.code is Code.STORE_UNAVAILABLE and request.method == "GET"
    return problem(row.code, _ASK_AGAIN if is_unread else row.detail, headers=_headers(error, row.code))


def _headers(error: Exception, code: Code) -> dict[str, str]:
    """Headers that the answer needs; also where an error of ours is logged."""
    match code:
        case Code.STORE_UNAVAILABLE:
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, error=str(error))
            return {"Retry-After": _RETRY_AFTER_SECONDS}
        case Code.INTERNAL_ERROR:
            get_logger().error(LogEvent.BUG, error=type(error).__name__, at=place_of(error))
        case Code.METHOD_NOT_ALLOWED if isinstance(error, MethodNotAllowed) and error.valid_methods:
            return {"Allow": ", ".join(sorted(error.valid_methods))}
    return {}
