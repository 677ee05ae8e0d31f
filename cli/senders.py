"""`finestra sender …`: how our numbers stand, and a hand that halts one or lets it go on."""

from typing import Any
from urllib.parse import quote

import click
from rich.table import Table

from cli.client import default_api
from cli.screen import console

_url = click.option("--url", help="Address of the API.")
_key = click.option("--key", help="API key.")


@click.group()
def sender() -> None:
    """Look at senders, halt one, resume one."""


@sender.command("list")
@_url
@_key
def list_senders(url: str | None, key: str | None) -> None:
    """Every sender with its state, what halts it and why."""
    table = Table("sender", "state", "halts", "until", "why")
    for one in default_api(url, key).call("GET", "/v1/senders")["items"]:
        table.add_row(one["alias"], one["state"], *_halts(one))
    console.print(table)


@sender.command()
@click.argument("alias")
@click.option("--why", required=True, help="Shown to whoever asks.")
@click.option("--kind", type=click.Choice(["all", "template", "session"]), default="all", show_default=True)
@click.option("--until", help="When it ends by itself, as RFC 3339; else it is resumed by hand.")
@_url
@_key
def halt(alias: str, why: str, kind: str, until: str | None, url: str | None, key: str | None) -> None:
    """Stop sending; what is queued stays and waits."""
    body = {"why": why, "kind": kind, "until": until}
    answer = default_api(url, key).call("POST", f"/v1/senders/{quote(alias, safe='')}/halt", json=body)
    click.echo(f"{answer['alias']}: {answer['state']}, {len(answer['halts'])} halts")


@sender.command()
@click.argument("alias")
@_url
@_key
def resume(alias: str, url: str | None, key: str | None) -> None:
    """Lift every halt and try at once."""
    answer = default_api(url, key).call("POST", f"/v1/senders/{quote(alias, safe='')}/resume")
    click.echo(f"{answer['alias']}: {answer['state']}")


def _halts(one: dict[str, Any]) -> tuple[str, str, str]:
    halts = one["halts"]
    if not halts:
        return "", one["paused_until"] or one["circuit"]["next_try_at"] or "", one["why"] or ""
    return (
        "\n".join(f"{halt['kind']} by {halt['by']} {halt['code'] or ''}".rstrip() for halt in halts),
        "\n".join(halt["until"] or "resumed" for halt in halts),
        "\n".join(halt["why"] for halt in halts),
    )
