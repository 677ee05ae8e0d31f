"""How commands print: tables as wide as the terminal, or wide enough where there is none; answers as JSON."""

import json
import sys
import unicodedata

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

#: A table with an id, an error and an advice; a file or a pipe cuts nothing.
_WIDE = 160
console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def print_json(answer: object) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def add_row(table: Table, *cells: str) -> None:
    """As they are: what stands in square brackets is no markup."""
    table.add_row(*map(harmless, cells))


def harmless(words: str, style: str = "") -> Text:
    """Somebody else's words: neither markup nor a command to the terminal."""
    shown = (one if one == "\n" or unicodedata.category(one) != "Cc" else "�" for one in words)
    return Text("".join(shown), style=style)
