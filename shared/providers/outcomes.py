"""What an exchange means when the provider itself did not say: the rules that all providers share.

Contract, section 10: refused before it left, try again; left and unanswered, in doubt; 503 was not taken.
"""

from http import HTTPStatus

from shared.domain.provider_errors import ErrorRow
from shared.domain.retry import ErrorClass
from shared.http.client import Answer, Doubt, NotSent
from shared.providers.base import NOT_SENT, NOT_TAKEN, SILENT, THROTTLED, Rejected

#: A refusal without a code, such as a proxy's 404 in HTML.
UNREADABLE = ErrorRow(
    error_class=ErrorClass.PERMANENT,
    advice="It was refused without a code of the provider: check base_url, and what stands in between.",
)


def without_answer(outcome: NotSent | Doubt) -> Rejected:
    if isinstance(outcome, NotSent):
        return Rejected(code="not_sent", row=NOT_SENT, detail=outcome.reason)
    return Rejected(code=outcome.reason, row=SILENT)


def without_code(answer: Answer) -> Rejected:
    """Judge by the HTTP status alone, for want of a code that we know; the code becomes `http_502`."""
    row = _row(answer.status)
    return Rejected(code=f"http_{answer.status}", row=row, retry_after=answer.retry_after)


def _row(status: int) -> ErrorRow:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return THROTTLED
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return NOT_TAKEN
    if status < HTTPStatus.MULTIPLE_CHOICES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SILENT
    return UNREADABLE
