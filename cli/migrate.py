"""`finestra migrate`: brings stored data to the version of this Finestra; `up` does it by itself."""

from dataclasses import asdict

import click

from cli.options import json_option
from cli.screen import print_json
from cli.store_trouble import store_trouble_told
from cli.supervisor import wait_until
from shared.errors import DataVersionError, MigrationRunningError
from shared.settings import Settings, load_settings
from shared.store.connection import connect
from shared.store.migrations import Migrated
from shared.store.migrations import migrate as migrate_data

#: For another's migration to end, or to be taken over.
_PATIENCE_SECONDS = 600


@click.command()
@json_option
def migrate(*, as_json: bool) -> None:
    """Bring stored data to this version. Safe to repeat, and to do while others do it.

    With the Redis that `up` brings along there is nothing to run: `up` does it before it starts the rest.
    """
    try:
        with store_trouble_told():
            done = migrate_all(load_settings())
    except (DataVersionError, MigrationRunningError) as exc:
        raise click.ClickException(str(exc)) from exc
    if as_json:
        print_json([asdict(one) for one in done])
        return
    for one in done:
        click.echo(_sentence(one))
    if not done:
        click.echo("There is no business: FINESTRA_CONFIG names no sender.")


def migrate_all(settings: Settings) -> list[Migrated]:
    """Every business of the configuration; somebody else's migration is waited for."""
    businesses = tuple(settings.configuration.aliases_of)
    done: list[Migrated] = []
    with connect(settings.redis_url.reveal()) as client:

        def is_done() -> bool:
            try:
                done[:] = migrate_data(client, businesses)
            except MigrationRunningError:
                return False
            return True

        if not wait_until(is_done, timeout_seconds=_PATIENCE_SECONDS):
            raise MigrationRunningError("another process is still migrating the data: try again later")
    return done


def _sentence(one: Migrated) -> str:
    if not one.steps:
        return f"{one.business}: version {one.version}, nothing to do"
    steps = "; ".join(f"{what} ({changed} changed)" for what, changed in one.steps)
    return f"{one.business}: now version {one.version}: {steps}"
