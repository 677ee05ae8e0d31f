"""The Cloud API's door: POST /<version>/<phone number id>/messages.

reference: Meta "Message API" and "Error codes", read 2026-03 and 2026-09.
"""

import base64
import secrets
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request

from sandbox import meta_checks, meta_webhooks
from sandbox.accounts import MetaAccount
from sandbox.delivery import Delivery
from sandbox.faults import Fault
from sandbox.graph import VERSION, bearer_accounts, error, graph_error, refuse_unseen
from sandbox.meta_checks import Message
from sandbox.misbehaviour import before_answering
from sandbox.receipts import Receipt
from sandbox.refusals import WINDOW_CLOSED, Refusal
from sandbox.shapes import is_e164
from sandbox.templates import Template
from sandbox.world import World


def new_message_id() -> str:
    """An id of the look of Meta's: "wamid." and base64."""
    return "wamid." + base64.b64encode(secrets.token_bytes(30)).decode("ascii")


@dataclass(frozen=True, slots=True)
class MetaDoor:
    """Answers for every Meta account of the world."""

    world: World
    delivery: Delivery

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("meta", __name__)
        rule = "/<version>/<phone_number_id>/messages"
        blueprint.add_url_rule(rule, view_func=self.send, methods=["POST"])
        return blueprint

    def send(self, version: str, phone_number_id: str) -> Response:
        self.world.pause(self.world.settings.latency_ms / 1000)
        if not VERSION.fullmatch(version):
            return graph_error(
                HTTPStatus.BAD_REQUEST, "GraphMethodException", 2500, "Unknown path components"
            )
        account = self._authorise(phone_number_id)
        if isinstance(account, Response):
            return account
        fault = self.world.take_fault(account.number)
        payload = request.get_json(force=True, silent=True)
        if fault and fault.refuses_unseen:
            return self._refuse_unseen(account, payload, fault)
        answer = self._handle(account, payload, fault)
        before_answering(fault, self.world)
        return answer

    def _authorise(self, phone_number_id: str) -> MetaAccount | Response:
        """The account of number and token. A token of someone else's sees no such number."""
        allowed = bearer_accounts(self.world)
        if isinstance(allowed, Response):
            return allowed
        for account in allowed:
            if account.phone_number_id == phone_number_id:
                return account
        message = f"Unsupported post request. Object with ID '{phone_number_id}' does not exist"
        return graph_error(HTTPStatus.BAD_REQUEST, "GraphMethodException", 100, message, subcode=33)

    def _refuse_unseen(self, account: MetaAccount, payload: object, fault: Fault) -> Response:
        self.world.record(account, meta_checks.sketch(payload), outcome="refused", code=fault.code)
        return refuse_unseen(fault)

    def _handle(self, account: MetaAccount, payload: object, fault: Fault | None) -> Response:
        if isinstance(payload, dict) and "status" in payload:
            return self._mark_read(account, payload)
        message = self._read(account, payload)
        if isinstance(message, Refusal):
            self.world.record(account, meta_checks.sketch(payload), outcome="refused", code=message.code)
            return error(message)
        return self._accept(account, message, fault)

    def _mark_read(self, account: MetaAccount, payload: dict[str, object]) -> Response:
        refusal = meta_checks.check_read_receipt(payload)
        if refusal:
            return error(refusal)
        for kind in ("read", "typing") if "typing_indicator" in payload else ("read",):
            receipt = Receipt(
                at=self.world.now(),
                provider=account.provider,
                number=account.number,
                kind=kind,
                message_id=str(payload["message_id"]),
            )
            self.world.receipts.add(receipt)
        return jsonify(success=True)

    def _read(self, account: MetaAccount, payload: object) -> Message | Refusal:
        def find(name: str, language: str) -> Template | None:
            return self.world.template(account.template_owner, name, language)

        message = meta_checks.read(payload, account, find)
        if isinstance(message, Message):
            message = self._within_limits(account, message)
        if isinstance(message, Message) and self.world.settings.window_refusal == "sync":
            return self._window_failure(account, message) or message
        return message

    def _within_limits(self, account: MetaAccount, message: Message) -> Message | Refusal:
        contact = self.world.contact_of(message.recipient)
        code = self.world.limits.admit(
            account.number, contact, at=self.world.now(), settings=self.world.settings
        )
        return message if code is None else Refusal(code=code, details="the limit is used up")

    def _window_failure(self, account: MetaAccount, message: Message) -> Refusal | None:
        contact = self.world.contact_of(message.recipient)
        needs_window = message.sketch.kind == "session"
        closed = needs_window and not self.world.window_is_open(account.number, contact)
        return WINDOW_CLOSED if closed else None

    def _accept(self, account: MetaAccount, message: Message, fault: Fault | None) -> Response:
        message_id = new_message_id()
        failure = _ordered_failure(fault) or self._window_failure(account, message)
        self.world.record(
            account,
            message.sketch,
            outcome="dropped" if fault and fault.kind == "drop" else "accepted",
            code=failure.code if failure else None,
            provider_message_id=message_id,
        )
        self._schedule_statuses(account, message, message_id, failure)
        return _success(message, message_id, self.world.contact_of(message.recipient))

    def _schedule_statuses(
        self, account: MetaAccount, message: Message, message_id: str, failure: Refusal | None
    ) -> None:
        settings = self.world.settings
        if not settings.statuses:
            return
        steps = [("failed", settings.failure_after_seconds)] if failure else settings.progress()
        contact = self.world.contact_of(message.recipient)
        for name, after_seconds in steps:
            report = meta_webhooks.Status(
                message_id=message_id,
                name=name,
                at=self.world.now() + after_seconds,
                contact=contact,
                user_id=self.world.user_id_of(account, contact),
                contact_name=self.world.name_of(account.number, contact),
                callback_data=message.sketch.reference,
                category=message.category,
                failure=failure,
            )
            self.delivery.post_later(meta_webhooks.status(account, report), after_seconds=after_seconds)


def _ordered_failure(fault: Fault | None) -> Refusal | None:
    if fault is None or fault.kind != "late_error" or fault.code is None:
        return None
    return Refusal(code=fault.code, details=fault.details)


def _success(message: Message, message_id: str, known_as: str) -> Response:
    """`wa_id` only for phone numbers, `user_id` only for user ids, `message_status` only for templates."""
    contact = {"input": message.recipient}
    if is_e164(message.recipient):
        contact["wa_id"] = known_as.removeprefix("+")
    else:
        contact["user_id"] = message.recipient
    accepted = {"id": message_id}
    if message.sketch.kind == "template":
        accepted["message_status"] = "accepted"
    return jsonify(messaging_product="whatsapp", contacts=[contact], messages=[accepted])
