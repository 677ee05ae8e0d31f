"""`finestra template library|import`: the ready-made templates, and how one becomes a draft of ours."""

import click
from rich.table import Column, Table

from cli.client import default_api
from cli.options import api_options
from cli.screen import add_row, console, print_json
from cli.templates import print_template, sender_options


@click.command()
@click.option("--language", help="Only those in this language.")
@api_options
def library(language: str | None, url: str | None, key: str | None, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """The templates that come with Finestra, and what their variables are."""
    answer = default_api(url, key).call("GET", "/v1/templates/library", params={"language": language})
    if as_json:
        print_json(answer)
        return
    table = Table(Column("name", no_wrap=True), "language", "for", "variables", "text", show_lines=True)
    for item in answer["items"]:
        variables = "\n".join(f"{number} {name}" for number, name in enumerate(item["variables"], 1))
        add_row(table, item["name"], item["language"], item["about"], variables, item["body"])
    console.print(table)


@click.command("import")
@click.argument("name")
@click.option("--language", required=True, help="The provider's code, like it.")
@click.option("--as", "own_name", metavar="NAME", help="Its name with the sender; else the same.")
@click.option("--link", help="Your address behind its link, like https://shop.example/track/{1}.")
@click.option(
    "--from",
    "source",
    type=click.Choice(["library", "provider"]),
    default="library",
    show_default=True,
    help="Whose ready-made one it is.",
)
@sender_options
def import_template(
    name: str,
    language: str,
    own_name: str | None,
    link: str | None,
    source: str,
    sender: str | None,
    url: str | None,
    key: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Register a ready-made template as a draft; it has to be approved like any other."""
    asked = {"source": source, "name": name, "language": language}
    wishes = {"sender": sender, "as": own_name, "url": link}
    body = asked | {field: wish for field, wish in wishes.items() if wish is not None}
    answer = default_api(url, key).call("POST", "/v1/templates/import", json=body)
    if as_json:
        print_json(answer)
        return
    print_template(answer)
