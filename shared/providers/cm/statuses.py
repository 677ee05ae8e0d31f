"""One status report of CM.com: what became of an attempt of ours.

CM.com, "Incoming status report" and "WhatsApp standard errors", read 2026-11.
"""

from collections.abc import Mapping
from datetime import datetime

from shared.domain.events import ReportedError, StatusReported
from shared.domain.identifiers import AttemptReference, InvalidIdentifierError
from shared.domain.message import MessageState
from shared.providers.cm.errors import status_row
from shared.providers.cm.wire import contact_of, member, member_object
from shared.providers.reading import UnreadableError, number_text, storable

_STATES: Mapping[str | None, MessageState] = {
    "0": MessageState.SENT,
    "1": MessageState.FAILED,
    "2": MessageState.DELIVERED,
    "3": MessageState.FAILED,
    # Only one client of a third party lists it; a state that never comes does no harm.
    "4": MessageState.READ,
}
#: Our words where a report of failure gives no code.
_WITHOUT_CODE = {"1": "rejected", "3": "failed"}


def read_status(report: object, received_at: datetime) -> StatusReported:
    """Raise UnreadableError for what is not a state, or carries no reference of ours: there is no other id.

    `at` is `received_at`: the report's own time names no zone, and no page says which is meant.
    """
    if not isinstance(report, dict):
        raise UnreadableError("not_an_object")
    status = member_object(report, "status")
    code = number_text(member(status, "code"))
    state = _STATES.get(code)
    if state is None:
        raise UnreadableError("unknown_status")
    return StatusReported(
        recipient=None,
        reference=_reference_of(member(report, "reference")),
        provider_message_id=None,
        state=state,
        at=received_at,
        error=_error_of(status, code or "") if state is MessageState.FAILED else None,
        contact=contact_of(member(report, "to")),
    )


def _reference_of(written: object) -> AttemptReference:
    try:
        return AttemptReference.parse(written if isinstance(written, str) else "")
    except InvalidIdentifierError:
        raise UnreadableError("no_reference") from None


def _error_of(status: Mapping[str, object], status_code: str) -> ReportedError:
    code = number_text(member(status, "errorCode"))
    if code is None or code == "0":
        code = _WITHOUT_CODE[status_code]
    description = member(status, "errorDescription")
    return ReportedError(
        code=code,
        row=status_row(code),
        detail=storable(description) if isinstance(description, str) else "",
    )
