"""`finestra events`: what apps are told. The table names no person; `--json` is the feed as it is."""

from typing import Any

import click
from rich.table import Column, Table

from cli.client import default_api
from cli.completion import event_types
from cli.options import api_options
from cli.screen import add_row, console, print_json

#: Longer than the longest poll that the API takes.
_PATIENCE_SECONDS = 40
#: Of an event's data, what tells on-call which and why.
_SHOWN = ("sender", "id", "message_id", "template", "kind", "reason", "state", "reference")


@click.command()
@click.option(
    "--types", shell_complete=event_types, help="Only these, comma between; message.* for all of a kind."
)
@click.option("--after", metavar="CURSOR", help="Go on after a list; else from the beginning.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--wait", type=click.FloatRange(0, 30), help="Seconds to wait for the first one.")
@api_options
def events(url: str | None, key: str | None, *, as_json: bool, **query: str | float | None) -> None:
    """What happened, oldest first, as apps are told it."""
    answer = default_api(url, key).call("GET", "/v1/events", params=query, timeout=_PATIENCE_SECONDS)
    if as_json:
        print_json(answer)
        return
    table = Table(Column("at", no_wrap=True), "event", "of")
    for one in answer["items"]:
        add_row(table, one["timestamp"], one["type"], _named(one["data"]))
    console.print(table)
    click.echo(f"Go on: --after {answer['next']}")


def _named(data: dict[str, Any]) -> str:
    return "  ".join(f"{name} {data[name]}" for name in _SHOWN if isinstance(data.get(name), str))
