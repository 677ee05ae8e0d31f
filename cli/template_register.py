"""`finestra template register|edit FILE…`: templates out of files, as the lint reads them."""

from collections.abc import Callable
from typing import Any

import click

from cli.client import Api, default_api
from cli.template_files import Entry, read_entries
from cli.templates import template_path

#: What names a template, and stands in no edit.
_NAMES = ("sender", "name", "language", "source")

_files = click.argument("files", nargs=-1, required=True, metavar="FILE…")
_url = click.option("--url", help="Address of the API.")
_key = click.option("--key", help="API key.")


@click.command()
@_files
@_url
@_key
def register(files: tuple[str, ...], url: str | None, key: str | None) -> None:
    """Register each template of the files as a draft. Exit 1 if one was refused."""
    api = default_api(url, key)
    _each(files, lambda document: api.call("POST", "/v1/templates", json=document))


@click.command()
@_files
@_url
@_key
def edit(files: tuple[str, ...], url: str | None, key: str | None) -> None:
    """Give each template of the files its content, at Meta too, to be approved again. Exit 1 likewise."""
    api = default_api(url, key)
    _each(files, lambda document: _edit(api, document))


def _edit(api: Api, document: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    content = {name: value for name, value in document.items() if name not in _NAMES}
    path = template_path(str(document.get("name", "-")), str(document.get("language", "-")))
    return api.call("PUT", path, params={"sender": document.get("sender")}, json=content)


def _each(files: tuple[str, ...], do: Callable[[dict[str, Any]], Any]) -> None:
    is_refused = False
    for entry in (entry for file in files for entry in read_entries(file)):
        place = f"{entry.file}:{entry.line_of('name')}"
        try:
            done = do(_document_of(entry))
        except click.ClickException as exc:
            click.echo(f"{place}: {exc.message}", err=True)
            is_refused = True
        else:
            name = f"{done['name']}/{done['language']}"
            click.echo(f"{place}: {name} {done['status']}, version {done['version']}")
    if is_refused:
        raise SystemExit(1)


def _document_of(entry: Entry) -> dict[str, Any]:
    if not isinstance(entry.document, dict):
        raise click.ClickException("this is no template")
    return entry.document
