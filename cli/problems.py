"""What goes wrong on the command line: a sentence for people, after `--json` a problem on standard error.

The exit code is the same. A problem is that of RFC 9457, as the API answers it where it was asked.
"""

import json
from collections.abc import Mapping
from typing import Any

import click

_AS_JSON = "finestra.as_json"


class ProblemError(click.ClickException):
    """Ends a command. `problem` is what programs read of it."""

    def __init__(self, message: str, problem: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.problem = problem


class ProblemGroup(click.Group):
    """The outermost group: asked for JSON, it says in JSON what went wrong, with the words too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort) as exc:
            if not ctx.meta[_AS_JSON]:
                raise
            click.echo(json.dumps(problem_of(exc), ensure_ascii=False), err=True)
            raise click.exceptions.Exit(getattr(exc, "exit_code", 1)) from exc


def problem(code: str, title: str, detail: str) -> dict[str, Any]:
    """One of ours: no status, because nothing answered."""
    return {"title": title, "detail": detail, "code": code}


def problem_of(error: click.ClickException | click.Abort) -> Mapping[str, Any]:
    match error:
        case ProblemError():
            return error.problem
        case click.UsageError():
            said = problem("usage", "The command cannot be read", error.format_message())
            name = error.param.name if isinstance(error, click.BadParameter) and error.param else None
            return said | ({"errors": {name: [error.format_message()]}} if name else {})
        case click.ClickException():
            return problem("command_failed", "The command failed", error.format_message())
        case _:
            return problem("aborted", "Nothing was done", "There was no yes: give --yes, or answer y.")
