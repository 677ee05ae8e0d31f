"""`/v1/templates/in-use`: which templates are in use, and which of them cannot be sent."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.schemas.consent import SenderQuerySchema
from shared.schemas.template_history import TemplateUseListSchema
from shared.template_use import TemplateInUse, in_use
from webhook.api.auth import own_senders, sender_of_address
from webhook.api.blueprint import OF_A_SENDER, Blueprint
from webhook.api.context import deps

blueprint = Blueprint("template_use", __name__, description="Templates in use.")


@blueprint.route("/v1/templates/in-use")
@blueprint.guarded("templates:read", "templates", problems=OF_A_SENDER)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, TemplateUseListSchema())
def list_in_use(query: dict[str, Any]) -> dict[str, Any]:
    """List what waiting messages and the last seven days name; what cannot be sent comes first."""
    senders = own_senders() if query["sender"] is None else [sender_of_address(query["sender"])]
    return {"items": [_shown(one) for one in in_use(deps(), senders)], "next": None}


def _shown(one: TemplateInUse) -> dict[str, Any]:
    return {**asdict(one), "since": rfc3339(one.since) if one.since else None}
