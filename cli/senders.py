"""`finestra sender …`: how our numbers stand, and a hand that halts one or lets it go on."""

from typing import Any
from urllib.parse import quote

import click
from rich.table import Table

from cli.client import default_api
from cli.completion import aliases
from cli.options import api_options
from cli.screen import add_row, console, print_json


@click.group()
def sender() -> None:
    """Look at senders, halt one, resume one."""


@sender.command("list")
@api_options
def list_senders(url: str | None, key: str | None, *, as_json: bool) -> None:
    """Every sender with its state, what halts it and why, and how much of its limits is used."""
    answer = default_api(url, key).call("GET", "/v1/senders")
    if as_json:
        print_json(answer)
        return
    table = Table("sender", "state", "since", "rate", "contacts today", "halts", "until", "why")
    for one in answer["items"]:
        add_row(table, one["alias"], one["state"], _since(one), *_used(one["limits"]), *_halts(one))
    console.print(table)


@sender.command()
@click.argument("alias", shell_complete=aliases)
@click.option("--why", required=True, help="Shown to whoever asks.")
@click.option(
    "--kind",
    type=click.Choice(["all", "template", "session"]),
    default="all",
    show_default=True,
    help="What stops.",
)
@click.option("--until", help="When it ends by itself, as RFC 3339; else it is resumed by hand.")
@api_options
def halt(alias: str, url: str | None, key: str | None, *, as_json: bool, **body: str | None) -> None:
    """Stop sending; what is queued stays and waits."""
    answer = default_api(url, key).call("POST", f"{sender_path(alias)}/halt", json=body)
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['alias']}: {answer['state']}, {len(answer['halts'])} halts")


@sender.command()
@click.argument("alias", shell_complete=aliases)
@api_options
def resume(alias: str, url: str | None, key: str | None, *, as_json: bool) -> None:
    """Lift every halt and try at once."""
    answer = default_api(url, key).call("POST", f"{sender_path(alias)}/resume")
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['alias']}: {answer['state']}")


def sender_path(alias: str) -> str:
    return f"/v1/senders/{quote(alias, safe='')}"


def _used(limits: dict[str, Any]) -> tuple[str, str]:
    rate = f"{limits['used']['throughput']:.0%} of {limits['throughput_per_second']}/s"
    most = limits["messaging_limit_per_day"]
    return rate, f"{limits['used']['messaging']} of {most}" if most else ""


def _since(one: dict[str, Any]) -> str:
    """A line a halt, as beside it; else of what stops it."""
    return "\n".join(halt["since"] or "" for halt in one["halts"]) or one["since"] or ""


def _halts(one: dict[str, Any]) -> tuple[str, str, str]:
    halts = one["halts"]
    if not halts:
        until = (
            one["paused_until"] or one["circuit"]["next_try_at"] or one["limits"]["used"]["messaging_until"]
        )
        return "", until or "", one["why"] or ""
    return (
        "\n".join(f"{halt['kind']} by {halt['by']} {halt['code'] or ''}".rstrip() for halt in halts),
        "\n".join(halt["until"] or "resumed" for halt in halts),
        "\n".join(halt["why"] for halt in halts),
    )
