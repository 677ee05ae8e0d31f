"""`finestra sender drain`: halts a number and waits until nothing of it is in flight; says what is left.

Once the halt is answered no attempt begins any more (lua/begin.lua looks at it): what is in flight only ends.
"""

from typing import Any

import click

from cli.client import Api, default_api
from cli.completion import aliases
from cli.options import api_options
from cli.screen import print_json
from cli.senders import sender_path
from cli.supervisor import wait_until

_PAGE = 500


@click.command()
@click.argument("alias", shell_complete=aliases)
@click.option("--why", required=True, help="Shown to whoever asks.")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="At most, for what is in flight to end.",
)
@api_options
def drain(alias: str, why: str, wait: float, url: str | None, key: str | None, *, as_json: bool) -> None:
    """Halt it and wait until nothing of it is in flight; what is queued stays. Exit 1 if some still is."""
    api = default_api(url, key)
    halted = api.call("POST", f"{sender_path(alias)}/halt", json={"why": why})
    wait_until(lambda: not _count(api, alias, "sending"), timeout_seconds=wait)
    left = {"in_flight": _count(api, alias, "sending"), "in_doubt": _count(api, alias, "unknown")}
    if as_json:
        print_json({"sender": halted, **left})
    else:
        _tell(alias, **left)
    if left["in_flight"]:
        raise SystemExit(1)


def _tell(alias: str, *, in_flight: int, in_doubt: int) -> None:
    look = f"finestra message list --sender {alias} --state"
    if in_flight:
        click.echo(f"{alias} is halted and {in_flight} are still in flight: {look} sending")
    else:
        click.echo(f"{alias} is halted and nothing is in flight.")
    if in_doubt:
        click.echo(f"{in_doubt} are in doubt and wait for the provider's word: {look} unknown")
    click.echo(f"What waits, stays: {look} queued,deferred,held")
    click.echo(f"It goes on with: finestra sender resume {alias}")


def _count(api: Api, alias: str, state: str) -> int:
    count, asked = 0, dict[str, Any](sender=alias, state=state, limit=_PAGE)
    while True:
        page = api.call("GET", "/v1/messages", params=asked)
        count += len(page["items"])
        if page["next"] is None:
            return count
        asked["after"] = page["next"]
