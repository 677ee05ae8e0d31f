"""`/v1/senders`: how each of our numbers stands, and how a hand halts one or lets it go on."""

from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.configuration import AnySender
from shared.observability import LogEvent, get_logger
from shared.schemas.sender import HaltSchema, SenderListSchema, SenderSchema
from webhook.api.auth import own_senders, sender_of_address
from webhook.api.blueprint import Blueprint
from webhook.api.context import caller, deps

blueprint = Blueprint("senders", __name__, description="Our WhatsApp Business numbers.")


@blueprint.route("/v1/senders")
@blueprint.guarded()
@blueprint.response(HTTPStatus.OK, SenderListSchema())
def list_senders() -> dict[str, Any]:
    """List the senders that the key may use."""
    return {"items": [_view(sender) for sender in own_senders()], "next": None}


@blueprint.route("/v1/senders/<alias>/halt", methods=["POST"])
@blueprint.guarded("admin", problems=(HTTPStatus.NOT_FOUND,))
@blueprint.body(HaltSchema(), example={"why": "The number is being moved."})
@blueprint.response(HTTPStatus.OK, SenderSchema())
def halt_sender(values: dict[str, Any], alias: str) -> dict[str, Any]:
    """Stop sending from a number; what is queued stays and waits."""
    sender = sender_of_address(alias)
    deps().senders.halt(sender, values["why"], now=deps().clock.now())
    get_logger().warning(LogEvent.SENDER_HALTED, sender=sender.alias, app=caller().name, by="hand")
    return _view(sender)


@blueprint.route("/v1/senders/<alias>/resume", methods=["POST"])
@blueprint.guarded("admin", problems=(HTTPStatus.NOT_FOUND,))
@blueprint.response(HTTPStatus.OK, SenderSchema())
def resume_sender(alias: str) -> dict[str, Any]:
    """Let a halted number go on with what is queued."""
    sender = sender_of_address(alias)
    deps().senders.resume(sender, now=deps().clock.now())
    get_logger().warning(LogEvent.SENDER_RESUMED, sender=sender.alias, app=caller().name, by="hand")
    deps().ring(sender)
    return _view(sender)


def _view(sender: AnySender) -> dict[str, Any]:
    state = deps().senders.get(sender)
    return {
        "alias": sender.alias,
        "provider": sender.provider,
        "number": sender.number.value,
        "business": sender.business,
        "account": sender.account,
        "state": "halted" if state.halted else "active",
        "why": state.why,
        "since": rfc3339(state.since) if state.since else None,
        "limits": {
            "throughput_per_second": sender.throughput_per_second,
            "window_margin_seconds": sender.window_margin.total_seconds(),
        },
    }
