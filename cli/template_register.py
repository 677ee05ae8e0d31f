"""`finestra template register|edit FILE…`: templates out of files, as the lint reads them."""

from collections.abc import Callable
from typing import Any

import click

from cli.client import Api, default_api
from cli.options import api_options, options
from cli.problems import ProblemError, problem
from cli.screen import print_json
from cli.template_files import Entry, read_entries
from cli.templates import template_path

#: What names a template, and stands in no edit.
_NAMES = ("sender", "name", "language", "source")

_files = options(click.argument("files", nargs=-1, required=True, metavar="FILE…"), api_options)


@click.command()
@_files
def register(files: tuple[str, ...], url: str | None, key: str | None, *, as_json: bool) -> None:
    """Register each template of the files as a draft. Exit 1 if one was refused."""
    api = default_api(url, key)
    _each(files, lambda document: api.call("POST", "/v1/templates", json=document), as_json=as_json)


@click.command()
@_files
def edit(files: tuple[str, ...], url: str | None, key: str | None, *, as_json: bool) -> None:
    """Give each template of the files its content, at Meta too, to be approved again. Exit 1 likewise."""
    api = default_api(url, key)
    _each(files, lambda document: _edit(api, document), as_json=as_json)


def _edit(api: Api, document: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    content = {name: value for name, value in document.items() if name not in _NAMES}
    path = template_path(str(document.get("name", "-")), str(document.get("language", "-")))
    return api.call("PUT", path, params={"sender": document.get("sender")}, json=content)


def _each(files: tuple[str, ...], do: Callable[[dict[str, Any]], Any], *, as_json: bool) -> None:
    """What became of each, in the order of the files: the API's template, or its problem."""
    results = []
    for entry in (entry for file in files for entry in read_entries(file)):
        result: dict[str, Any] = {"file": entry.file, "line": entry.line_of("name")}
        try:
            result["template"] = do(_document_of(entry))
        except ProblemError as exc:
            result["problem"] = exc.problem
            if not as_json:
                click.echo(f"{_place(result)}: {exc.message}", err=True)
        else:
            if not as_json:
                click.echo(_done(result))
        results.append(result)
    if as_json:
        print_json({"results": results})
    if any("problem" in result for result in results):
        raise SystemExit(1)


def _place(result: dict[str, Any]) -> str:
    return f"{result['file']}:{result['line']}"


def _done(result: dict[str, Any]) -> str:
    done = result["template"]
    name = f"{done['name']}/{done['language']}"
    return f"{_place(result)}: {name} {done['status']}, version {done['version']}"


def _document_of(entry: Entry) -> dict[str, Any]:
    if not isinstance(entry.document, dict):
        message = "this is no template: write an object with the fields of POST /v1/templates"
        raise ProblemError(message, problem("no_template", "The file cannot be read", message))
    return entry.document
