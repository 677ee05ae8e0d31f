"""Checks at the providers: are the credentials good, may the number send, do webhooks come.

Only reads that the providers document (reference meta 3.5 and 6.7). CM.com documents none for credentials or
templates (reference cm 7), and the list of Meta's subscriptions is none that we have a text for.
"""

from collections.abc import Iterator
from datetime import timedelta

from cli.doctor_clock import Reading as ClockReading
from cli.doctor_clock import check_clock, now
from cli.findings import Finding, error, ok, unchecked, warning
from shared.configuration import AnySender, CmSender
from shared.deps import Deps
from shared.domain.retry import ErrorClass
from shared.providers.base import Rejected
from shared.providers.meta.numbers import NumberStanding
from shared.store.metrics import Reading

_WHOLE_SECONDS = timedelta(seconds=1)
#: Not the credentials: nobody answered, or not now.
_PASSING = {ErrorClass.RETRY, ErrorClass.THROTTLE, ErrorClass.IN_DOUBT}


def check_provider(deps: Deps, sender: AnySender) -> Iterator[Finding]:
    if isinstance(sender, CmSender):
        seen = "CM.com documents no call that reads an account and sends nothing"
        yield unchecked("credentials", seen, about=sender.alias)
        return
    asked_at = now()
    standing = deps.meta_numbers[sender.alias].standing()
    if isinstance(standing, Rejected):
        yield _refused("credentials", standing, "access_token and phone_number_id", sender)
    else:
        yield check_standing(standing, about=sender.alias)
        if standing.told_at is not None:
            told, answered_at = standing.told_at, now()
            reading = ClockReading(asked_at=asked_at, told=told, answered_at=answered_at, step=_WHOLE_SECONDS)
            yield check_clock(reading, "Meta", about=sender.alias)
    page = deps.meta_templates[sender.alias].page()
    if isinstance(page, Rejected):
        todo = "business_account_id and the permission whatsapp_business_management"
        yield _refused("template_api", page, todo, sender)
    else:
        yield ok("template_api", "the list of templates can be read", about=sender.alias)


def check_standing(standing: NumberStanding, *, about: str) -> Finding:
    told = {"quality": standing.quality, "limit": standing.limit, "throughput": standing.throughput}
    seen = ", ".join(
        [
            f"token good, can send: {standing.can_send or 'not said'}",
            *(f"{k} {v}" for k, v in told.items() if v),
        ]
    )
    todo = "look at the number in WhatsApp Manager: Meta says there what hinders it"
    match standing.can_send:
        case "BLOCKED":
            return error("credentials", seen, todo, about=about)
        case "LIMITED":
            return warning("credentials", seen, todo, about=about)
        case _:
            return ok("credentials", seen, about=about)


def check_webhooks(sender: AnySender, reading: Reading) -> Finding:
    """No call that we know tells what is subscribed: an open window says that something came lately."""
    counted = reading["inbound_messages_total"]
    heard = int(sum(count for (alias, *_), count in counted.items() if alias == sender.alias))
    windows = int(reading["windows_open"].get((sender.alias,), 0))
    posts = reading["webhooks_total"]
    recorded, refused = (int(posts.get((sender.alias, how), 0)) for how in ("recorded", "refused"))
    seen = (
        f"{recorded} recorded, {refused} refused; {heard} messages of contacts came, {windows} windows open"
    )
    if windows:
        return ok("webhooks", seen, about=sender.alias)
    if refused:
        todo = "are they the provider's, its secret or token is not ours; see FinestraWebhooksRefused"
        return warning("webhooks", seen, todo, about=sender.alias)
    todo = f"write to the number from a phone. Nothing comes: {_how_to_subscribe(sender)}"
    return warning("webhooks", seen, todo, about=sender.alias)


def _how_to_subscribe(sender: AnySender) -> str:
    if isinstance(sender, CmSender):
        return f"set its webhook at CM.com to /webhooks/{sender.alias}/TOKEN, one of its webhook_token"
    return (
        f"set its webhook to /webhooks/{sender.alias} and subscribe the app to the business account and to "
        "the field messages"
    )


def _refused(check: str, refused: Rejected, what: str, sender: AnySender) -> Finding:
    """The code alone: the provider's words may hold anything."""
    seen = f"refused: {refused.code}"
    if refused.row.error_class in _PASSING:
        return warning(check, seen, f"{refused.row.advice} Then ask again.", about=sender.alias)
    return error(check, seen, f"check {what}. {refused.row.advice}", about=sender.alias)
