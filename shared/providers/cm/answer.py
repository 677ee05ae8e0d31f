"""What CM.com's answer means for each message of a batch.

CM.com, "Responses and errors (JSON)", read 2026-11: the HTTP status alone says nothing; a 200 may carry
rejections, and a wrong token is a 400. Entries are matched by reference and number: no order is promised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from shared.http.client import Answer, Doubt, NotSent
from shared.providers.base import IN_DOUBT, UNLISTED, Outgoing, Rejected, SendResult, Submitted
from shared.providers.cm.errors import answer_row
from shared.providers.cm.wire import digits_of, member
from shared.providers.outcomes import without_answer, without_code
from shared.providers.reading import number_text, storable

_NO_ERROR = "0"
#: "See each message": it says nothing about one that is not listed.
_SEE_MESSAGES = "201"
_MISSING = Rejected(code="missing_in_answer", row=IN_DOUBT)
_Entries = Mapping[tuple[str, str], Mapping[str, Any]]


def read_answer(batch: Sequence[Outgoing], outcome: Answer | NotSent | Doubt) -> list[SendResult]:
    """One result for each of `batch`, in its order."""
    if not isinstance(outcome, Answer):
        return [without_answer(outcome)] * len(batch)
    body: Mapping[str, Any] = outcome.body if isinstance(outcome.body, dict) else {}
    entries = _entries(body)
    unlisted = _for_unlisted(outcome, body, entries)
    return [_read_entry(entries.get(_key_of(outgoing)), unlisted) for outgoing in batch]


def _entries(body: Mapping[str, Any]) -> _Entries:
    listed = member(body, "messages")
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict):
            key = (str(member(entry, "reference")), digits_of(member(entry, "to")))
            found.setdefault(key, entry)
    return found


def _key_of(outgoing: Outgoing) -> tuple[str, str]:
    return str(outgoing.reference), digits_of(outgoing.to.value)


def _for_unlisted(answer: Answer, body: Mapping[str, Any], entries: _Entries) -> Rejected:
    """What holds for messages that the answer does not list: an error of the whole request, or a doubt."""
    code = number_text(member(body, "errorcode"))
    is_ok = answer.status == HTTPStatus.OK
    if code in {None, _NO_ERROR} or (is_ok and (entries or code == _SEE_MESSAGES)):
        return _MISSING if is_ok and body else without_code(answer)
    row = answer_row(code or "")
    if row is UNLISTED and (is_ok or _speaks(answer.status)):
        return without_code(answer)
    return Rejected(code=code or "", row=row, detail=_text(body, "details"), retry_after=answer.retry_after)


def _speaks(status: int) -> bool:
    """429 and 503 speak for themselves where the code does not."""
    return status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def _read_entry(entry: Mapping[str, Any] | None, unlisted: Rejected) -> SendResult:
    if entry is None:
        return unlisted
    status = _text(entry, "status").casefold()
    code = number_text(member(entry, "messageerrorcode"))
    if status == "accepted" or (not status and code == _NO_ERROR):
        return Submitted()
    if status != "rejected" and code in {None, _NO_ERROR}:
        return replace(_MISSING, code="unreadable_answer")
    detail = _text(entry, "messagedetails")
    if code in {None, _NO_ERROR}:
        return Rejected(code="rejected", row=UNLISTED, detail=detail)  # older gateways give no codes
    return Rejected(code=code or "", row=answer_row(code or ""), detail=detail)


def _text(parent: Mapping[str, Any], name: str) -> str:
    value = member(parent, name)
    return storable(value) if isinstance(value, str) else ""
