"""`finestra consent import | export`: the consent ledger as CSV, by the thousand and with bounded memory.

Exit codes: 0 all taken, 1 some refused, 2 could not go on; then the same command goes on where it was.
"""

import csv
import fcntl
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli import consent_progress
from cli.client import Api, default_api
from cli.consent_file import COLUMNS, ConsentFile, Row, UnreadableFileError
from cli.options import api_options, sender_option
from cli.problems import ProblemError, problem_of
from cli.screen import print_json

_AT_ONCE = 1_000
#: Of the file, in one request: the API takes 4 MiB of JSON.
_BYTES_AT_ONCE = 512 * 1024
#: Contacts, as the API lists them.
Items = list[dict[str, Any]]
_SOME_REFUSED = 1

_sender = sender_option("Alias of a sender; needed where there are several.")


class _CouldNotGoOnError(ProblemError):
    exit_code = 2


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_sender
@api_options
def import_consents(
    file: Path, sender: str | None, url: str | None, key: str | None, *, as_json: bool
) -> None:
    """Record the decisions in a CSV FILE: contact,status,categories,source,evidence,at.

    Interrupted and started again it goes on where it was. What is refused is listed in FILE.refused.csv
    by line, with the field and its mend.
    """
    notes = consent_progress.Notes(file)
    with (
        _giving_up("What was taken is noted: it goes on from there."),
        file.open("rb") as source,
    ):
        counts = _import(default_api(url, key), source, sender, notes)
    _tell(counts, notes.report_path, as_json=as_json)
    sys.exit(_SOME_REFUSED if counts.get("refused") else 0)


@click.command("export")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; else what is shown.")
@_sender
@api_options
def export_consents(
    output: Path | None, sender: str | None, url: str | None, key: str | None, *, as_json: bool
) -> None:
    """Write what stands for every contact as CSV, as `import` takes it; or as the API's JSON, one a line."""
    with _giving_up("Nothing was written."), _written(output) as lines, _bar("contacts") as bar:
        write = _json_lines(lines) if as_json else _csv(lines)
        task = bar.add_task("export", total=None)
        for items in _pages(default_api(url, key), sender):
            write(items)
            bar.advance(task, len(items))


def _tell(counts: dict[str, int], report: Path, *, as_json: bool) -> None:
    said = {name: counts.get(name, 0) for name in ("recorded", "unchanged", "refused")}
    if as_json:
        print_json({**said, "report": str(report) if said["refused"] else None})
        return
    words = ", ".join(f"{count} {name}" for name, count in said.items())
    click.echo(words + (f": see {report}" if said["refused"] else ""))


def _csv(lines: TextIO) -> Callable[[Items], None]:
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    return lambda items: writer.writerows(
        _line(item["contact"], said) for item in items for said in item["consents"]
    )


def _json_lines(lines: TextIO) -> Callable[[Items], None]:
    """One contact a line: the whole would not fit into memory."""
    return lambda items: lines.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


@contextmanager
def _written(path: Path | None) -> Iterator[TextIO]:
    """A file that is there once it is whole."""
    if path is None:
        yield sys.stdout
        return
    new = path.with_name(path.name + ".new")
    try:
        with new.open("w", encoding="utf-8", newline="") as lines:
            yield lines
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _import(api: Api, source: BinaryIO, sender: str | None, notes: consent_progress.Notes) -> dict[str, int]:
    """Send what was not sent yet; what became of all."""
    _lock(source)
    progress = notes.load(consent_progress.fingerprint_of(source, api.url, sender or ""))
    rows = ConsentFile(source)
    if progress.offset:
        click.echo(f"Going on after line {progress.lines:,}.", err=True)
        rows.go_on(progress.offset, progress.lines)
    with _bar("bytes") as bar:
        task = bar.add_task("import", total=Path(source.name).stat().st_size, completed=progress.offset)
        for batch in _batches(rows):
            results = _results(api, sender, batch)
            refused = [(row.number, result["errors"]) for row, result in results if "errors" in result]
            progress = progress.after(
                offset=batch[-1].end,
                lines=batch[-1].lines,
                results=Counter(result["result"] for _, result in results),
                report_bytes=notes.report(refused),
            )
            notes.save(progress)
            bar.update(task, completed=progress.offset)
    notes.done()
    return progress.counts


def _lock(source: BinaryIO) -> None:
    try:
        fcntl.flock(source, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise click.ClickException("another import of this file is under way") from exc


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """As many as one request takes. What comes before a line that ends the reading is sent first."""
    batch: list[Row] = []
    start = 0
    try:
        for row in rows:
            start = start or row.end
            batch.append(row)
            if len(batch) == _AT_ONCE or row.end - start > _BYTES_AT_ONCE:
                yield batch
                batch, start = [], 0
    except UnreadableFileError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _results(api: Api, sender: str | None, batch: Sequence[Row]) -> list[tuple[Row, dict[str, Any]]]:
    """What the API says of each row; a row that is no entry is refused here."""
    entries = [row.entry for row in batch if not row.mistakes]
    body = {"consents": entries}
    answer = api.call("POST", "/v1/consents/batch", params={"sender": sender}, json=body) if entries else {}
    results = iter(answer.get("results", ()))
    return [
        (row, {"result": "refused", "errors": row.mistakes} if row.mistakes else next(results))
        for row in batch
    ]


def _pages(api: Api, sender: str | None) -> Iterator[Items]:
    cursor = None
    while True:
        query = {"sender": sender, "cursor": cursor, "limit": _AT_ONCE}
        page = api.call("GET", "/v1/consents", params=query)
        yield page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _line(contact: str, said: dict[str, Any]) -> list[str]:
    values = {**said, "contact": contact, "categories": " ".join(said["categories"])}
    return [values[name] or "" for name in COLUMNS]


def _bar(unit: str) -> Progress:
    """On standard error, and only for somebody who watches."""
    console = Console(stderr=True)
    done = TextColumn("{task.description} {task.completed:,.0f} " + unit)
    columns = (done, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, redirect_stdout=False)


@contextmanager
def _giving_up(then: str) -> Iterator[None]:
    """What cannot go on says why, and what is `then`."""
    try:
        yield
    except (UnreadableFileError, click.ClickException, OSError, KeyboardInterrupt) as exc:
        told = (
            exc if isinstance(exc, click.ClickException) else click.ClickException(str(exc) or "interrupted")
        )
        raise _CouldNotGoOnError(f"{told.format_message()}\n{then}", problem_of(told)) from exc
