"""Where in a file a field stands: an editor or a CI log wants a line, and the parsers keep none.

JSON is walked; of TOML heads of tables and keys are read: what stands in an inline table has its line.
"""

import json
import re
from collections.abc import Mapping, Sequence

Path = tuple[str, ...]
Lines = Mapping[Path, int]

#: The fields of a template lie no deeper: `templates.0.buttons.2.url`.
_DEEPEST = 5
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_HEAD = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"\s*([\w.-]+)\s*=")


def line_of(lines: Lines, path: Path) -> int:
    """Of a value, or of what it would stand in."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def json_lines(text: str) -> Lines:
    """The line of each value of a document that is known to be JSON, by its keys and indices."""
    lines: dict[Path, int] = {}
    _walk(text, _skip(text, 0), (), lines)
    return lines


def _walk(text: str, at: int, path: Path, lines: dict[Path, int]) -> int:
    """Note the value that begins at `at`, and what is in it; answers where it ends."""
    lines[path] = text.count("\n", 0, at) + 1
    is_object = text[at] == "{"
    if text[at] not in "{[" or len(path) == _DEEPEST:
        return _DECODER.raw_decode(text, at)[1]
    at, index = _skip(text, at + 1), 0
    while text[at] not in "}]":
        key = str(index)
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        at = _skip(text, _walk(text, at, (*path, key), lines))
        at = _skip(text, at + 1) if text[at] == "," else at
        index += 1
    return at + 1


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def toml_lines(text: str) -> Lines:
    """The line of each table and key of a document that is known to be TOML, by keys and indices."""
    lines: dict[Path, int] = {(): 1}
    latest: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        head, key = _HEAD.match(line), _KEY.match(line)
        if head:
            table = _open(head[2].split("."), latest, is_element=head[1] == "[[")
            lines.setdefault(table, number)
            # Of an array of tables the first stands for all.
            lines.setdefault(table[:-1], number)
        elif key:
            lines.setdefault((*table, *key[1].split(".")), number)
    return lines


def _open(names: Sequence[str], latest: dict[Path, int], *, is_element: bool) -> Path:
    """The path of a table that opens; `latest`: the index of the last element of each array of tables."""
    path: Path = ()
    for place, name in enumerate(names, 1):
        path = (*path, name)
        if is_element and place == len(names):
            latest[path] = latest.get(path, -1) + 1
        if path in latest:
            path = (*path, str(latest[path]))
    return path
