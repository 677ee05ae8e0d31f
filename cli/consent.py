"""`finestra consent …`: what a contact agreed to and how that came to be, and a decision recorded by hand."""

from typing import Any
from urllib.parse import quote

import click
from rich.table import Table

from cli.client import default_api
from cli.options import api_options, sender_option
from cli.screen import add_row, console, print_json

_NO_EVIDENCE = "no evidence"
_CATEGORIES = ("utility", "marketing", "authentication")

_sender = sender_option("Alias of a sender; needed where there are several.")


@click.group()
def consent() -> None:
    """Look at who agreed to what, and record it."""


@consent.command()
@click.argument("contact")
@_sender
@api_options
def show(contact: str, sender: str | None, url: str | None, key: str | None, *, as_json: bool) -> None:
    """What a contact agreed to, and every word about it, newest first."""
    api, path = default_api(url, key), f"/v1/contacts/{quote(contact, safe='')}"
    history = api.call("GET", f"{path}/consent/history", params={"sender": sender})
    if as_json:
        print_json(history)
        return
    standing = api.call("GET", path, params={"sender": sender})["consent"]
    console.print(_standing(standing["categories"]))
    console.print(_history(history["items"]))


@consent.command("set")
@click.argument("contact")
@click.argument("status", type=click.Choice(["opted_in", "opted_out"]))
@click.option("--source", required=True, help="Where the contact said so: checkout, telephone.")
@click.option("--evidence", help="What proves it: an order, a recording, a form.")
@click.option("--at", help="When, as RFC 3339; else now.")
@click.option(
    "--category",
    "categories",
    multiple=True,
    type=click.Choice(_CATEGORIES),
    help="May be repeated. Default: an opt-in covers utility and authentication, an opt-out all.",
)
@_sender
@api_options
def set_consent(
    contact: str,
    sender: str | None,
    url: str | None,
    key: str | None,
    *,
    categories: tuple[str, ...],
    as_json: bool,
    **said: str | None,
) -> None:
    """Record what a contact decided."""
    body: dict[str, Any] = {**said, "categories": list(categories) or None}
    given = {name: value for name, value in body.items() if value is not None}
    path = f"/v1/contacts/{quote(contact, safe='')}/consent"
    answer = default_api(url, key).call("PUT", path, params={"sender": sender}, json=given)
    if as_json:
        print_json(answer)
        return
    click.echo("recorded" if answer["changed"] else "unchanged: the same or something newer stands")
    console.print(_standing(answer["categories"]))


def _standing(categories: dict[str, Any]) -> Table:
    table = Table("category", "status", "at", "source", "evidence", title="what stands", title_justify="left")
    for category, said in categories.items():
        evidence = "" if said["at"] is None else said["evidence"] or _NO_EVIDENCE
        add_row(table, category, said["status"], said["at"] or "", said["source"] or "", evidence)
    return table


def _history(items: list[dict[str, Any]]) -> Table:
    columns = ("at", "said", "of", "changed", "source", "evidence", "by", "recorded at")
    table = Table(*columns, title="how it came to be", title_justify="left")
    table.caption = "What changed nothing was older than what stood when it was recorded, or said the same."
    for said in items:
        changed = ", ".join(said["changed"]) or "nothing"
        add_row(
            table,
            said["at"],
            said["status"],
            ", ".join(said["categories"]),
            changed,
            said["source"],
            said["evidence"] or _NO_EVIDENCE,
            said["by"],
            said["recorded_at"],
        )
    return table
