"""The doors behind the stage: scripts set up the world, play the customer and read what happened.

Speaks JSON; a request that makes no sense is 400, an unknown number 404, each with {"error": why}.
"""

import secrets
from dataclasses import asdict, dataclass, replace

from flask import Blueprint, Response, jsonify, request

from sandbox import cm_webhooks, meta_webhooks
from sandbox.accounts import Account, MetaAccount, parse_account
from sandbox.delivery import Delivery, Post, fetch
from sandbox.faults import parse_fault
from sandbox.files import SentFile, parse_file
from sandbox.media import cm_link, meta_link
from sandbox.meta import new_message_id
from sandbox.shapes import ScriptError, is_e164, is_number, is_text, is_user_id, script_entries, script_object
from sandbox.templates import Template, parse_template
from sandbox.world import Inbound, RecordedMessage, World

_OK = 200
_DOORS = [
    ("PUT", "accounts", "put_accounts"),
    ("PUT", "templates", "put_templates"),
    ("POST", "templates/decide", "decide_template"),
    ("POST", "inbound", "receive_inbound"),
    ("POST", "handshake", "shake_hands"),
    ("POST", "faults", "add_faults"),
    ("DELETE", "faults", "clear_faults"),
    ("PUT", "settings", "change_settings"),
    ("GET", "settings", "show_settings"),
    ("GET", "requests", "list_requests"),
    ("GET", "windows", "list_windows"),
    ("GET", "webhooks", "count_webhooks"),
    ("GET", "receipts", "list_receipts"),
    ("POST", "reset", "reset"),
]


class UnknownNumberError(Exception):
    """No account has this number."""


@dataclass(frozen=True, slots=True)
class ControlDoor:
    """Everything under /control."""

    world: World
    delivery: Delivery

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("control", __name__, url_prefix="/control")
        for method, path, name in _DOORS:
            view = getattr(self, name)
            blueprint.add_url_rule(f"/{path}", endpoint=name, view_func=view, methods=[method])
        blueprint.register_error_handler(ScriptError, _bad_request)
        blueprint.register_error_handler(UnknownNumberError, _not_found)
        return blueprint

    def put_accounts(self) -> Response:
        accounts = [parse_account(raw) for raw in script_entries(_document(), "accounts")]
        return jsonify(accounts=self.world.put_accounts(accounts))

    def put_templates(self) -> Response:
        """Templates of an account; with `"announce": true` Meta tells its webhooks. CM.com tells nobody."""
        document = script_object(_document())
        templates = [parse_template(raw) for raw in script_entries(document, "templates")]
        total = self.world.put_templates(templates)
        if document.get("announce") is True:
            self._announce(templates)
        return jsonify(templates=total)

    def decide_template(self) -> Response:
        """WhatsApp decides about a template, and tells the account's webhooks."""
        script = script_object(_document())
        key = (str(script.get("account")), str(script.get("name")), str(script.get("language")))
        known, status = self.world.template(*key), script.get("status")
        if known is None or not is_text(status):
            raise ScriptError("'account', 'name', 'language' of a template and its 'status' are needed")
        decided = replace(known, status=status.upper(), category=str(script.get("category", known.category)))
        self.world.put_templates([decided])
        reason, title = str(script.get("reason", "NONE")), script.get("title")
        self.world.registry.note(decided, reason=reason, now=self.world.now())
        number = self.world.registry.id_of(decided)
        for account in self.world.meta_accounts():
            if account.business_account_id == decided.account:
                news = meta_webhooks.template_status(
                    account,
                    decided,
                    self.world.now(),
                    template_id=number,
                    reason=reason,
                    title=title if isinstance(title, str) else None,
                )
                self.delivery.post_later(news, after_seconds=0)
        return jsonify(id=str(number), status=decided.status)

    def _announce(self, templates: list[Template]) -> None:
        for account in self.world.meta_accounts():
            for template in templates:
                if template.account == account.business_account_id:
                    news = meta_webhooks.template_status(account, template, self.world.now())
                    self.delivery.post_later(news, after_seconds=0)

    def receive_inbound(self) -> Response:
        """A customer writes, or sends a file. A webhook that fails is retried in the background."""
        script = script_object(_document())
        account = self._account(script.get("to"))
        inbound = self._read_inbound(script, account)
        self.world.hear_from(account, inbound)
        if isinstance(account, MetaAccount):
            self.world.limits.hear(account.number, at=self.world.now(), settings=self.world.settings)
        status = self.delivery.post_now(self._webhook(account, inbound))
        shown: dict[str, object] = {"id": inbound.message_id, "webhook_status": status}
        if inbound.file is not None:
            file = inbound.file
            shown["media"] = {"id": file.file_id, "bytes": file.size, "sha256": file.digest().hex()}
        return jsonify(shown)

    def _read_inbound(self, script: dict[str, object], account: Account) -> Inbound:
        text, message_id = script.get("text", ""), script.get("id", new_message_id())
        at, name = script.get("at", self.world.now()), script.get("name")
        is_file = "media" in script
        if not isinstance(text, str) or not (is_file or text.strip()):
            raise ScriptError("'text' is needed, or 'media'")
        if not is_text(message_id) or not isinstance(name, str | None):
            raise ScriptError("'id' and 'name' must be text")
        if not is_number(at):
            raise ScriptError("'at' must be Unix seconds")
        writer = _writer(script, account)
        return Inbound(
            writer=writer,
            contact=self.world.contact_of(writer),
            user_id=self._user_id(script, account, writer),
            text=text,
            message_id=message_id,
            at=at,
            name=name,
            file=self._new_file(script["media"], account) if is_file else None,
        )

    def _user_id(self, script: dict[str, object], account: Account, writer: str) -> str:
        given = script.get("user_id")
        if given is None:
            return writer if is_user_id(writer) else self.world.user_id_of(account, writer)
        if not is_user_id(given) or not isinstance(account, MetaAccount):
            raise ScriptError("'user_id' must be a business-scoped user id, and at Meta")
        return given

    def _new_file(self, raw: object, account: Account) -> SentFile:
        file = parse_file(raw, provider=account.provider, number=account.number, at=self.world.now())
        self.world.files.add(file)
        return file

    def _webhook(self, account: Account, inbound: Inbound) -> Post:
        name = self.world.name_of(account.number, inbound.contact)
        file = inbound.file
        if isinstance(account, MetaAccount):
            seconds = self.world.settings.media_link_seconds
            link = meta_link(self.world, file, seconds) if file else None
            return meta_webhooks.inbound(account, inbound, name, link)
        return cm_webhooks.inbound(account, inbound, name, cm_link(self.world, file) if file else None)

    def shake_hands(self) -> Response:
        """Meta's GET when a webhook address is set.

        reference: Meta "Webhooks: create an endpoint", read 2025-11.
        """
        account = self._account(script_object(_document()).get("number"))
        if not isinstance(account, MetaAccount):
            raise ScriptError("only Meta shakes hands")
        challenge = str(secrets.randbelow(10**10))
        params = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": account.verify_token,
        }
        return jsonify(ok=fetch(account.webhook_url, params) == (_OK, challenge))

    def add_faults(self) -> Response:
        script = script_object(_document())
        account = self._account(script.get("number"))
        times = script.get("times", 1)
        if not isinstance(times, int) or times < 1:
            raise ScriptError("'times' must be a whole number from 1")
        return jsonify(faults=self.world.add_faults(account.number, parse_fault(script), times))

    def clear_faults(self) -> Response:
        self.world.clear_faults()
        return jsonify(faults=0)

    def change_settings(self) -> Response:
        return jsonify(asdict(self.world.change_settings(script_object(_document()))))

    def show_settings(self) -> Response:
        return jsonify(asdict(self.world.settings))

    def list_requests(self) -> Response:
        """`number` may come with its plus unescaped, which a query string turns into a space."""
        number = request.args.get("number")
        wanted = "+" + number.strip().removeprefix("+") if number else None
        return jsonify(requests=[_shown(each) for each in self.world.recorded(wanted)])

    def list_windows(self) -> Response:
        return jsonify([asdict(window) for window in self.world.windows()])

    def count_webhooks(self) -> Response:
        return jsonify(asdict(self.delivery.counts()))

    def list_receipts(self) -> Response:
        return jsonify(receipts=[asdict(receipt) for receipt in self.world.receipts.all()])

    def reset(self) -> Response:
        self.delivery.clear()
        self.world.reset()
        return jsonify(ok=True)

    def _account(self, number: object) -> Account:
        account = self.world.account(number) if isinstance(number, str) else None
        if account is None:
            raise UnknownNumberError("no account has this number")
        return account


def _document() -> object:
    return request.get_json(force=True, silent=True)


def _writer(script: dict[str, object], account: Account) -> str:
    """Who writes: a phone number, or at Meta a user id alone, and then the phone number stays hidden."""
    writer = script.get("from", script.get("user_id"))
    if is_e164(writer) or (is_user_id(writer) and isinstance(account, MetaAccount)):
        return writer
    raise ScriptError("'from' must be +E164, or at Meta a business-scoped user id")


def _shown(message: RecordedMessage) -> dict[str, object]:
    shown = asdict(message)
    return {**shown.pop("sketch"), **shown}


def _bad_request(error: Exception) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


def _not_found(error: Exception) -> tuple[Response, int]:
    return jsonify(error=str(error)), 404
