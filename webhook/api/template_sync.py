"""`/v1/templates/sync`: read the provider's list now, and see how the last reading went."""

from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.configuration import AnySender, MetaSender
from shared.problems import Code
from shared.schemas.consent import SenderQuerySchema
from shared.schemas.template_history import SyncListSchema, SyncSchema
from shared.store.template_sync import SyncReport
from shared.template_sync import sync_templates
from webhook.api.auth import own_senders, sender_of_address
from webhook.api.blueprint import OF_A_SENDER, Blueprint
from webhook.api.context import deps
from webhook.api.deeds import note_deed
from webhook.errors import ProblemError

blueprint = Blueprint("template_sync", __name__, description="The provider's own list of templates.")


@blueprint.route("/v1/templates/sync", methods=["POST"])
@blueprint.guarded("templates", problems=(*OF_A_SENDER, Code.UNSUPPORTED_BY_PROVIDER))
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, SyncSchema())
def sync_now(query: dict[str, Any]) -> dict[str, Any]:
    """Read the list of a sender's account now; it is read every 15 minutes besides."""
    sender = sender_of_address(query["sender"])
    if not isinstance(sender, MetaSender):
        raise ProblemError(
            Code.UNSUPPORTED_BY_PROVIDER,
            "CM.com has no list of templates that is known: record its decisions with approval.",
        )
    report = sync_templates(deps(), sender)
    note_deed(sender.business, "template.sync", done=report.changed, details={"sender": sender.alias})
    return _view(sender, report)


@blueprint.route("/v1/templates/sync")
@blueprint.guarded("templates:read", "templates", problems=OF_A_SENDER)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, SyncListSchema())
def list_syncs(query: dict[str, Any]) -> dict[str, Any]:
    """How the last reading of each account went that the key may use."""
    senders = own_senders() if query["sender"] is None else [sender_of_address(query["sender"])]
    first = {(one.business, one.account): one for one in reversed(senders) if isinstance(one, MetaSender)}
    reports = [(one, deps().template_sync.report(*place)) for place, one in reversed(first.items())]
    return {"items": [_view(one, report) for one, report in reports if report is not None], "next": None}


def _view(sender: AnySender, report: SyncReport) -> dict[str, Any]:
    complete_at = report.started_at if report.failed_with is None else report.complete_at
    return {
        "sender": sender.alias,
        "account": sender.account,
        "started_at": rfc3339(report.started_at),
        "ended_at": rfc3339(report.ended_at),
        "complete_at": rfc3339(complete_at) if complete_at else None,
        "failed_with": report.failed_with,
        "advice": report.advice,
        "listed": report.listed,
        "imported": report.imported,
        "changed": report.changed,
        "unread": [
            {"name": one.name, "language": one.language, "reason": one.reason} for one in report.unread
        ],
    }
