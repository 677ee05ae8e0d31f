"""Meta's webhook JSON as events. Tolerant: what cannot be read is set aside, and its neighbours are not.

Meta, "Webhooks" reference pages, read 2025-10 to 2026-09. Which updates count for windows is not known here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from shared.domain.events import ProviderEvent, UpdateNoted
from shared.providers.meta.accounts import ACCOUNT_TOPICS, read_account, read_error
from shared.providers.meta.calls import read_call
from shared.providers.meta.envelope import Envelope
from shared.providers.meta.messages import read_message
from shared.providers.meta.preferences import read_preference
from shared.providers.meta.statuses import read_status
from shared.providers.meta.template_events import (
    read_template_category,
    read_template_content,
    read_template_quality,
    read_template_status,
)
from shared.providers.reading import UnreadableError, set_aside, text_at

_Reader = Callable[[Mapping[str, Any], Envelope], ProviderEvent]

#: Fields whose value holds lists of updates, by the name of each list.
_LISTS: Mapping[str, Mapping[str, _Reader]] = {
    "messages": {"messages": read_message, "statuses": read_status, "errors": read_error},
    "calls": {"calls": read_call},
    "user_preferences": {"user_preferences": read_preference},
}
#: Fields whose value is one update.
_VALUES: Mapping[str, _Reader] = {
    "message_template_status_update": read_template_status,
    "message_template_quality_update": read_template_quality,
    "template_category_update": read_template_category,
    "message_template_components_update": read_template_content,
    **{topic: partial(read_account, topic) for topic in ACCOUNT_TOPICS},
}
#: Fields that tell what we, or others in our name, said and did.
_NOTED: Mapping[str, str] = {
    "history": "history",
    "smb_message_echoes": "message_echo",
    "message_echoes": "message_echo",
}


def parse(document: Any, received_at: datetime) -> list[ProviderEvent]:  # noqa: ANN401, ARG001
    """The events of one POST. `received_at` is for CM.com; here every update has a time of its own."""
    if not isinstance(document, dict):
        return [set_aside("not_an_object", document)]
    entries = document.get("entry")
    if not isinstance(entries, list):
        return [set_aside("no_entry", document)]
    return [event for entry in entries for event in _read_entry(entry)]


def _read_entry(entry: Any) -> list[ProviderEvent]:  # noqa: ANN401 - not looked at yet
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list):
        return [set_aside("no_changes", {"entry": [entry]})]
    return [event for change in changes for event in _read_change(entry, change)]


def _read_change(entry: Mapping[str, Any], change: Any) -> list[ProviderEvent]:  # noqa: ANN401 - as above
    field = text_at(change, "field") if isinstance(change, dict) else None
    value = change.get("value") if isinstance(change, dict) else None
    if field is None or not isinstance(value, dict):
        return [set_aside("no_value", _document(entry, change))]
    if field in _LISTS:
        return _read_lists(entry, field, value)
    if field in _NOTED:
        return [UpdateNoted(kind=_NOTED[field])]
    return [_read_value(entry, field, value)]


def _read_lists(entry: Mapping[str, Any], field: str, value: Mapping[str, Any]) -> list[ProviderEvent]:
    """A value of messages holds messages, statuses or errors; which, its keys say."""
    readers = _LISTS[field]
    if not any(name in value for name in readers):
        return [set_aside("no_update", _document(entry, {"field": field, "value": value}))]
    envelope = Envelope.around(entry, value)
    events: list[ProviderEvent] = []
    for name, reader in readers.items():
        updates = value.get(name, ())
        # A lone update instead of a list is kept with the rest.
        for update in updates if isinstance(updates, list | tuple) else [updates]:
            try:
                if not isinstance(update, dict):
                    raise UnreadableError("not_an_object")  # noqa: TRY301 - like all that cannot be read
                events.append(reader(update, envelope))
            except UnreadableError as exc:
                alone = _alone(field, value, name, update, envelope)
                events.append(set_aside(str(exc), _document(entry, alone)))
    return events


def _read_value(entry: Mapping[str, Any], field: str, value: Mapping[str, Any]) -> ProviderEvent:
    # The page of quality updates prints the field of status updates: the keys tell them apart.
    is_quality = field == "message_template_status_update" and "new_quality_score" in value
    reader = read_template_quality if is_quality else _VALUES.get(field)
    try:
        if reader is None:
            raise UnreadableError(_field_reason(field))  # noqa: TRY301 - as above
        return reader(value, Envelope.around(entry, value))
    except UnreadableError as exc:
        return set_aside(str(exc), _document(entry, {"field": field, "value": value}))


def _field_reason(field: str) -> str:
    """`field:group_update`; the reason stands in lists and logs, so no odd text gets into it."""
    longest = 64
    return f"field:{field}" if field.isidentifier() and len(field) <= longest else "field:odd"


def _document(entry: Mapping[str, Any], change: object) -> dict[str, Any]:
    """One update as a document of its own, so that a later version can read it again."""
    return {"entry": [{"id": entry.get("id"), "time": entry.get("time"), "changes": [change]}]}


def _alone(
    field: str, value: Mapping[str, Any], name: str, update: object, envelope: Envelope
) -> dict[str, Any]:
    """The change with this update only, and with those of many contacts that it needs."""
    rest = {key: item for key, item in value.items() if key not in _LISTS[field]}
    if "contacts" in rest:
        rest["contacts"] = envelope.people.beside(update)
    return {"field": field, "value": {**rest, name: [update]}}
