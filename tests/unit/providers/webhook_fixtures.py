"""The recorded webhooks, and what a careless provider might make of them."""

import copy
import json
from pathlib import Path

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


def load(provider, name):
    return json.loads((FIXTURES / provider / f"{name}.json").read_text(encoding="utf-8"))


def names(provider):
    return sorted(path.stem for path in (FIXTURES / provider).glob("*.json"))


def maimed(document):
    """The document with each of its values taken away, and replaced by each wrong one."""
    for path in _paths(document):
        yield path, _without(document, path)
        for wrong in WRONG_VALUES:
            yield path, _with(document, path, wrong)


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
