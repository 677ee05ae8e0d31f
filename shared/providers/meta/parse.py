"""Meta's webhook JSON as events. Tolerant: what cannot be read is set aside, and its neighbours are not.

Meta, "Webhooks" reference pages, read 2025-10 to 2026-09. Which updates count for windows is not known here.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.domain.events import ProviderEvent
from shared.providers.meta.messages import read_message
from shared.providers.meta.statuses import read_status
from shared.providers.meta.template_events import read_template_status
from shared.providers.reading import UnreadableError, object_at, set_aside, text_at

_LISTS = ("messages", "statuses", "errors")
_Reader = Callable[[Mapping[str, Any], str], ProviderEvent]
_READERS: Mapping[str, _Reader] = {"messages": read_message, "statuses": read_status}


def parse(document: Any, received_at: datetime) -> list[ProviderEvent]:  # noqa: ANN401, ARG001
    """The events of one POST. `received_at` is for CM.com; here every update has a time of its own."""
    if not isinstance(document, dict):
        return [set_aside("not_an_object", document)]
    entries = document.get("entry")
    if not isinstance(entries, list):
        return [set_aside("no_entry", document)]
    return [event for entry in entries for event in _read_entry(entry)]


def _read_entry(entry: Any) -> Iterator[ProviderEvent]:  # noqa: ANN401 - not looked at yet
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list):
        yield set_aside("no_changes", {"entry": [entry]})
        return
    for change in changes:
        yield from _read_change(entry, change)


def _read_change(entry: Mapping[str, Any], change: Any) -> Iterator[ProviderEvent]:  # noqa: ANN401 - as above
    field = text_at(change, "field") if isinstance(change, dict) else None
    value = change.get("value") if isinstance(change, dict) else None
    if field is None or not isinstance(value, dict):
        yield set_aside("no_value", _envelope(entry, change))
    elif field == "messages":
        yield from _read_messages(entry, value)
    elif field == "message_template_status_update" and "new_quality_score" not in value:
        yield _read_template(entry, change, value)
    else:
        # The page of quality updates prints the field of status updates: the keys tell them apart.
        name = "message_template_quality_update" if "new_quality_score" in value else field
        yield set_aside(_field_reason(name), _envelope(entry, change))


def _read_messages(entry: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[ProviderEvent]:
    """A value holds messages, statuses or errors; which, its keys say."""
    if not any(name in value for name in _LISTS):
        yield set_aside("no_update", _envelope(entry, {"field": "messages", "value": value}))
    recipient = text_at(object_at(value, "metadata"), "phone_number_id")
    for name in _LISTS:
        updates = value.get(name, ())
        # A lone update instead of a list is kept with the rest.
        for update in updates if isinstance(updates, list | tuple) else [updates]:
            try:
                yield _read_update(name, update, recipient)
            except UnreadableError as exc:
                yield set_aside(str(exc), _envelope(entry, _around(value, name, update)))


def _read_update(name: str, update: Any, recipient: str | None) -> ProviderEvent:  # noqa: ANN401 - as above
    if name not in _READERS:
        raise UnreadableError("account_error")
    if not isinstance(update, dict):
        raise UnreadableError("not_an_object")
    if recipient is None:
        raise UnreadableError("no_recipient")
    return _READERS[name](update, recipient)


def _read_template(entry: Mapping[str, Any], change: Any, value: Mapping[str, Any]) -> ProviderEvent:  # noqa: ANN401
    try:
        return read_template_status(value, text_at(entry, "id"))
    except UnreadableError as exc:
        return set_aside(str(exc), _envelope(entry, change))


def _field_reason(field: str) -> str:
    """`field:account_update`; the reason is a label, so no odd text gets into it."""
    longest = 64
    return f"field:{field}" if field.isidentifier() and len(field) <= longest else "field:odd"


def _envelope(entry: Mapping[str, Any], change: object) -> dict[str, Any]:
    """One update as a document of its own, so that a later version can read it again."""
    return {"entry": [{"id": entry.get("id"), "time": entry.get("time"), "changes": [change]}]}


def _around(value: Mapping[str, Any], name: str, update: object) -> dict[str, Any]:
    rest = {key: item for key, item in value.items() if key not in _LISTS}
    return {"field": "messages", "value": {**rest, name: [update]}}
