"""`finestra contact …`: what is kept of a person, shown, handed out, or erased."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.table import Table

from cli.client import default_api
from cli.options import api_options, options, sender_option
from cli.screen import add_row, console, print_json

#: Everything is looked through, once or twice.
_PATIENCE_SECONDS = 600
_options = options(sender_option("Any sender of the business; needed if there are several."), api_options)


@click.group()
def contact() -> None:
    """Look at a person, hand out what is kept of them, erase them."""


@contact.command()
@click.argument("name", metavar="CONTACT")
@_options
def show(name: str, sender: str | None, url: str | None, key: str | None, *, as_json: bool) -> None:
    """Window, consent, names and the latest messages of a number or a business-scoped id."""
    found = default_api(url, key).call("GET", _path(name), params={"sender": sender})
    if as_json:
        print_json(found)
        return
    window, table = found["window"], Table("category", "consent", "at", "source", "evidence")
    for category, each in found["consent"]["categories"].items():
        add_row(
            table,
            category,
            each["status"],
            each["at"] or "",
            each["source"] or "",
            each["evidence"] or "",
        )
    names = " ".join(filter(None, found["identities"].values()))
    click.echo(f"{names}: window {'open until ' + window['expires_at'] if window['open'] else 'closed'}")
    console.print(table)
    latest = Table("direction", "id", "at", "state or kind")
    for item in found["latest"]:
        add_row(latest, item["direction"], item["id"], item["at"], item.get("state") or item["kind"])
    console.print(latest)


@contact.command()
@click.argument("name", metavar="CONTACT")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, instead of the screen."
)
@_options
def export(
    name: str, output: Path | None, sender: str | None, url: str | None, key: str | None, *, as_json: bool
) -> None:
    """All that is kept of a person, texts included, as one JSON document."""
    del as_json  # it is nothing else
    record = _call("GET", f"{_path(name)}/record", sender, url, key)
    if not record["complete"]:
        click.echo("Not all of it: other apps' messages need a key with the scope admin.", err=True)
    if output is None:
        print_json(record)
        return
    output.touch(mode=0o600)
    output.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contact.command()
@click.argument("name", metavar="CONTACT")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_options
def erase(
    name: str, sender: str | None, url: str | None, key: str | None, *, yes: bool, as_json: bool
) -> None:
    """Remove a person for good; an opt-out stays as a keyed hash. Safe to repeat."""
    if not yes:
        click.confirm(
            "Erase this person from everything, and cancel what has not left?", abort=True, err=True
        )
    answer = _call("DELETE", _path(name), sender, url, key)
    if as_json:
        print_json(answer)
        return
    table = Table("what", "removed")
    for kind, count in answer["erased"].items():
        add_row(table, kind, str(count))
    console.print(table)
    click.echo(f"{answer['cancelled']} messages had not left and were cancelled.")
    click.echo("An opt-out stays, as a keyed hash." if answer["opt_out_kept"] else "There was no opt-out.")
    click.echo(_FILE[answer["append_only_file"]])


@click.command()
@api_options
def retention(url: str | None, key: str | None, *, as_json: bool) -> None:
    """What is kept of people, how old it is, and what the last walk removed."""
    answer = default_api(url, key).call("GET", "/v1/retention")
    if as_json:
        print_json(answer)
        return
    for business in answer["items"]:
        state = f"last walk {business['last_run_at'] or 'never'}" + (
            ", walking" if business["running"] else ""
        )
        table = Table("kind", "how many", "oldest", "kept for days", "removed", title=business["business"])
        for kept in business["kinds"]:
            days = "for ever" if kept["days"] is None else f"{kept['days']:g}"
            add_row(table, kept["kind"], str(kept["count"]), kept["oldest"] or "", days, str(kept["removed"]))
        console.print(table)
        click.echo(f"{state}; {business['unfinished_erasures']} erasures to be completed")
        if not business["secret_keys_complete"]:
            click.echo("FINESTRA_SECRET_KEY lacks a former key: opt-outs kept under it are not recognised.")


_FILE = {
    "rewriting": "The append-only file is being rewritten without them.",
    "later": "The append-only file still holds them: it is rewritten within the hour, or by BGREWRITEAOF.",
    "off": "The server keeps no append-only file.",
}


def _call(method: str, path: str, sender: str | None, url: str | None, key: str | None) -> Any:  # noqa: ANN401 - JSON
    return default_api(url, key).call(method, path, params={"sender": sender}, timeout=_PATIENCE_SECONDS)


def _path(name: str) -> str:
    return f"/v1/contacts/{quote(name, safe='')}"
