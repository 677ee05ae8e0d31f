"""What can go wrong at a door, as RFC 9457 problems: one table from our errors to codes and bodies.

No answer holds an exception's text; what nobody foresaw is logged with its place and answered 500.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from shared.acceptance import Refusal, RefusalCode
from shared.errors import FinestraError, StoreUnavailableError, UnreadableTemplateError
from shared.observability import LogEvent, get_logger, place_of
from shared.problems import Code, kinds

MEDIA_TYPE = "application/problem+json"
#: By field, as the body names it; an entry is a text, or for the lint its code and mend.
FieldErrors = Mapping[str, Sequence[str | Mapping[str, str]]]
_RETRY_AFTER_SECONDS = "2"
#: A backlog goes at the sender's rate: some hundreds have left by then.
_BACKLOG_RETRY_SECONDS = "5"


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
    kind = kinds()[code]
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
