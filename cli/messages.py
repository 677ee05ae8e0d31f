"""`finestra send` and `finestra message …`: what an app does over HTTP, by hand."""

from typing import Any
from urllib.parse import quote

import click
from rich.table import Table

from cli.client import default_api
from cli.options import api_options, sender_option, values_of
from cli.screen import console, print_json


@click.command()
@click.option("--to", "recipient", required=True, help="Number or business-scoped id of the contact.")
@sender_option("Alias of the sender; may be left out when there is only one.")
@click.option("--text", help="Goes out if the window is open.")
@click.option(
    "--media", nargs=2, metavar="KIND LINK", help="A file instead: image, video, audio, document or sticker."
)
@click.option("--caption", help="Below the file.")
@click.option("--filename", help="Of the file, as the contact sees it.")
@click.option("--reply-to", help="Quotes the message of this id, wamid.…")
@click.option("--template", "template", metavar="NAME/LANGUAGE", help="Goes out if it is not.")
@click.option("--var", "variables", multiple=True, help="A value, in order; or NAME:=VALUE for a named one.")
@click.option("--reference", help="Comes back in every answer.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@api_options
def send(
    recipient: str,
    sender: str | None,
    text: str | None,
    media: tuple[str, str] | None,
    caption: str | None,
    filename: str | None,
    reply_to: str | None,
    template: str | None,
    variables: tuple[str, ...],
    reference: str | None,
    dry_run: bool,  # noqa: FBT001 - click passes flags so
    url: str | None,
    key: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Tell a contact something: a session message if the window is open, else the template."""
    if variables and not template:
        raise click.UsageError("--var needs a --template")
    if (caption or filename) and not media:
        raise click.UsageError("--caption and --filename need a --media")
    body = _given(to=recipient, sender=sender, text=text, reply_to=reply_to, reference=reference)
    if media:
        kind, link = media
        body["media"] = _given(kind=kind, link=link, caption=caption, filename=filename)
    if template:
        name, _, language = template.partition("/")
        body["template"] = {"name": name, "language": language, "variables": values_of(variables)}
    path = "/v1/messages?dry_run=true" if dry_run else "/v1/messages"
    answer = default_api(url, key).call("POST", path, json=body)
    if as_json:
        print_json(answer)
        return
    route = answer["route"] if dry_run else answer["forecast"]
    click.echo(f"{answer.get('id', 'dry run')}: {route['kind']} ({route['rule']}). {route['explanation']}")


@click.group()
def message() -> None:
    """Look at messages."""


@message.command()
@click.argument("message_id")
@api_options
def show(message_id: str, url: str | None, key: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Where a message stands, why it went the way it went, and every attempt."""
    answer = default_api(url, key).call("GET", f"/v1/messages/{quote(message_id, safe='')}")
    if as_json:
        print_json(answer)
        return
    console.print(
        f"[bold]{answer['id']}[/bold]  {answer['state']}  to {answer['to']} from {answer['sender']}"
    )
    route = answer.get("route")
    if route:
        console.print(f"route: {route['kind']} ({route['rule']}). {route['explanation']}")
    if answer.get("reason"):
        console.print(f"reason: {answer['reason']}")
    if answer.get("waiting"):
        console.print(f"waits: {answer['waiting']}")
    console.print(_attempts(answer["attempts"]))
    for entry in answer["timeline"]:
        console.print(f"  {entry['at']}  {entry['event']}")


@message.command()
@click.argument("message_id")
@api_options
def explain(message_id: str, url: str | None, key: str | None, as_json: bool) -> None:  # noqa: FBT001
    """In sentences: why it went the way it went, where it stands, what to do."""
    answer = default_api(url, key).call("GET", f"/v1/messages/{quote(message_id, safe='')}/explain")
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['id']} is {answer['state']}.")
    for sentence in answer["sentences"]:
        click.echo(f"  {sentence}")


def _given(**fields: str | None) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _attempts(attempts: list[dict[str, Any]]) -> Table:
    table = Table("attempt", "route", "outcome", "error", "detail", "advice")
    for attempt in attempts:
        route, error = attempt.get("route") or {}, attempt.get("error") or {}
        table.add_row(
            str(attempt["number"]),
            f"{route.get('kind', '')} ({route.get('rule', '')})",
            attempt.get("outcome") or "",
            str(error.get("code", "")),
            error.get("detail", ""),
            error.get("advice", ""),
        )
    return table
