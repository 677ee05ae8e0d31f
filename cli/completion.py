"""`finestra completion SHELL`: the script by which a shell completes our words, and values it asks for.

Values that only the API knows are asked for with a key that is there anyway, for a second, and in silence.
"""

import click
from click.shell_completion import get_completion_class

from cli.client import default_api
from shared.domain.message import MessageState
from shared.domain.notices import EVENT_TYPES

_VARIABLE = "_FINESTRA_COMPLETE"
_PATIENCE_SECONDS = 1


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print what makes a shell complete our words.

    \b
    bash, in ~/.bashrc:  eval "$(finestra completion bash)"
    zsh, in ~/.zshrc:    eval "$(finestra completion zsh)"
    fish:  finestra completion fish > ~/.config/fish/completions/finestra.fish
    """
    kind = get_completion_class(shell)
    root = click.get_current_context().find_root()
    if kind is not None:
        click.echo(kind(root.command, {}, "finestra", _VARIABLE).source())


def aliases(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Of senders, as far as the API says."""
    try:
        api = default_api(ctx.params.get("url"), ctx.params.get("key"))
        senders = api.call("GET", "/v1/senders", timeout=_PATIENCE_SECONDS)["items"]
    except click.ClickException:
        return []
    return [one["alias"] for one in senders if one["alias"].startswith(begun)]


def states(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    return _one_more(tuple(MessageState), begun)


def event_types(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    return _one_more(tuple(EVENT_TYPES), begun)


def _one_more(words: tuple[str, ...], begun: str) -> list[str]:
    """Behind the commas that are there."""
    before, comma, last = begun.rpartition(",")
    return [f"{before}{comma}{word}" for word in words if word.startswith(last)]
