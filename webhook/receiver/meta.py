"""Meta's Cloud API at the door: the handshake, and signed updates."""

import hmac

from flask import Blueprint, Response, abort, request

from shared.configuration import MetaSender
from shared.deps import Deps
from shared.observability import LogEvent, get_logger
from shared.providers.meta.parse import parse
from webhook.receiver.recording import record_body
from webhook.receiver.signatures import is_signed
from webhook.receiver.sources import install_source_check


def meta_blueprint(deps: Deps) -> Blueprint:
    door = Blueprint("meta", __name__)
    install_source_check(door, deps)

    @door.get("/webhooks/<alias>", strict_slashes=False)
    def handshake(alias: str) -> Response:
        """Echo the challenge as plain text when the verify token is ours, else 403."""
        sender = deps.sender(alias) or abort(404)
        if not isinstance(sender, MetaSender) or not _is_handshake(sender):
            abort(403)
        return Response(request.args.get("hub.challenge", ""), mimetype="text/plain")

    @door.post("/webhooks/<alias>", strict_slashes=False)
    def updates(alias: str) -> Response:
        """Record what is signed by one of the sender's app secrets."""
        sender = deps.sender(alias) or abort(404)
        body = request.get_data(cache=False)
        header = request.headers.get("X-Hub-Signature-256")
        if not isinstance(sender, MetaSender) or not is_signed(body, header, sender.app_secrets):
            get_logger().warning(LogEvent.WEBHOOK_REFUSED, sender=alias, why="signature")
            abort(401)
        record_body(deps, sender, body, parse)
        return Response(status=200)

    return door


def _is_handshake(sender: MetaSender) -> bool:
    given = request.args.get("hub.verify_token", "").encode("utf-8", "replace")
    is_ours = hmac.compare_digest(sender.verify_token.reveal().encode(), given)
    return is_ours and request.args.get("hub.mode") == "subscribe"
