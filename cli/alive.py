"""`finestra alive …`: does a process do its work. For health checks: it exits 1 when not."""

import click

from cli.options import json_option
from cli.screen import print_json
from cli.store_trouble import store_trouble_told
from shared.settings import load_settings
from shared.store.connection import connect
from shared.store.health import Health

#: Workers look at what is due twice a second.
_MOST_SECONDS = 10.0


@click.group()
def alive() -> None:
    """Whether a process does its work, for health checks."""


@alive.command()
@json_option
@click.option("--within", default=_MOST_SECONDS, show_default=True, metavar="SECONDS", help="How long ago.")
def worker(*, within: float, as_json: bool) -> None:
    """By work done and not by ping: a worker has looked at what is due in every business.

    Workers take turns, so with several this speaks for all of them together.
    """
    age = _beat_age()
    if age is None:
        raise click.ClickException("no worker works: in some business none ever did")
    if age > within:
        raise click.ClickException(f"no worker works: the last one did {age:.0f} s ago")
    if as_json:
        print_json({"worked_seconds_ago": round(age, 1)})
        return
    click.echo(f"a worker worked {age:.1f} s ago")


def _beat_age() -> float | None:
    """Of the business where it is longest ago, in seconds; None: one of them was never looked at."""
    with store_trouble_told():
        settings = load_settings()
        with connect(settings.redis_url.reveal()) as client:
            health = Health(client)
            beats, now = health.last_beats(settings.configuration.aliases_of).values(), health.time()
    ages = [(now - beat).total_seconds() for beat in beats if beat is not None]
    return max(ages) if len(ages) == len(beats) else None
