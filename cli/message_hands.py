"""`finestra message list | cancel | retry | resolve` and `finestra audit`: what on-call does by hand."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click
from rich.table import Column, Table
from rich.text import Text

from cli.client import Api, default_api
from cli.completion import states
from cli.options import api_options, options, sender_option
from cli.screen import add_row, console, print_json

_DEAD = "failed,refused,unknown,expired"
_AT_ONCE = 500

#: What was said of a filter, by name.
Words = dict[str, str | None]


_filters = options(
    click.option("--app", help="Only of this app; needs an admin's key."),
    click.option("--state", shell_complete=states, help="One or several, comma between."),
    click.option("--reason", help="Why it ended, like no_opt_in."),
    click.option("--reference", help="What the app calls it."),
    sender_option("Alias of the sender."),
    click.option("--code", help="Of the last attempt's error."),
)
_bulk = options(_filters, click.option("--yes", is_flag=True, help="Do not ask."))


@click.command("list")
@click.option("--to", help="Number or business-scoped id of the contact.")
@click.option("--dead", is_flag=True, help=f"The dead letters: --state {_DEAD}.")
@_filters
@click.option("--any-code", help="Of any attempt's error, also where a later attempt went well.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--after", metavar="CURSOR", help="Go on after a list.")
@api_options
def list_messages(
    url: str | None, key: str | None, *, dead: bool, as_json: bool, **query: str | int | None
) -> None:
    """What became of many, newest first: why, and what to do."""
    if dead:
        query["state"] = query["state"] or _DEAD
    answer = default_api(url, key).call("GET", "/v1/messages", params=query)
    if as_json:
        print_json(answer)
        return
    if not answer["items"]:
        click.echo("No message fits.")
        return
    console.print(_messages(answer["items"]))
    if answer["next"]:
        click.echo(f"There is more: --after {answer['next']}")


@click.command()
@click.argument("message_id", required=False)
@_bulk
@api_options
def cancel(
    message_id: str | None,
    url: str | None,
    key: str | None,
    *,
    yes: bool,
    as_json: bool,
    **filters: str | None,
) -> None:
    """Stop a message that has not left, or all that fit."""
    api = default_api(url, key)
    if message_id is not None:
        _one(api, message_id, "cancel", {}, filters, as_json=as_json)
        return
    _many(api, "cancel", _named(filters), yes=yes, as_json=as_json)


@click.command()
@click.argument("message_id", required=False)
@click.option("--accept-duplicate", is_flag=True, help="Send again what may have arrived.")
@click.option("--expires-in", type=click.IntRange(1), help="Seconds: a new time, for what has expired.")
@_bulk
@api_options
def retry(
    message_id: str | None,
    url: str | None,
    key: str | None,
    *,
    accept_duplicate: bool,
    expires_in: int | None,
    yes: bool,
    as_json: bool,
    **filters: str | None,
) -> None:
    """Send a message again that failed, was refused, expired or is in doubt, or all that fit."""
    api = default_api(url, key)
    how = {"accept_duplicate": accept_duplicate, "expires_in": expires_in}
    if message_id is not None:
        _one(api, message_id, "retry", how, filters, as_json=as_json)
        return
    _many(api, "retry", {**how, **_named(filters)}, yes=yes, as_json=as_json)


@click.command()
@click.argument("message_id")
@click.argument("outcome", type=click.Choice(["submitted", "delivered", "failed"]))
@api_options
def resolve(message_id: str, outcome: str, url: str | None, key: str | None, *, as_json: bool) -> None:
    """Say how a message in doubt ended: the provider took it, the contact has it, or it never went."""
    _one(default_api(url, key), message_id, "resolve", {"outcome": outcome}, {}, as_json=as_json)


@click.command()
@click.option("--business", help="Needed where there are several.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--after", metavar="ID", help="Go on after the last id of a list.")
@api_options
def audit(url: str | None, key: str | None, *, as_json: bool, **query: str | int | None) -> None:
    """Who did what by hand, newest first: with messages, senders, templates, people."""
    answer = default_api(url, key).call("GET", "/v1/audit", params=query)
    if as_json:
        print_json(answer)
        return
    table = Table("at", "app", "action", Column("done", justify="right"), "what", "request")
    for deed in answer["items"]:
        what = deed["message_id"] or json.dumps(deed["filter"] or deed["details"], ensure_ascii=False)
        add_row(table, deed["at"], deed["app"], deed["action"], str(deed["done"]), what, deed["request_id"])
    console.print(table)
    if answer["next"]:
        click.echo(f"There is more: --after {answer['next']}")


def _one(
    api: Api, message_id: str, action: str, body: dict[str, Any], filters: Words, *, as_json: bool
) -> None:
    if any(filters.values()):
        raise click.UsageError("give an id or a filter, not both")
    answer = api.call("POST", f"/v1/messages/{quote(message_id, safe='')}/{action}", json=body)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"{answer['id']} is {answer['state']}.")


def _many(api: Api, action: str, body: dict[str, Any], *, yes: bool, as_json: bool) -> None:
    """Counts first, and asks; then a part a call, so that no call takes long."""
    path = f"/v1/messages/{action}"
    matched = sum(part["matched"] for part in _parts(api, path, {**body, "dry_run": True}))
    if not yes:
        click.confirm(f"{matched} messages fit. {action.capitalize()} them?", abort=True, err=True)
    done, refused = 0, dict[str, int]()
    for part in _parts(api, path, body) if matched else ():
        done += part["done"]
        for why, number in part["refused"].items():
            refused[why] = refused.get(why, 0) + number
    if as_json:
        print_json({"matched": matched, "done": done, "refused": refused})
        return
    click.echo(f"{action}: done with {done} of {matched}.")
    for why, number in sorted(refused.items()):
        click.echo(f"  not with {number}: {why}")


def _parts(api: Api, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    asked = {**body, "limit": _AT_ONCE}
    while True:
        answer = api.call("POST", path, json=asked)
        yield answer
        if answer["next"] is None:
            return
        asked["after"] = answer["next"]


def _named(filters: Words) -> dict[str, Any]:
    """The filter as a body names it."""
    named: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    if not named:
        raise click.UsageError("give the id of a message, or say which: --app, --state, --reason, …")
    return named | ({"state": named["state"].split(",")} if "state" in named else {})


def _messages(items: list[dict[str, Any]]) -> Table:
    columns = ("state", "since", "sender", "app", "reference", "why", "what to do")
    table = Table(Column("id", no_wrap=True), *columns)
    for item in items:
        code = (item["error"] or {}).get("code")
        why = " ".join(filter(None, (item["reason"], code)))
        _add(
            table,
            item["id"],
            item["state"],
            item["state_at"],
            item["sender"],
            item["app"],
            item["reference"] or "",
            why,
            item["advice"] or "",
        )
    return table


def _add(table: Table, *cells: str) -> None:
    """As they are: what stands in square brackets is no markup."""
    table.add_row(*map(Text, cells))
