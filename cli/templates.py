"""`finestra template …`: which templates there are, and where their approvals stand."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click
from rich.table import Column, Table
from rich.text import Text

from cli.client import default_api
from cli.options import api_options, options, sender_option
from cli.screen import add_row, console, harmless, print_json

#: Which of our numbers it is about, and how to ask.
sender_options = options(
    sender_option("Alias of the sender; may be left out when there is only one."),
    api_options,
)


def template_path(name: str, language: str) -> str:
    return f"/v1/templates/{quote(name, safe='')}/{quote(language, safe='')}"


@click.group()
def template() -> None:
    """Look at templates, bring ready-made ones."""


@template.command("list")
@sender_options
def list_templates(sender: str | None, url: str | None, key: str | None, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Every template with its status, by name and language."""
    answer = default_api(url, key).call("GET", "/v1/templates", params={"sender": sender})
    if as_json:
        print_json(answer)
        return
    if not answer["items"]:
        click.echo("There is no template. finestra template library shows ready-made ones.")
        return
    table = Table(Column("name", no_wrap=True), "language", "sender", "category", "status", "source")
    for item in answer["items"]:
        columns = ("name", "language", "sender", "category", "status", "source")
        add_row(table, *(item[column] for column in columns))
    console.print(table)


@template.command()
@click.argument("name")
@click.argument("language")
@sender_options
def show(
    name: str,
    language: str,
    sender: str | None,
    url: str | None,
    key: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """One with its text, its two approvals and why one was refused."""
    answer = default_api(url, key).call("GET", template_path(name, language), params={"sender": sender})
    if as_json:
        print_json(answer)
        return
    print_template(answer)


def print_template(answer: dict[str, Any]) -> None:
    """As the API shows one; its text is somebody else's and no markup."""
    head = f"{answer['name']}/{answer['language']}  {answer['status']}  {answer['category']}"
    console.print(harmless(f"{head}  version {answer['version']} of {answer['sender']}", style="bold"))
    for gate, word in answer["approval"].items():
        reason = f": {word['reason']}" if word["reason"] else ""
        console.print(harmless(f"  {gate}: {word['state']}{reason}"))
    if stop := answer["stop"]:
        until = f", until {stop['until']}" if stop["until"] else ""
        console.print(harmless(f"  stopped by {stop['by']}: {stop['reason'] or 'no reason given'}{until}"))
    for line in _content(answer):
        console.print(line)


def _content(answer: dict[str, Any]) -> Iterator[Text]:
    header = answer["header"]
    if header:
        yield harmless(header["text"] or f"[{header['kind']}]", style="bold")
    yield harmless(answer["body"])
    if answer["footer"]:
        yield harmless(answer["footer"], style="dim")
    for button in answer["buttons"]:
        target = button["url"] or button["phone"] or ""
        yield harmless(f"[{button['label']}] {target}".rstrip(), style="cyan")
    for name, sample in zip(answer["variables"], answer["samples"], strict=False):
        yield harmless(f"  {name}: {sample}")
