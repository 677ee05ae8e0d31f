"""`/v1/templates/{name}/{language}/preview`: what a contact would see."""

from http import HTTPStatus
from typing import Any

from shared.picture import shown
from shared.schemas.consent import SenderQuerySchema
from shared.schemas.template_call import call_of
from shared.schemas.template_preview import PREVIEW_EXAMPLE, PreviewRequestSchema, PreviewSchema
from webhook.api.auth import sender_of_address
from webhook.api.blueprint import OF_A_TEMPLATE, LenientBlueprint
from webhook.api.template_view import template_at

blueprint = LenientBlueprint("template_preview", __name__, description="What a contact would see.")


@blueprint.route("/v1/templates/<name>/<language>/preview", methods=["POST"])
@blueprint.guarded("templates:read", "templates", problems=OF_A_TEMPLATE)
@blueprint.body(PreviewRequestSchema(), example=PREVIEW_EXAMPLE, required=False)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, PreviewSchema())
def preview_template(
    values: dict[str, Any], query: dict[str, Any], name: str, language: str
) -> dict[str, Any]:
    """Fill a template without sending it; nothing is stored."""
    sender = sender_of_address(query["sender"])
    template = template_at(sender, name, language)
    return shown(call_of(values, name, language), template)
