"""A CSV file of consents, record by record: what each says, and where the next begins. Memory is bounded.

What is wrong with one line is its own mistake; what makes the rest unreadable ends the reading.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

COLUMNS = ("contact", "status", "categories", "source", "evidence", "at")
_NEEDED = ("contact", "status", "at")
_LONGEST_LINE = 64 * 1024
_BETWEEN_CATEGORIES = re.compile(r"[\s,;|]+")


class UnreadableFileError(Exception):
    """The text names the line and the mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record; `number` is its first line in the file."""

    number: int
    #: As the API takes it; empty when it has mistakes.
    entry: dict[str, Any] = field(default_factory=dict)
    #: By field, as the API answers them.
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    #: Where the next record begins, and the lines before it.
    end: int
    lines: int


class ConsentFile:
    """Reads from `file`, a binary one at its begin. Raises UnreadableFileError."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = _Lines(file)
        header = next(self._lines, "").removeprefix("\ufeff")
        #: Italian and German spreadsheets write `;`.
        self._delimiter = "," if "," in header else ";"
        self.columns = [name.strip(' "').lower() for name in header.strip().split(self._delimiter)]
        self._check_columns()

    def _check_columns(self) -> None:
        missing = [name for name in _NEEDED if name not in self.columns]
        unknown = [name for name in self.columns if name not in COLUMNS]
        if missing or unknown or len(set(self.columns)) < len(self.columns):
            raise UnreadableFileError(
                f"line 1: write the columns {','.join(COLUMNS)}, each once; needed are {', '.join(_NEEDED)}"
            )

    def go_on(self, offset: int, lines: int) -> None:
        """Skip to where a row ended."""
        self._lines.go_on(offset, lines)

    def __iter__(self) -> Iterator[Row]:
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while True:
            number = self._lines.number + 1
            try:
                cells = next(reader, None)
            except csv.Error as exc:
                raise UnreadableFileError(f"line {number}: {exc}; is a quotation mark not closed?") from exc
            if cells is None:
                return
            if any(cells):
                yield self._row(number, cells)

    def _row(self, number: int, cells: Sequence[str]) -> Row:
        mistakes = self._mistakes(cells)
        entry = {} if mistakes else _entry(dict(zip(self.columns, cells, strict=True)))
        return Row(
            number=number, entry=entry, mistakes=mistakes, end=self._lines.offset, lines=self._lines.number
        )

    def _mistakes(self, cells: Sequence[str]) -> dict[str, list[str]]:
        if len(cells) != len(self.columns):
            return {"line": [f"has {len(cells)} columns, and the first line has {len(self.columns)}"]}
        if any("\ud800" <= letter <= "\udfff" for cell in cells for letter in cell):
            return {"line": ["save the file as UTF-8"]}
        return {}


def _entry(values: dict[str, str]) -> dict[str, Any]:
    """Empty is not given."""
    given: dict[str, Any] = {name: text.strip() for name, text in values.items() if text.strip()}
    if "categories" in given:
        given["categories"] = [word for word in _BETWEEN_CATEGORIES.split(given["categories"]) if word]
    return given


class _Lines:
    """The lines of a file as text, and how far they were read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.offset = 0
        self.number = 0

    def go_on(self, offset: int, lines: int) -> None:
        self._file.seek(offset)
        self.offset, self.number = offset, lines

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self._file.readline(_LONGEST_LINE)
        if not raw:
            raise StopIteration
        if len(raw) == _LONGEST_LINE:
            raise UnreadableFileError(f"line {self.number + 1}: longer than {_LONGEST_LINE} bytes")
        self.offset += len(raw)
        self.number += 1
        return raw.decode("utf-8", "surrogateescape")
