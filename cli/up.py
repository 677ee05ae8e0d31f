"""`finestra up`: everything on this machine, until it is told to stop."""

import os
import sys

import click
from rich.console import Console

from cli.redis_binary import RedisServerError
from cli.supervisor import ProcessEvent
from cli.unit import ALL, NotReadyError, Unit, prepare
from shared.errors import SettingsError

console = Console(stderr=True, highlight=False, soft_wrap=True)


@click.command()
@click.option(
    "--only", default="", metavar="NAMES", help=f"Start just these, comma between: {','.join(ALL)}."
)
def up(only: str) -> None:
    """Run all processes on this machine; bring Redis along when FINESTRA_REDIS_URL is not set."""
    names = tuple(name.strip() for name in only.split(",") if name.strip())
    unknown = set(names) - set(ALL)
    if unknown:
        raise click.BadParameter(f"no such process: {', '.join(sorted(unknown))}", param_hint="--only")
    try:
        unit = prepare(os.environ, only=names, on_event=_tell)
    except SettingsError as exc:
        raise click.ClickException("\n  ".join(["the settings are wrong:", *exc.mistakes])) from exc
    except (RedisServerError, OSError) as exc:
        raise click.ClickException(str(exc)) from exc
    sys.exit(_run(unit))


def _run(unit: Unit) -> int:
    with unit.supervisor.signals_caught():
        try:
            unit.start()
        except NotReadyError as exc:
            unit.stop()
            if unit.supervisor.is_asked_to_stop:
                return 0
            console.print(f"[red]finestra: {exc}[/red]")
            return 1
        _greet(unit)
        code = unit.supervisor.run()
    unit.stop()
    return code


def _greet(unit: Unit) -> None:
    console.print("[bold green]Finestra is up.[/bold green]")
    for name, address in unit.addresses.items():
        console.print(f"  {name:<9} {address}")
    development = unit.development
    if development is None:
        return
    console.print("  No FINESTRA_CONFIG: running against the sandbox, for trying things out.")
    console.print(f"  API key   {development.data_dir}/secrets/orders_key (admin: desk_key)")
    login = f"user {unit.settings.flower_user}, password in {development.data_dir}/secrets/flower_password"
    console.print(f"  Flower    {login}")


def _tell(event: ProcessEvent) -> None:
    if event.kind == "died":
        again = f"; again in {event.restart_in_seconds:.1f} s" if event.restart_in_seconds else ""
        console.print(f"[yellow]{event.name} died (exit code {event.exit_code}){again}[/yellow]")
    elif event.kind == "killed":
        console.print(f"[red]{event.name} did not stop in time and was killed[/red]")
