"""`GET /v1/messages`: what became of many, the dead letters among them."""

from http import HTTPStatus
from typing import Any

from shared.schemas.message_list import MessageListSchema, MessageQuerySchema
from webhook.api.blueprint import OF_A_SENDER, Blueprint
from webhook.api.context import deps
from webhook.api.message_view import view_listed
from webhook.api.own_messages import businesses, own_filter, parse_place, place_text

blueprint = Blueprint("message_list", __name__, description="Lists of messages.")


@blueprint.route("/v1/messages")
@blueprint.guarded("messages", problems=OF_A_SENDER)
@blueprint.arguments(MessageQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, MessageListSchema())
def list_messages(query: dict[str, Any]) -> dict[str, Any]:
    """List messages, newest first; `state=failed,refused,unknown,expired` are the dead letters."""
    wanted = own_filter(
        app=query["app"],
        sender=query["sender"],
        states=query["state"],
        reference=query["reference"],
        reason=query["reason"],
        code=query["code"],
        any_code=query["any_code"],
        to=query["to"],
    )
    place = parse_place(query["after"])
    page = deps().listing.page(businesses(), wanted, after=place, limit=query["limit"])
    items = [view_listed(found.record) for found in page.found]
    return {"items": items, "next": place_text(page.next)}
