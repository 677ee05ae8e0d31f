"""How far an import has come, beside its file: written after every answer, so that it survives any end.

What was recorded and not noted is sent again, which changes nothing; a refusal is never listed twice,
because the report is cut back to what was noted.
"""

import csv
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import BinaryIO

_REPORT_COLUMNS = ("line", "field", "mend")
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    #: Of the file, the sender and the address: anything else is another import.
    fingerprint: str
    #: The next record begins here, and as many lines are before it; 0: the first one.
    offset: int = 0
    lines: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    report_bytes: int = 0
    version: int = _VERSION

    def after(self, *, offset: int, lines: int, results: dict[str, int], report_bytes: int) -> "Progress":
        names = {*self.counts, *results}
        counts = {name: self.counts.get(name, 0) + results.get(name, 0) for name in sorted(names)}
        return replace(self, offset=offset, lines=lines, counts=counts, report_bytes=report_bytes)


class Notes:
    """The two files beside the one that is imported."""

    def __init__(self, source: Path) -> None:
        self.progress_path = source.with_name(source.name + ".progress")
        self.report_path = source.with_name(source.name + ".refused.csv")

    def load(self, fingerprint: str) -> Progress:
        """Where the same import was, or its begin."""
        try:
            stored = Progress(**json.loads(self.progress_path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            stored = Progress(fingerprint="")
        progress = stored if stored.fingerprint == fingerprint else Progress(fingerprint=fingerprint)
        self._cut_report(progress.report_bytes)
        return progress

    def _cut_report(self, size: int) -> None:
        if not size:
            self.report_path.unlink(missing_ok=True)
        elif self.report_path.exists():
            os.truncate(self.report_path, size)

    def report(self, refused: Iterable[tuple[int, dict[str, list[str]]]]) -> int:
        """List what was refused, by line; how large the report is now."""
        rows = [
            (number, name, text)
            for number, errors in refused
            for name, texts in errors.items()
            for text in texts
        ]
        if not rows:
            return self.report_path.stat().st_size if self.report_path.exists() else 0
        lines = StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        if not self.report_path.exists():
            writer.writerow(_REPORT_COLUMNS)
        writer.writerows(rows)
        with self.report_path.open("ab") as report:
            report.write(lines.getvalue().encode())
            report.flush()
            os.fsync(report.fileno())
            return report.tell()

    def save(self, progress: Progress) -> None:
        """All of it or nothing, whenever the power goes."""
        new = self.progress_path.with_name(self.progress_path.name + ".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(asdict(progress), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.progress_path)

    def done(self) -> None:
        self.progress_path.unlink(missing_ok=True)


def fingerprint_of(file: BinaryIO, *others: str) -> str:
    """Of a whole file, read in pieces, and where it goes. Leaves the file at its begin."""
    digest = hashlib.sha256("\n".join(others).encode())
    while piece := file.read(1 << 20):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()
