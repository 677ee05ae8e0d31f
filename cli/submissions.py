"""`finestra submissions …`: what the Celery door refused, for people to look at and delete."""

import json
from typing import Any
from urllib.parse import quote

import click
from rich.table import Column, Table
from rich.text import Text

from cli.client import default_api
from cli.options import api_options, options, sender_option
from cli.screen import add_row, console, print_json

_options = options(
    sender_option("Any sender of the business; needed if there are several businesses."),
    api_options,
)


@click.group()
def submissions() -> None:
    """Look at what the Celery door refused; its app sends it anew after a mend."""


@submissions.command("list")
@click.option("--reason", help="Only what was refused for this reason.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--before", metavar="ID", help="Go on after the last id of a list.")
@_options
def list_submissions(
    reason: str | None,
    limit: int,
    before: str | None,
    sender: str | None,
    url: str | None,
    key: str | None,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """What was refused, newest first, without its text."""
    query = {"reason": reason, "sender": sender, "limit": limit, "before": before}
    answer = default_api(url, key).call("GET", "/v1/submissions", params=query)
    if as_json:
        print_json(answer)
        return
    if not answer["items"]:
        click.echo("No submission was refused" + (" that fits." if reason or before else "."))
        return
    console.print(_table(answer["items"]))
    if answer["next"]:
        click.echo(f"There is more: --before {answer['next']}")


@submissions.command()
@click.argument("entry_id")
@_options
def show(entry_id: str, sender: str | None, url: str | None, key: str | None, as_json: bool) -> None:  # noqa: FBT001
    """One of them with what is wrong with it and its text, which may hold people."""
    answer = default_api(url, key).call("GET", _path(entry_id), params={"sender": sender})
    if as_json:
        print_json(answer)
        return
    console.print(_table([answer]))
    for name, mends in answer["errors"].items():
        console.print(Text(f"{name}: {'; '.join(map(str, mends))}"))
    # Quoted, so that it cannot speak to the terminal.
    click.echo(json.dumps(answer["raw"]))


@submissions.command()
@click.argument("entry_id")
@_options
def delete(entry_id: str, sender: str | None, url: str | None, key: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Remove one for good."""
    answer = default_api(url, key).call("DELETE", _path(entry_id), params={"sender": sender})
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['id']} is deleted: {answer['reason']}, {answer['bytes']} bytes, of {answer['at']}.")


def _path(entry_id: str) -> str:
    return f"/v1/submissions/{quote(entry_id, safe='')}"


def _table(items: list[dict[str, Any]]) -> Table:
    table = Table(
        Column("id", no_wrap=True), "at", "app", "sender", "reason", Column("bytes", justify="right"), "cut"
    )
    for item in items:
        cells = (item["id"], item["at"], item["app"], item["sender"], item["reason"], str(item["bytes"]))
        add_row(table, *cells, "cut" if item["cut"] else "")
    return table
