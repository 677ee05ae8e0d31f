"""`finestra inbound …`: the file that a contact sent, and what a contact sees of our reading."""

from pathlib import Path
from urllib.parse import quote

import click
import requests

from cli.client import default_api
from cli.options import api_options, options, sender_option
from cli.screen import print_json

#: The provider is asked for the file, and for a place to get it from.
_PATIENCE_SECONDS = 60
_PIECE = 1 << 16
_named = options(
    click.argument("inbound_id"),
    sender_option("Alias of the sender it came to."),
    api_options,
)


@click.group()
def inbound() -> None:
    """Fetch what a contact sent, mark it as read."""


@inbound.command()
@click.option(
    "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where the file goes."
)
@_named
def media(
    inbound_id: str, output: Path, sender: str | None, url: str | None, key: str | None, *, as_json: bool
) -> None:
    """Fetch the file of an inbound message. It is a person's: only you may read what is written."""
    answer = default_api(url, key).ask(
        "GET", f"{_path(inbound_id)}/media", params={"sender": sender}, timeout=_PATIENCE_SECONDS, stream=True
    )
    with answer:
        size, content_type = _write(answer, output), answer.headers.get("Content-Type")
    if as_json:
        print_json({"file": str(output), "bytes": size, "content_type": content_type})
        return
    click.echo(f"{output}: {size} bytes, {content_type}")


@inbound.command()
@click.option("--typing", is_flag=True, help="Show that an answer is being written, too.")
@_named
def read(
    inbound_id: str,
    sender: str | None,
    url: str | None,
    key: str | None,
    *,
    typing: bool,
    as_json: bool,
) -> None:
    """Show the contact that a message was read."""
    answer = default_api(url, key).call(
        "POST",
        f"{_path(inbound_id)}/read",
        params={"sender": sender},
        json={"typing": typing},
        timeout=_PATIENCE_SECONDS,
    )
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['id']} is marked as read.")


def _write(answer: requests.Response, output: Path) -> int:
    """A file that is there once it is whole; how large it is."""
    new = output.with_name(output.name + ".new")
    try:
        new.touch(mode=0o600)
        with new.open("wb") as file:
            size = sum(file.write(piece) for piece in answer.iter_content(_PIECE))
        new.replace(output)
    except requests.RequestException as exc:
        raise click.ClickException(f"{output}: the file did not come whole: try again") from exc
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise click.ClickException(f"{output}: cannot be written ({reason}): name another place") from exc
    finally:
        new.unlink(missing_ok=True)
    return size


def _path(inbound_id: str) -> str:
    return f"/v1/inbound/{quote(inbound_id, safe='')}"
