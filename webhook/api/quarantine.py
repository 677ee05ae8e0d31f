"""`/v1/quarantine`: what could not be read. People list it, show it, replay it after a mend, remove it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any

from shared.clock import rfc3339
from shared.configuration import AnySender
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.providers.cm.parse import parse as parse_cm
from shared.providers.meta.parse import parse as parse_meta
from shared.schemas.consent import SenderQuerySchema
from shared.schemas.quarantine import (
    EXAMPLE,
    ID_PATTERN,
    EntryListSchema,
    EntrySchema,
    Outcome,
    QuarantineQuerySchema,
    RawEntrySchema,
    ReplayListSchema,
    ReplayRequestSchema,
    ReplaySchema,
)
from shared.store.quarantine import Entry, RawEntry
from webhook.api.auth import sender_of_address, sender_of_body
from webhook.api.blueprint import OF_A_SENDER, Blueprint
from webhook.api.context import caller, deps
from webhook.api.deeds import note_deed
from webhook.errors import ProblemError
from webhook.receiver.recording import Parse, replay_body

blueprint = Blueprint("quarantine", __name__, description="What came in and could not be read.")

_PARSERS: Mapping[str, Parse] = {"meta": parse_meta, "cm": parse_cm}
_REFUSALS = (*OF_A_SENDER, Code.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whose entries: of a business, all of them or those of one sender."""

    business: str
    sender: str | None


@blueprint.route("/v1/quarantine")
@blueprint.guarded("admin", problems=OF_A_SENDER)
@blueprint.arguments(QuarantineQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, EntryListSchema())
def list_entries(query: dict[str, Any]) -> dict[str, Any]:
    """List what could not be read, without its text."""
    scope = _scope(query["sender"], sender_of_address)
    page = deps().quarantine.page(
        scope.business,
        before=query["before"],
        limit=query["limit"],
        reason=query["reason"],
        sender=scope.sender,
    )
    return {"items": [_view(entry) for entry in page.entries], "next": page.next}


@blueprint.route("/v1/quarantine/replay", methods=["POST"])
@blueprint.guarded("admin", problems=(Code.SENDER_NOT_ALLOWED,))
@blueprint.body(ReplayRequestSchema(), example=EXAMPLE)
@blueprint.response(HTTPStatus.OK, ReplayListSchema())
def replay_entries(asked: dict[str, Any]) -> dict[str, Any]:
    """Read again what could not be read, the oldest first; `next` is null when all has been tried."""
    scope = _scope(asked["sender"], sender_of_body)
    entries = deps().quarantine.oldest_first(
        scope.business, after=asked["after"], reason=asked["reason"], sender=scope.sender
    )
    items = [_replay(scope.business, entry) for entry in islice(entries, asked["limit"])]
    has_more = next(entries, None) is not None
    return {"items": items, "next": items[-1]["id"] if has_more else None}


@blueprint.route("/v1/quarantine/<entry_id>")
@blueprint.guarded("admin", problems=_REFUSALS)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, RawEntrySchema())
def show_entry(query: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """Show an entry with its text."""
    business, entry = _find(query["sender"], entry_id)
    note_deed(business, "quarantine.show", details=_deed_of(entry))
    return {**_view(entry), "raw": entry.raw}


@blueprint.route("/v1/quarantine/<entry_id>", methods=["DELETE"])
@blueprint.guarded("admin", problems=_REFUSALS)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, EntrySchema())
def delete_entry(query: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """Remove an entry for good; the answer says what it was."""
    business, entry = _find(query["sender"], entry_id)
    deps().quarantine.remove(business, entry.id)
    note_deed(business, "quarantine.delete", details=_deed_of(entry))
    get_logger().warning(LogEvent.QUARANTINE_REMOVED, **_named(entry))
    return _view(entry)


@blueprint.route("/v1/quarantine/<entry_id>/replay", methods=["POST"])
@blueprint.guarded("admin", problems=_REFUSALS)
@blueprint.arguments(SenderQuerySchema(), location="query")
@blueprint.response(HTTPStatus.OK, ReplaySchema())
def replay_entry(query: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """Read an entry again: it leaves the quarantine when all of it is recorded."""
    return _replay(*_find(query["sender"], entry_id))


def _replay(business: str, entry: RawEntry) -> dict[str, Any]:
    outcome, updates, reason = _try(business, entry)
    note_deed(business, "quarantine.replay", details={**_deed_of(entry), "outcome": outcome})
    get_logger().info(
        LogEvent.QUARANTINE_REPLAYED, **_named(entry), outcome=outcome, updates=updates, still=reason
    )
    return {"id": entry.id, "outcome": outcome, "updates": updates, "reason": reason}


def _try(business: str, entry: RawEntry) -> tuple[Outcome, dict[str, int], str | None]:
    """Record first, then remove: what stops in between is replayed once more, which changes nothing."""
    sender = deps().sender(entry.sender)
    if sender is None or sender.business != business:
        return Outcome.SENDER_GONE, {}, entry.reason
    if entry.is_cut:
        return Outcome.CUT, {}, entry.reason
    parse = _PARSERS[sender.provider]
    replayed = replay_body(deps(), sender, entry.raw.encode(), parse, received_at=entry.at)
    if replayed.reason is not None:
        return Outcome.SET_ASIDE_AGAIN, dict(replayed.updates), replayed.reason
    deps().quarantine.remove(business, entry.id)
    return Outcome.RECORDED, dict(replayed.updates), None


def _find(alias: str | None, entry_id: str) -> tuple[str, RawEntry]:
    """The entry with its business, which `?sender=` picks where there are several."""
    business = _scope(alias, sender_of_address).business
    is_id = re.fullmatch(ID_PATTERN, entry_id)
    entry = deps().quarantine.get(business, entry_id) if is_id else None
    if entry is None or not caller().may_use(entry.sender):
        raise ProblemError(Code.NOT_FOUND, "Nothing of this id is in the quarantine, or not any more.")
    return business, entry


def _scope(alias: str | None, choose: Callable[[str | None], AnySender]) -> _Scope:
    """What came for a sender that is configured no more is seen where no sender has to be named."""
    businesses = {sender.business for sender in deps().settings.configuration.senders.values()}
    if alias is None and not caller().senders and len(businesses) == 1:
        return _Scope(businesses.pop(), None)
    sender = choose(alias)
    return _Scope(sender.business, sender.alias)


def _view(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "sender": entry.sender,
        "reason": entry.reason,
        "bytes": entry.size_bytes,
        "cut": entry.is_cut,
    }


def _named(entry: Entry) -> dict[str, str]:
    """An entry in the log, and who asked. Its id would be masked as a number: its time tells which it was."""
    return {
        "app": caller().name,
        "sender": entry.sender,
        "came_at": rfc3339(entry.at),
        "reason": entry.reason,
    }


def _deed_of(entry: Entry) -> dict[str, str]:
    return {"id": entry.id, "sender": entry.sender, "reason": entry.reason}
