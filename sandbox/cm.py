"""CM.com's door: POST /v1.0/message, up to 1000 messages in one request, and POST /v1.0/event.

Judges nothing by HTTP status alone: 200 if at least one message was accepted, 400 otherwise, a wrong
token included. Windows and templates show only in status reports.
reference: CM.com "Business Messaging Basics" and "Responses and errors (JSON)", read 2026-11.
"""

from dataclasses import dataclass, replace

from flask import Blueprint, Response, jsonify, request

from sandbox import cm_checks, cm_webhooks
from sandbox.accounts import CmAccount
from sandbox.cm_checks import Item, Senders
from sandbox.cm_webhooks import Failure, Report
from sandbox.delivery import Delivery
from sandbox.faults import Fault
from sandbox.misbehaviour import bare_answer, before_answering
from sandbox.receipts import Receipt
from sandbox.refusals import WINDOW_CLOSED, Refusal
from sandbox.templates import Template
from sandbox.world import World

_STATUS_CODES = {"sent": "0", "delivered": "2", "read": "4"}  # "4" is UNCONFIRMED
_FAILED = "3"
#: Meta's codes in CM.com's numbers. Its table can be read up to 65; 66 for all template errors is our choice.
_FAILURE_CODES = {100: 53, 131008: 56, 131009: 57, 131021: 58, 131047: 62}
_TEMPLATE_FAILURE = 66


@dataclass(frozen=True, slots=True)
class CmDoor:
    """Answers for every CM.com account of the world."""

    world: World
    delivery: Delivery

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("cm", __name__)
        blueprint.add_url_rule("/v1.0/message", view_func=self.send, methods=["POST"])
        blueprint.add_url_rule("/v1.0/event", view_func=self.take_event, methods=["POST"])
        return blueprint

    def send(self) -> Response:
        self.world.pause(self.world.settings.latency_ms / 1000)
        document = cm_checks.fold_keys(request.get_json(force=True, silent=True))
        if not isinstance(document, dict):
            return _refused(Refusal(code=202, details="The request could not be read as JSON"))
        senders = self._senders(document)
        if not senders:
            return _refused(Refusal(code=101, details="No account found for the given authentication"))
        items = cm_checks.read_batch(document)
        if isinstance(items, Refusal):
            return _refused(items)
        return self._answer(items, senders)

    def take_event(self) -> Response:
        """Read, typing or block. The answer is UNCONFIRMED: an empty 200 here, and 400 as for a message.

        reference: CM.com "Events", read 2026-11; Typing by one live client.
        """
        document = cm_checks.fold_keys(request.get_json(force=True, silent=True))
        senders = self._senders(document) if isinstance(document, dict) else {}
        if not senders:
            return _refused(Refusal(code=101, details="No account found for the given authentication"))
        event = cm_checks.read_event(document, senders)
        if isinstance(event, Refusal):
            return _refused(event)
        account = senders[event.sender]
        fault = self.world.take_fault(account.number)
        if fault and fault.refuses_unseen:
            return _refusal_ordered_by(fault)
        receipt = Receipt(
            at=self.world.now(),
            provider=account.provider,
            number=account.number,
            kind=event.kind,
            message_id=event.message_id,
            to=event.contact,
        )
        self.world.receipts.add(receipt)
        before_answering(fault, self.world)
        return Response(status=200)

    def _senders(self, document: dict[str, object]) -> Senders:
        """The numbers of the token, which stands in a header or in the body; the header wins."""
        messages = document.get("messages")
        inside = messages.get("authentication") if isinstance(messages, dict) else None
        written = inside.get("producttoken") if isinstance(inside, dict) else None
        token = request.headers.get("X-CM-PRODUCTTOKEN") or written
        accounts = self.world.cm_accounts(token) if isinstance(token, str) else []
        return {cm_checks.from_e164(account.number): account for account in accounts}

    def _answer(self, items: list[Item], senders: Senders) -> Response:
        """A fault is taken for the whole request, from the number that its first message is from."""
        fault = self.world.take_fault(_account(items[0], senders).number)
        if fault and fault.refuses_unseen:
            return self._refuse_unseen(items, senders, fault)
        answer = _entries_answer([self._handle(item, senders, fault) for item in items])
        before_answering(fault, self.world)
        return answer

    def _refuse_unseen(self, items: list[Item], senders: Senders, fault: Fault) -> Response:
        for item in items:
            account = _account(item, senders)
            self.world.record(account, cm_checks.sketch(item), outcome="refused", code=fault.code)
        return _refusal_ordered_by(fault)

    def _handle(self, item: Item, senders: Senders, fault: Fault | None) -> dict[str, object]:
        account = _account(item, senders)
        refusal = cm_checks.check(item, senders)
        if refusal:
            self.world.record(account, cm_checks.sketch(item), outcome="refused", code=refusal.code)
        else:
            self._accept(account, item, fault)
        return _entry(item, refusal)

    def _accept(self, account: CmAccount, item: Item, fault: Fault | None) -> None:
        def find(name: str, language: str) -> Template | None:
            return self.world.template(account.template_owner, name, language)

        sketch = cm_checks.sketch(item)
        text = cm_checks.render(item, account, find)
        refusal = text if isinstance(text, Refusal) else self._window_refusal(account, item)
        failure = _ordered_failure(fault) or _failure(refusal)
        self.world.record(
            account,
            replace(sketch, text=text) if isinstance(text, str) else sketch,
            outcome="dropped" if fault and fault.kind == "drop" else "accepted",
            code=failure.code if failure else None,
        )
        self._schedule_reports(account, item, failure)

    def _window_refusal(self, account: CmAccount, item: Item) -> Refusal | None:
        needs_window = cm_checks.sketch(item).kind == "session"
        closed = needs_window and not self.world.window_is_open(account.number, item.contact)
        return WINDOW_CLOSED if closed else None

    def _schedule_reports(self, account: CmAccount, item: Item, failure: Failure | None) -> None:
        settings = self.world.settings
        if not settings.statuses:
            return
        steps = [(_STATUS_CODES[status], after) for status, after in settings.progress()]
        if failure:
            steps = [(_FAILED, settings.failure_after_seconds)]
        for code, after_seconds in steps:
            report = Report(
                code=code,
                at=self.world.now() + after_seconds,
                contact=item.contact,
                reference=cm_checks.sketch(item).reference,
                failure=failure,
            )
            self.delivery.post_later(cm_webhooks.status(account, report), after_seconds=after_seconds)


def _refusal_ordered_by(fault: Fault) -> Response:
    if fault.kind == "no_body" or fault.code is None:
        return bare_answer(fault)
    return _refused(Refusal(code=fault.code, details=fault.details), fault.status)


def _account(item: Item, senders: Senders) -> CmAccount:
    """The account a message is from; for an unknown sender the first of the token, to have one to note."""
    return senders.get(str(item.msg.get("from"))) or next(iter(senders.values()))


def _ordered_failure(fault: Fault | None) -> Failure | None:
    if fault is None or fault.kind != "late_error" or fault.code is None:
        return None
    return Failure(code=fault.code, description=fault.details)


def _failure(refusal: Refusal | None) -> Failure | None:
    if refusal is None:
        return None
    code = _FAILURE_CODES.get(refusal.code, _TEMPLATE_FAILURE)
    return Failure(code=code, description=refusal.details)


def _entry(item: Item, refusal: Refusal | None) -> dict[str, object]:
    return {
        "to": item.number,
        "status": "Rejected" if refusal else "Accepted",
        "reference": item.reference,
        "parts": 0 if refusal else 1,
        "messageDetails": refusal.details if refusal else None,
        "messageErrorCode": refusal.code if refusal else 0,
    }


def _entries_answer(entries: list[dict[str, object]]) -> Response:
    created = sum(entry["status"] == "Accepted" for entry in entries)
    answer = jsonify(
        details=f"Created {created} message(s)",
        errorCode=0 if created == len(entries) else 201,
        messages=entries,
    )
    answer.status_code = 200 if created else 400
    return answer


def _refused(refusal: Refusal, http_status: int | None = None) -> Response:
    answer = jsonify(details=refusal.details, errorCode=refusal.code, messages=[])
    answer.status_code = http_status or 400
    return answer
