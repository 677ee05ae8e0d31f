"""Options that many commands take, each said once."""

from collections.abc import Callable

import click

from cli.completion import aliases

Command = Callable[..., None]


def options(*each: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several as one decorator, in the order in which the help shows them."""

    def decorate(command: Command) -> Command:
        for option in reversed(each):
            command = option(command)
        return command

    return decorate


#: How the answer is shown. What went wrong then is a problem on standard error (cli/problems.py).
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
#: Where the API is, who asks, and how the answer is shown: as it came.
api_options = options(
    click.option("--url", help="Address of the API."),
    click.option("--key", help="API key."),
    json_option,
)


def sender_option(about: str) -> Callable[[Command], Command]:
    """`about`: which sender, and when it may be left out."""
    return click.option("--sender", shell_complete=aliases, help=about)


def values_of(variables: tuple[str, ...]) -> list[str] | dict[str, str]:
    """What `--var` gives: numbered values as a list; as an object when each has its name."""
    named = [variable.partition(":=") for variable in variables]
    if named and all(separator for _, separator, _ in named):
        return {name: value for name, _, value in named}
    return list(variables)
