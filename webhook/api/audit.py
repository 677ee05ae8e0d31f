"""`/v1/audit`: who did what by hand."""

from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.problems import Code
from shared.schemas.audit import AuditListSchema, AuditQuerySchema
from shared.store.audit import Deed
from webhook.api.blueprint import Blueprint
from webhook.api.context import deps
from webhook.api.own_messages import businesses
from webhook.errors import ProblemError

blueprint = Blueprint("audit", __name__, description="Who did what by hand.")


@blueprint.route("/v1/audit")
@blueprint.guarded("admin")
@blueprint.arguments(AuditQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, AuditListSchema())
def list_deeds(query: dict[str, Any]) -> dict[str, Any]:
    """List who did what by hand, newest first."""
    page = deps().audit.page(_business(query["business"]), after=query["after"], limit=query["limit"])
    return {"items": [_view(entry_id, deed) for entry_id, deed in page.deeds], "next": page.next}


def _business(asked: str | None) -> str:
    own = businesses()
    if asked is None and len(own) == 1:
        return own[0]
    if asked not in own:
        errors = {"business": [f"one of {', '.join(own)}"]}
        raise ProblemError(Code.INVALID_REQUEST, "See errors.", errors=errors)
    return asked


def _view(entry_id: str, deed: Deed) -> dict[str, Any]:
    return {
        "id": entry_id,
        "at": rfc3339(deed.at),
        "app": deed.app,
        "request_id": deed.request_id,
        "action": deed.action,
        "message_id": deed.message_id,
        "filter": deed.filter,
        "done": deed.done,
        "details": dict(deed.details),
    }
