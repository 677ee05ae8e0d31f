"""`finestra callbacks …`: how it goes with what is pushed to apps, and what was given up."""

from urllib.parse import quote

import click
from rich.table import Column, Table

from cli.client import default_api
from cli.options import api_options
from cli.screen import add_row, console, print_json

#: What one call does of each business.
_AT_ONCE = 500


@click.group()
def callbacks() -> None:
    """Look at events that are pushed to apps; push again what was given up."""


@callbacks.command("list")
@api_options
def list_callbacks(url: str | None, key: str | None, *, as_json: bool) -> None:
    """Every app that has a callback_url: what waits, what was given up, and why."""
    answer = default_api(url, key).call("GET", "/v1/callbacks")
    if as_json:
        print_json(answer)
        return
    numbers = [Column(name, justify="right") for name in ("waiting", "parked", "failures in a row")]
    table = Table("app", "business", *numbers, "since", "last failed at", "why")
    for one in answer["items"]:
        counts = [str(one[name]) for name in ("waiting", "parked", "failures_in_a_row")]
        add_row(
            table,
            one["app"],
            one["business"],
            *counts,
            one["failing_since"] or one["parked_since"] or "",
            one["last_failed_at"] or "",
            one["last_reason"] or "",
        )
    console.print(table)


@callbacks.command()
@click.argument("app")
@api_options
def parked(app: str, url: str | None, key: str | None, *, as_json: bool) -> None:
    """Events that an app did not take for three days, newest first."""
    answer = default_api(url, key).call("GET", f"{_path(app)}/parked")
    if as_json:
        print_json(answer)
        return
    if not answer["items"]:
        click.echo(f"Nothing of {app} was given up.")
        return
    table = Table(Column("id", no_wrap=True), "type", "given up at", "why")
    for one in answer["items"]:
        add_row(table, one["id"], one["type"], one["at"], one["reason"])
    console.print(table)


@callbacks.command()
@click.argument("app")
@api_options
def retry(app: str, url: str | None, key: str | None, *, as_json: bool) -> None:
    """Push again what was given up, oldest first, after the app is mended."""
    api, done = default_api(url, key), [_AT_ONCE]
    while done[-1] >= _AT_ONCE:
        done.append(api.call("POST", f"{_path(app)}/retry")["retried"])
    retried = sum(done[1:])
    if as_json:
        print_json({"app": app, "retried": retried})
        return
    click.echo(f"{app}: {retried} events are pushed again.")


def _path(app: str) -> str:
    return f"/v1/callbacks/{quote(app, safe='')}"
