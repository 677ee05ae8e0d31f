"""`finestra template submit|approve|resume|delete|history|sync|doctor|…`: how templates get approved."""

import sys
from typing import Any

import click
from rich.table import Column, Table

from cli.client import default_api
from cli.options import options
from cli.screen import add_row, console, print_json
from cli.templates import print_template, sender_options, template_path

#: The provider may be asked twice, for eight seconds each.
_ASKING_SECONDS = 30
#: A list of thousands has many pages.
_READING_SECONDS = 300
_named = options(click.argument("name"), click.argument("language"), sender_options)
_decided = options(
    click.option("--gate", type=click.Choice(["provider", "whatsapp"]), required=True, help="Who decided."),
    click.option(
        "--version",
        type=click.IntRange(min=1),
        help="Which they decided on; without it the one in force is shown, and asked about on a terminal.",
    ),
)


class _Asked:
    """One template, and how to ask about it."""

    def __init__(self, *, name: str, language: str, sender: str | None, **where: str | None) -> None:
        self._api = default_api(where["url"], where["key"])
        self._path, self._sender = template_path(name, language), sender

    def call(self, method: str, what: str = "", **more: Any) -> Any:  # noqa: ANN401 - JSON
        named = {"sender": self._sender}
        return self._api.call(method, self._path + what, params=named, timeout=_ASKING_SECONDS, **more)

    def seen(self, *, as_json: bool) -> int:
        """The version in force, once whoever decides has looked at it."""
        answer = self.call("GET")
        if not as_json:
            print_template(answer)
        if not as_json and sys.stdin.isatty():
            click.confirm("Is this what was decided on?", abort=True, err=True)
        return int(answer["version"])

    def change(self, what: str, *, as_json: bool, body: dict[str, Any] | None = None) -> None:
        answer = self.call("POST", what, **({"json": body} if body else {}))
        print_json(answer) if as_json else print_template(answer)


@click.command()
@_named
def submit(as_json: bool, **named: Any) -> None:  # noqa: ANN401, FBT001 - click passes them so
    """Hand it in for approval: at Meta by its API, at CM.com by hand."""
    _Asked(**named).change("/submit", as_json=as_json)


@click.command()
@_decided
@_named
def approve(gate: str, version: int | None, as_json: bool, **named: Any) -> None:  # noqa: ANN401, FBT001
    """Record an approval by hand, where the provider reports none to us."""
    asked = _Asked(**named)
    body = {"gate": gate, "decision": "approved", "version": version or asked.seen(as_json=as_json)}
    asked.change("/approval", as_json=as_json, body=body)


@click.command()
@_decided
@click.option("--reason", required=True, help="Shown to whoever asks.")
@_named
def reject(gate: str, version: int | None, reason: str, as_json: bool, **named: Any) -> None:  # noqa: ANN401, FBT001
    """Record a rejection by hand, likewise."""
    asked = _Asked(**named)
    seen = version or asked.seen(as_json=as_json)
    body = {"gate": gate, "decision": "rejected", "reason": reason, "version": seen}
    asked.change("/approval", as_json=as_json, body=body)


@click.command()
@_named
def resume(as_json: bool, **named: Any) -> None:  # noqa: ANN401, FBT001
    """Let it go on after an error, a pause for pacing, or another category."""
    _Asked(**named).change("/resume", as_json=as_json)


@click.command()
@_named
def delete(as_json: bool, **named: Any) -> None:  # noqa: ANN401, FBT001
    """Delete it, at Meta too; what is queued with it is refused, or goes with an alternate."""
    _Asked(**named).call("DELETE")
    deleted = {"name": named["name"], "language": named["language"], "deleted": True}
    print_json(deleted) if as_json else click.echo("deleted")


@click.command()
@_named
def history(as_json: bool, **named: Any) -> None:  # noqa: ANN401, FBT001
    """Who decided what about it, and when; the newest first."""
    answer = _Asked(**named).call("GET", "/history")
    if as_json:
        print_json(answer)
        return
    table = Table(Column("at", no_wrap=True), "by", "event", "details")
    for one in answer["items"]:
        details = ", ".join(f"{name} {value or 'gone'}" for name, value in one["details"].items())
        add_row(table, one["at"], one["by"], one["event"], details)
    console.print(table)


@click.command()
@_named
def versions(as_json: bool, **named: Any) -> None:  # noqa: ANN401, FBT001
    """Its contents; the one in force first."""
    answer = _Asked(**named).call("GET", "/versions")
    if as_json:
        print_json(answer)
        return
    table = Table("version", Column("replaced at", no_wrap=True), "body")
    for one in answer["items"]:
        add_row(table, str(one["version"]), one["replaced_at"] or "in force", one["body"])
    console.print(table)


@click.command()
@click.option("--last", is_flag=True, help="Only show how the last reading went.")
@sender_options
def sync(sender: str | None, url: str | None, key: str | None, last: bool, as_json: bool) -> None:  # noqa: FBT001
    """Read the provider's list of templates now. Exit 1 when it could not be read whole."""
    api, named = default_api(url, key), {"sender": sender}
    if last:
        reports = api.call("GET", "/v1/templates/sync", params=named)["items"]
    else:
        reports = [api.call("POST", "/v1/templates/sync", params=named, timeout=_READING_SECONDS)]
    if as_json:
        print_json({"items": reports})
    else:
        _print_reports(reports)
    if any(one["failed_with"] for one in reports):
        raise SystemExit(1)


def _print_reports(reports: list[dict[str, Any]]) -> None:
    for one in reports:
        counts = ", ".join(f"{one[name]} {name}" for name in ("listed", "imported", "changed"))
        click.echo(f"{one['sender']}: {counts}, whole at {one['complete_at'] or 'no time yet'}")
        if one["failed_with"]:
            click.echo(f"  failed with {one['failed_with']}: {one['advice']}")
        for bad in one["unread"]:
            click.echo(f"  not read: {bad['name']}/{bad['language']}: {bad['reason']}")


@click.command()
@sender_options
def doctor(sender: str | None, url: str | None, key: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Which templates in use cannot be sent: named by what waits, or by the last week. Exit 1 if any."""
    answer = default_api(url, key).call("GET", "/v1/templates/in-use", params={"sender": sender})
    ill = [one for one in answer["items"] if not one["is_sendable"]]
    if as_json:
        print_json(answer)
    elif not ill:
        click.echo(f"All {len(answer['items'])} templates in use can be sent.")
    else:
        titles = ("sender", "status", "since", "waiting", "last 7 days", "why")
        table = Table(Column("template", no_wrap=True), *titles)
        for one in ill:
            name, counts = f"{one['name']}/{one['language']}", (str(one["waiting"]), str(one["recent"]))
            stands = (one["sender"], one["status"], one["since"] or "")
            add_row(table, name, *stands, *counts, one["why"] or "")
        console.print(table)
    if ill:
        raise SystemExit(1)
