"""What CM.com's error codes mean to us. There are two code spaces: the gateway's answers, and status reports.

CM.com, "Responses and errors (JSON)" and "WhatsApp standard errors", read 2026-11.
"""

from shared.domain.provider_errors import ErrorRow
from shared.providers.base import UNLISTED
from shared.providers.rows import ErrorTable

TABLE = ErrorTable.load("shared.providers.cm")


def answer_row(code: str) -> ErrorRow:
    """The row of a code in the answer to a request: of the request, or of one message."""
    return TABLE.row(f"submit.{code}")


def status_row(code: str) -> ErrorRow:
    """The row of `errorCode` in a status report, where CM.com translates Meta's codes into its own."""
    return TABLE.row(f"status.{code}")


def row_of(code: str) -> ErrorRow:
    """The row of a code from either space: the known codes of the two do not overlap."""
    row = status_row(code)
    return answer_row(code) if row is UNLISTED else row
