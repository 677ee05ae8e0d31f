"""`finestra quarantine …`: what came in and could not be read, for people to look at, replay and delete."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click
from rich.table import Column, Table

from cli.client import Api, default_api
from cli.options import api_options, options, sender_option
from cli.screen import add_row, console, print_json

_REPLAYED_AT_ONCE = 100


_options = options(
    sender_option("Whose address it came to; needed if there are several businesses."),
    api_options,
)


@click.group()
def quarantine() -> None:
    """Look at what could not be read, and replay it after a mend."""


@quarantine.command("list")
@click.option("--reason", help="Only what was set aside for this reason.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--before", metavar="ID", help="Go on after the last id of a list.")
@_options
def list_entries(
    reason: str | None,
    limit: int,
    before: str | None,
    sender: str | None,
    url: str | None,
    key: str | None,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """What is in the quarantine, newest first, without its text."""
    query = {"reason": reason, "sender": sender, "limit": limit, "before": before}
    answer = default_api(url, key).call("GET", "/v1/quarantine", params=query)
    if as_json:
        print_json(answer)
        return
    if not answer["items"]:
        click.echo("Nothing is in the quarantine" + (" that fits." if reason or sender or before else "."))
        return
    console.print(_entries(answer["items"]))
    if answer["next"]:
        click.echo(f"There is more: --before {answer['next']}")


@quarantine.command()
@click.argument("entry_id")
@_options
def show(entry_id: str, sender: str | None, url: str | None, key: str | None, as_json: bool) -> None:  # noqa: FBT001
    """One entry with its text, which may hold people."""
    answer = default_api(url, key).call("GET", _path(entry_id), params={"sender": sender})
    if as_json:
        print_json(answer)
        return
    console.print(_entries([answer]))
    click.echo(_legible(answer["raw"]))


@quarantine.command()
@click.argument("entry_id", required=False)
@click.option("--all", "everything", is_flag=True, help="All that fits, the oldest first.")
@click.option("--reason", help="With --all: only what was set aside for this reason.")
@_options
def replay(
    entry_id: str | None,
    everything: bool,  # noqa: FBT001 - click passes flags so
    reason: str | None,
    sender: str | None,
    url: str | None,
    key: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Read one again, or --all: what is recorded leaves the quarantine. Exits with 1 if anything stayed."""
    if (entry_id is None) is not everything:
        raise click.UsageError("give the id of an entry, or --all")
    if reason and not everything:
        raise click.UsageError("--reason needs --all")
    api = default_api(url, key)
    if entry_id is None:
        items = list(_replay_all(api, reason, sender))
    else:
        items = [api.call("POST", f"{_path(entry_id)}/replay", params={"sender": sender})]
    if as_json:
        print_json({"items": items})
    elif not items:
        raise click.ClickException("nothing is in the quarantine that fits")
    else:
        console.print(_replays(items))
    if any(item["outcome"] != "recorded" for item in items):
        raise click.exceptions.Exit(1)


@quarantine.command()
@click.argument("entry_id")
@_options
def delete(entry_id: str, sender: str | None, url: str | None, key: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Remove an entry for good."""
    answer = default_api(url, key).call("DELETE", _path(entry_id), params={"sender": sender})
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['id']} is deleted: {answer['reason']}, {answer['bytes']} bytes, of {answer['at']}.")


def _path(entry_id: str) -> str:
    return f"/v1/quarantine/{quote(entry_id, safe='')}"


def _replay_all(api: Api, reason: str | None, sender: str | None) -> Iterator[dict[str, Any]]:
    """A few at a time, so that no answer takes long."""
    asked: dict[str, Any] = {"reason": reason, "sender": sender, "limit": _REPLAYED_AT_ONCE}
    while True:
        answer = api.call("POST", "/v1/quarantine/replay", json=asked)
        yield from answer["items"]
        if answer["next"] is None:
            return
        asked["after"] = answer["next"]


def _entries(entries: list[dict[str, Any]]) -> Table:
    table = Table(
        Column("id", no_wrap=True), "at", "sender", "reason", Column("bytes", justify="right"), "cut"
    )
    for entry in entries:
        cut = "cut" if entry["cut"] else ""
        add_row(table, entry["id"], entry["at"], entry["sender"], entry["reason"], str(entry["bytes"]), cut)
    return table


def _replays(items: list[dict[str, Any]]) -> Table:
    table = Table(Column("id", no_wrap=True), "outcome", "updates", "reason")
    for item in items:
        updates = ", ".join(f"{number} {word}" for word, number in item["updates"].items())
        add_row(table, item["id"], item["outcome"], updates, item["reason"] or "")
    return table


def _legible(raw: str) -> str:
    """JSON in lines; what is none is quoted, so that it cannot speak to the terminal."""
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return json.dumps(raw)
