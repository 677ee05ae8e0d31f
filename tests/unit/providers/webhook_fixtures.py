"""The recorded webhooks, what they mean, and what a careless provider might make of them."""

import copy
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from itertools import cycle
from pathlib import Path

from shared.domain.content import Content
from shared.domain.identifiers import AttemptReference, ContactId
from shared.domain.provider_errors import ErrorRow

FIXTURES = Path(__file__).parents[2] / "fixtures"
WRONG_VALUES = (
    None,
    True,
    7,
    -1,
    1.5,
    10**30,
    "",
    "zzz",
    "9" * 5000,
    "\ud83d",
    [],
    [[]],
    [None],
    {},
    {"a": {}},
)

_METADATA = {"display_phone_number": "31201234567", "phone_number_id": "555000111222333"}
_GOOD_META = {
    "messages": {
        "from": "31655555555",
        "id": "wamid.GOOD",
        "timestamp": "1790000000",
        "type": "text",
        "text": {"body": "good"},
    },
    "statuses": {
        "id": "wamid.GOOD",
        "status": "read",
        "timestamp": "1790000000",
        "recipient_id": "31655555555",
    },
    "calls": {
        "id": "wacid.GOOD",
        "from": "31655555555",
        "to": "31201234567",
        "event": "connect",
        "timestamp": "1790000000",
    },
    "user_preferences": {
        "wa_id": "31655555555",
        "category": "marketing_messages",
        "value": "stop",
        "timestamp": 1790000000,
    },
}
_GOOD_REPORT = {
    "received": "2026-01-31T10:15:30",
    "to": "0031655555555",
    "reference": "01JD00000000000000000000099",
    "status": {"code": "2", "errorCode": "", "errorDescription": ""},
}


def load(provider, name):
    return json.loads((FIXTURES / provider / f"{name}.json").read_text(encoding="utf-8"))


def names(provider):
    return sorted(path.stem for path in (FIXTURES / provider).glob("*.json"))


def expected(provider, name):
    """The events of a fixture as `dumped` writes them, put down by hand from the provider's reference."""
    return load(f"{provider}/expected", name)


def expectations(provider):
    return names(f"{provider}/expected")


def dumped(event):
    """An event as JSON: its fields by name, without those that are absent."""
    members = _plain(event)
    if "event" in members:  # of AccountChanged; here that is the name of the class
        members["account_event"] = members.pop("event")
    return {"event": type(event).__name__, **members}


def _plain(value):
    match value:
        case ContactId() | AttemptReference():
            return str(value)
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case ErrorRow():  # what its code means stands in test_error_tables.py
            return value.error_class.value
        case _ if is_dataclass(value):
            return _members(value)
        case _:
            return value


def _members(value):
    kind = {"content_type": type(value).__name__} if isinstance(value, Content) else {}
    members = {field.name: getattr(value, field.name) for field in fields(value)}
    return kind | {name: _plain(item) for name, item in members.items() if not _is_absent(item)}


def _is_absent(item):
    return item is None or item is False or item in ("", (), {})


def maimed(document, spared=()):
    """The document with each of its values taken away, and replaced by each wrong one.

    `spared`: paths of what stays as it is.
    """
    for path in _paths(document):
        if any(path[: len(whole)] == whole for whole in spared):
            continue
        yield path, _without(document, path)
        for wrong in WRONG_VALUES:
            yield path, _with(document, path, wrong)


def maimed_once(document):
    """The document with each of its values taken away, and replaced by one of the wrong ones in turn."""
    for path, wrong in zip(_paths(document), cycle(WRONG_VALUES)):
        yield path, _without(document, path)
        yield path, _with(document, path, wrong)


def with_neighbours(provider, document):
    """The document with good updates beside its own; and where each stands, by what was added for it.

    For Meta: one in the list of the update itself, one in a change and one in an entry of their own. For
    CM.com, whose messages come alone: one in the list of reports.
    """
    together = copy.deepcopy(document)
    return together, _NEIGHBOURS[provider](together)


def is_shared(path, place):
    """Whether the neighbour at `place` goes with what is at `path`.

    A list or object that holds both, or what stands around both and says which number of ours is meant.
    """
    around = ((*place[:5], "metadata"), (*place[:4], "field"))
    return place[: len(path)] == path or any(path[: len(shared)] == shared for shared in around)


def _beside_meta(document):
    entries = document["entry"]
    changes = entries[0]["changes"]
    value = changes[0]["value"]
    added = {}
    for name, good in _GOOD_META.items():
        if isinstance(value.get(name), list):
            value[name].append(good)
            place = ("entry", 0, "changes", 0, "value", name, len(value[name]) - 1)
            added[place] = place
    changes.append(_good_change())
    entries.append({"id": "100200300400500", "changes": [_good_change()]})
    change = ("entry", 0, "changes", len(changes) - 1)
    entry = ("entry", len(entries) - 1)
    added[change] = (*change, "value", "messages", 0)
    added[entry] = (*entry, "changes", 0, "value", "messages", 0)
    return added


def _good_change():
    return {
        "field": "messages",
        "value": {"metadata": dict(_METADATA), "messages": [dict(_GOOD_META["messages"])]},
    }


def _beside_cm(document):
    outer = next((key for key in document if key.casefold() == "messages"), None)
    if outer is None or not isinstance(document[outer], dict):
        return {}
    inner = next((key for key in document[outer] if key.casefold() == "msg"), None)
    if inner is None:
        return {}
    reports = document[outer][inner]
    document[outer][inner] = [*(reports if isinstance(reports, list) else [reports]), _GOOD_REPORT]
    place = (outer, inner, len(document[outer][inner]) - 1)
    return {place: place}


def _paths(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*path, key)
        yield from _paths(below, (*path, key))


def _without(document, path):
    changed = copy.deepcopy(document)
    del _parent(changed, path)[path[-1]]
    return changed


def _with(document, path, value):
    changed = copy.deepcopy(document)
    _parent(changed, path)[path[-1]] = value
    return changed


def _parent(document, path):
    for key in path[:-1]:
        document = document[key]
    return document


_NEIGHBOURS = {"meta": _beside_meta, "cm": _beside_cm}
