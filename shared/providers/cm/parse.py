"""CM.com's webhook JSON as events: inbound messages and status reports, told apart by their shape.

CM.com, "Incoming messages" and "Incoming status report", read 2026-11. Tolerant: what cannot be read is set
aside, and its neighbours are not.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.domain.events import ProviderEvent
from shared.providers.cm.messages import read_message
from shared.providers.cm.statuses import read_status
from shared.providers.cm.wire import member, member_object
from shared.providers.reading import UnreadableError, set_aside


def parse(document: Any, received_at: datetime) -> list[ProviderEvent]:  # noqa: ANN401 - it may be anything
    """The events of one POST. `received_at`: aware UTC, when it came in."""
    if not isinstance(document, dict):
        return [set_aside("not_an_object", document)]
    if member(document, "message") is not None:
        return [_read_message(document)]
    report = member(member_object(document, "messages"), "msg")
    if report is not None:
        return list(_read_statuses(report, received_at))
    reason = "event" if member(document, "event") is not None else "unknown_shape"
    return [set_aside(reason, document)]


def _read_message(document: Mapping[str, Any]) -> ProviderEvent:
    try:
        return read_message(document)
    except UnreadableError as exc:
        return set_aside(str(exc), document)


def _read_statuses(documented: object, received_at: datetime) -> Iterator[ProviderEvent]:
    """`msg` is documented as one object; an array is read as well, an empty one as a report that is none."""
    for report in documented if isinstance(documented, list) and documented else [documented]:
        try:
            yield read_status(report, received_at)
        except UnreadableError as exc:
            yield set_aside(str(exc), {"messages": {"msg": [report]}})
