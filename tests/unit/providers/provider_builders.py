"""Senders, routes and attempts for the providers' tests, and a client that answers as told."""

from datetime import UTC, datetime, timedelta, timezone

from shared.configuration import CmSender, MetaSender, Secret
from shared.domain.consent import Category
from shared.domain.identifiers import AttemptReference, ContactId, MessageId, PhoneNumber
from shared.domain.message import WhenOpen
from shared.domain.routes import Rule, SessionRoute, TemplateRoute
from shared.domain.session_content import Text
from shared.domain.template_call import TemplateCall
from shared.domain.templates import Approval, Gate, Template, TemplateId
from shared.providers.base import Outgoing
from shared.providers.cm.send import CmProvider
from shared.providers.meta.send import MetaProvider

COMMON = {
    "business": "default",
    "throughput_per_second": 80.0,
    "window_margin": timedelta(seconds=60),
    "when_open": WhenOpen.SESSION,
}
META = MetaSender(
    alias="shop",
    number=PhoneNumber("+31201234567"),
    base_url="https://graph.facebook.com/",
    phone_number_id="555000111222333",
    business_account_id="100200300400500",
    access_token=Secret("meta-token"),
    app_secrets=(Secret("s"),),
    verify_token=Secret("v"),
    api_version="v24.0",
    **COMMON,
)
CM = CmSender(
    alias="negozio",
    number=PhoneNumber("+31850000001"),
    base_url="https://gw.messaging.cm.com",
    product_token=Secret("cm-token"),
    webhook_tokens=(Secret("w"),),
    template_namespace="0a1b2c3d_0000_1111_2222_333344445555",
    batch_size=100,
    is_provider_approval_automatic=False,
    **COMMON,
)
#: 15:30:05 UTC, and not yet the next second.
EXPIRES_AT = datetime(2026, 11, 22, 16, 30, 5, 999_000, tzinfo=timezone(timedelta(hours=1)))


def session(content="Ciao Anna", reply_to=None):
    """A text, or any other content."""
    return SessionRoute(
        rule=Rule.WINDOW_OPEN,
        content=Text(content) if isinstance(content, str) else content,
        reply_to=reply_to,
        begin_before=datetime(2026, 11, 22, tzinfo=UTC),
    )


def template(body, *, header=None, buttons=(), category=Category.UTILITY, **values):
    """`template("Ciao {{1}}", **{"1": "Anna"})`."""
    return TemplateRoute(
        rule=Rule.WINDOW_CLOSED,
        call=TemplateCall(name="parcel_ready", language="it", values=values, header=header, buttons=buttons),
        template=Template(
            id=TemplateId("account", "parcel_ready", "it"),
            category=category,
            body=body,
            gates=dict.fromkeys(Gate, Approval.APPROVED),
            reasons={},
        ),
    )


def outgoing(route=None, to="+31600000001", message=0, attempt=1):
    return Outgoing(
        reference=AttemptReference(MessageId(f"msg_01JD{message:022d}"), attempt),
        to=ContactId(to),
        route=route or session(),
        expires_at=EXPIRES_AT,
    )


def provider(sender, client):
    """Of either kind, with one client for all that it calls."""
    return (MetaProvider if isinstance(sender, MetaSender) else CmProvider)(sender, client, client)


class ScriptedClient:
    """Stands in for HttpClient: gives the outcome it was made with and keeps the calls."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.calls = []

    def post(self, call):
        self.calls.append(call)
        return self.outcome
