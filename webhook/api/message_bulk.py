"""`/v1/messages/cancel` and `/retry`: what a person does with all messages that fit, a part a call."""

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from shared.schemas.message_change import (
    BULK_CANCEL_EXAMPLE,
    BULK_RETRY_EXAMPLE,
    BulkAnswerSchema,
    BulkCancelSchema,
    BulkChange,
    BulkRetrySchema,
)
from shared.store.changes import Change, Changed, Retry
from shared.store.listing import Found, Page
from webhook.api.blueprint import OF_A_SENDER, Blueprint
from webhook.api.context import deps
from webhook.api.own_messages import businesses, hand, keep_deed, own_filter, parse_place, place_text

blueprint = Blueprint("message_bulk", __name__, description="What people do with many messages.")


@blueprint.route("/v1/messages/cancel", methods=["POST"])
@blueprint.guarded("messages", problems=OF_A_SENDER)
@blueprint.body(BulkCancelSchema(), example=BULK_CANCEL_EXAMPLE)
@blueprint.response(HTTPStatus.OK, BulkAnswerSchema())
def cancel_messages(asked: BulkChange) -> dict[str, Any]:
    """Stop all that fit and have not left, the oldest first; go on with `next` until it is null."""
    page = _page(asked)
    changed = []
    for business, found in _by_business(asked, page):
        ids = [each.record.id for each in found]
        theirs = deps().changes.cancel(business, ids, hand=hand(), now=deps().clock.now())
        _keep(business, "cancel", asked, theirs)
        changed += theirs
    return _answer(page, changed)


@blueprint.route("/v1/messages/retry", methods=["POST"])
@blueprint.guarded("messages", problems=OF_A_SENDER)
@blueprint.body(BulkRetrySchema(), example=BULK_RETRY_EXAMPLE)
@blueprint.response(HTTPStatus.OK, BulkAnswerSchema())
def retry_messages(asked: BulkChange) -> dict[str, Any]:
    """Send all again that fit, in the order they were accepted; go on with `next` until it is null."""
    page = _page(asked)
    changed = []
    for business, found in _by_business(asked, page):
        theirs = _retry(business, found, asked)
        _keep(business, "retry", asked, theirs)
        changed += theirs
    return _answer(page, changed)


def _retry(business: str, found: Sequence[Found], asked: BulkChange) -> list[Changed]:
    now = deps().clock.now()
    retry = Retry(
        nonce=deps().new_nonce(),
        expires_at=None if asked.expires_in is None else now + asked.expires_in,
        accepts_duplicate=asked.accept_duplicate,
    )
    messages = [(each.record.id, each.record.request) for each in found]
    changed = deps().changes.retry(business, messages, retry, hand=hand(), now=now)
    rung = {each.record.request.sender for each, c in zip(found, changed, strict=True) if c.must_ring}
    for alias in rung:
        sender = deps().sender(alias)
        if sender is not None:
            deps().ring(sender)
    return changed


def _page(asked: BulkChange) -> Page:
    wanted = own_filter(
        app=asked.app,
        sender=asked.sender,
        states=asked.states,
        reference=asked.reference,
        reason=asked.reason,
        code=asked.code,
    )
    place = parse_place(asked.after)
    return deps().listing.page(businesses(), wanted, after=place, limit=asked.limit, oldest_first=True)


def _by_business(asked: BulkChange, page: Page) -> list[tuple[str, list[Found]]]:
    """In the order of acceptance, which the ids carry; nothing in a dry run."""
    found: dict[str, list[Found]] = {}
    for each in sorted(page.found, key=lambda each: each.record.id.value):
        found.setdefault(each.business, []).append(each)
    return [] if asked.dry_run else list(found.items())


def _keep(business: str, action: str, asked: BulkChange, changed: Sequence[Changed]) -> None:
    done = sum(each.change is Change.DONE for each in changed)
    details = {"matched": len(changed), "accept_duplicate": asked.accept_duplicate}
    keep_deed(business, action, done=done, named=asked.named(), details=details)


def _answer(page: Page, changed: Sequence[Changed]) -> dict[str, Any]:
    refused = Counter(
        f"{each.change}:{each.state}" if each.state else each.change.value
        for each in changed
        if each.change is not Change.DONE
    )
    return {
        "matched": len(page.found),
        "done": len(changed) - refused.total(),
        "refused": dict(refused),
        "next": place_text(page.next),
    }
