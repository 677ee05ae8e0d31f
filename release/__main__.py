"""`python -m release audit|sbom LOCK FILE`: judges what the tool of that name wrote. Exit 1 on any fault."""

import json
import sys
from pathlib import Path

import click

from release.check import faults_of_audit, faults_of_sbom, locked

_CHECKS = {"audit": faults_of_audit, "sbom": faults_of_sbom}


@click.command()
@click.argument("step", type=click.Choice(list(_CHECKS)))
@click.argument("lock", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
def main(step: str, lock: Path, file: Path) -> None:
    """Say whether FILE speaks of every package in LOCK, and what is wrong."""
    if not file.exists():
        raise click.ClickException(f"{file} is not there: the tool could not ask, see above")
    pinned = lock.read_text(encoding="utf-8")
    faults = list(_CHECKS[step](pinned, json.loads(file.read_text(encoding="utf-8"))))
    for fault in faults:
        click.echo(fault)
    if not faults:
        count = len(locked(pinned, everywhere=step == "sbom"))
        click.echo(f"{step}: all {count} packages were looked at, and nothing is wrong.")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
