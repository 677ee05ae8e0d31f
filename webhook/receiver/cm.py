"""CM.com at the door: inbound messages and status reports at one address, told apart by shape."""

from flask import Blueprint, Response, abort, request

from shared.configuration import CmSender
from shared.deps import Deps
from shared.observability import LogEvent, get_logger
from shared.providers.cm.parse import parse
from webhook.receiver.recording import record_body
from webhook.receiver.signatures import is_token
from webhook.receiver.sources import install_source_check


def cm_blueprint(deps: Deps) -> Blueprint:
    door = Blueprint("cm", __name__)
    install_source_check(door, deps)

    @door.post("/webhooks/<alias>/<token>", strict_slashes=False)
    def updates(alias: str, token: str) -> Response:
        """Record what comes to an address that holds one of the sender's webhook tokens."""
        sender = deps.sender(alias) or abort(404)
        if not isinstance(sender, CmSender) or not is_token(token, sender.webhook_tokens):
            get_logger().warning(LogEvent.WEBHOOK_REFUSED, sender=alias, why="token")
            abort(401)
        record_body(deps, sender, request.get_data(cache=False), parse)
        return Response(status=200)

    return door
