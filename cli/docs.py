"""`finestra docs …`: what the API takes, as a page for a browser; what its errors mean, without a network."""

from collections.abc import Iterator
from difflib import get_close_matches
from html import escape
from pathlib import Path
from typing import Any

import click
from rich.table import Column, Table
from rich.text import Text

from cli.client import default_api
from cli.options import api_options, json_option
from cli.screen import add_row, console, print_json
from shared.problems import Code, Kind, kinds
from shared.provider_codes import provider_codes


@click.group()
def docs() -> None:
    """What the API takes, and what its errors mean."""


@docs.command()
@click.option(
    "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where the page goes."
)
@api_options
def page(output: Path, url: str | None, key: str | None, *, as_json: bool) -> None:
    """Save the page that describes every call; a browser shows it without a key."""
    api = default_api(url, key)
    # Its links lead to where it came from.
    text = api.ask("GET", "/docs").text.replace('href="/', f'href="{escape(api.url)}/')
    try:
        size = output.write_bytes(text.encode())
    except OSError as exc:
        raise click.ClickException(f"{output}: {exc.strerror}") from exc
    if as_json:
        print_json({"file": str(output), "bytes": size})
        return
    click.echo(f"{output}: open it with a browser.")


def _codes(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    return [code for code in Code if code.startswith(begun)]


@docs.command()
@click.argument("code", required=False, shell_complete=_codes)
@json_option
def errors(code: str | None, *, as_json: bool) -> None:
    """Say what the CODE of an error means and what mends it, ours or a provider's; without one, list ours."""
    found = list(_known(code)) if code else [_ours(each, kind) for each, kind in kinds().items()]
    if as_json:
        print_json({"items": found})
    elif code:
        for item in found:
            _explain(item)
    else:
        table = Table("status", Column("code", no_wrap=True), "what it is")
        for item in found:
            add_row(table, str(item["status"]), item["code"], item["title"])
        console.print(table)


def _known(code: str) -> Iterator[dict[str, Any]]:
    """Of whom there is such a code; providers may have the same one."""
    theirs = {name: rows[code] for name, rows in provider_codes().items() if code in rows}
    if code in set(Code):
        yield _ours(Code(code), kinds()[Code(code)])
    elif not theirs:
        near = get_close_matches(code, list(Code), n=3, cutoff=0.5)
        like = f"there is {', '.join(near)}" if near else "`finestra docs errors` lists ours"
        raise click.BadParameter(f"no error has the code {code}: {like}", param_hint="CODE")
    for provider, row in theirs.items():
        yield {"code": code, "provider": provider, "class": row.error_class, "mend": row.advice}


def _ours(code: Code, kind: Kind) -> dict[str, Any]:
    return {
        "code": code,
        "status": kind.status.value,
        "title": kind.title,
        "meaning": kind.meaning,
        "mend": kind.mend,
    }


def _explain(item: dict[str, Any]) -> None:
    aside = f"{item['provider']}, {item['class']}" if "provider" in item else item["status"]
    console.print(Text.assemble((item["code"], "bold"), f"  {aside}"))
    if "title" in item:
        console.print(f"{item['title']}.", markup=False)
        console.print(_prose(item["meaning"]))
    console.print(_prose(f"→ {item['mend']}"))


def _prose(words: str) -> Text:
    """What stands in `backticks` is bold instead."""
    pieces = enumerate(words.split("`"))
    return Text.assemble(*((piece, "bold" if index % 2 else "") for index, piece in pieces))
