"""`finestra template preview`: what a contact would see, of a registered template or of one in a file."""

from pathlib import Path
from typing import Any

import click
from rich.text import Text

from cli.bubble import draw
from cli.client import default_api
from cli.options import values_of
from cli.screen import console, harmless, print_json
from cli.template_files import read_template
from cli.templates import sender_options, template_path
from shared.picture import shown
from shared.schemas.documents import read
from shared.schemas.template_call import call_of
from shared.schemas.template_preview import PreviewRequestSchema, PreviewSchema

_FILLS = ("url_suffix", "payload", "code")


@click.command()
@click.argument("name", required=False)
@click.argument("language", required=False)
@click.option("--var", "variables", multiple=True, help="A value, in order; or NAME:=VALUE for a named one.")
@click.option("--header", help="The value of its header's variable.")
@click.option("--media", nargs=2, metavar="KIND LINK", help="The file of its header.")
@click.option(
    "--button",
    "buttons",
    multiple=True,
    type=(int, click.Choice(_FILLS), str),
    metavar="INDEX FILL VALUE",
    help="What fills a button, from 0: its url_suffix, payload or code.",
)
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A template in TOML or JSON instead, with the fields of POST /v1/templates.",
)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a picture there, too.")
@sender_options
def preview(
    name: str | None,
    language: str | None,
    path: Path | None,
    html: Path | None,
    sender: str | None,
    url: str | None,
    key: str | None,
    as_json: bool,  # noqa: FBT001 - click passes flags so
    **fill: Any,  # noqa: ANN401 - the options above that fill it
) -> None:
    """Show what a contact would see; what is not given is taken from the samples."""
    if bool(path) == bool(name and language):
        raise click.UsageError("name a template and its language, or a --file")
    if path:
        answer = _offline(path, _asked(**fill))
    else:
        address = f"{template_path(name or '', language or '')}/preview"
        answer = default_api(url, key).call("POST", address, params={"sender": sender}, json=_asked(**fill))
    if html:
        html.write_text(answer["html"], encoding="utf-8")
    if as_json:
        print_json(answer)
        return
    _show(answer)


def _show(answer: dict[str, Any]) -> None:
    console.print(draw(answer["bubble"]))
    console.print(Text(f"{answer['length']} of 1,024 characters", style="dim"))
    for misfit in answer["misfits"]:
        console.print(harmless(f"{misfit['field']}: {misfit['mend']}", style="yellow"))


def _asked(
    *,
    variables: tuple[str, ...],
    header: str | None,
    media: tuple[str, str] | None,
    buttons: tuple[tuple[int, str, str], ...],
) -> dict[str, Any]:
    """The body of the API's preview."""
    asked: dict[str, Any] = {"variables": values_of(variables)}
    if header is not None:
        asked["header"] = {"text": header}
    if media:
        asked["header"] = dict(zip(("kind", "link"), media, strict=True))
    if buttons:
        asked["buttons"] = [{"index": index, fill: value} for index, fill, value in buttons]
    return asked


def _offline(path: Path, asked: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """As the API would answer."""
    template, content = read_template(path)
    values, mistakes = read(PreviewRequestSchema(), asked)
    if mistakes:
        lines = [f"{name}: {'; '.join(texts)}" for name, texts in mistakes.items()]
        raise click.ClickException("\n".join(lines))
    call = call_of(values, template["name"], template["language"])
    return PreviewSchema().dump(shown(call, content))
