"""`finestra doctor`: is all well, and if not, what is to be done.

Speaks to Redis, the broker and the providers itself, so that it works when no process of ours does.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Column, Table

from cli.doctor_clock import Reading, check_clock, now
from cli.doctor_provider import check_provider, check_webhooks
from cli.doctor_store import (
    check_broker,
    check_data,
    check_lua,
    check_memory,
    check_persistence,
    check_policy,
    check_version,
)
from cli.doctor_work import check_beats, check_callbacks, check_sender, check_set_aside, check_templates
from cli.findings import Finding, Level, error, ok, warning
from cli.options import json_option
from cli.redis_server import url_left_in
from cli.screen import add_row, console, print_json
from cli.store_trouble import AWAY, RIGHTS, refusal_of
from shared.clock import ServerClock
from shared.deps import Deps, assemble
from shared.errors import SettingsError, StoreUnavailableError
from shared.queues import broker_trouble
from shared.settings import Settings, load_settings
from shared.store.connection import StoreRefusal, connect, server_time
from shared.store.data_version import versions_of

_STYLES = {Level.OK: "green", Level.UNCHECKED: "dim", Level.WARNING: "yellow", Level.ERROR: "bold red"}
Look = Callable[[], Iterator[Finding]]


@click.command()
@click.option("--offline", is_flag=True, help="Ask no provider anything.")
@json_option
def doctor(offline: bool, as_json: bool) -> None:  # noqa: FBT001 - click passes them so
    """Check settings, Redis, broker, clocks, providers, templates and what is stuck. Exit 1 on errors."""
    _find_development()
    findings = list(examine(offline=offline))
    counts = Counter(one.level.value for one in findings)
    if as_json:
        print_json({"findings": [asdict(one) for one in findings], "counts": counts})
    else:
        _print(findings)
        click.echo(", ".join(f"{counts[level]} {level}" for level in Level))
    if counts[Level.ERROR]:
        raise SystemExit(1)


def examine(*, offline: bool) -> Iterator[Finding]:
    try:
        settings = load_settings()
    except SettingsError as exc:
        yield from (
            error("settings", mistake, "mend it: no process starts like this") for mistake in exc.mistakes
        )
        return
    yield check_settings(settings)
    yield check_broker(broker_trouble(settings))
    with connect(settings.redis_url.reveal()) as client:
        clock = ServerClock(lambda: server_time(client))
        deps = assemble(settings, client, clock=clock, ring=lambda _sender: None)
        store = list(or_away(lambda: check_store(deps)))
        yield from store
        if not offline:
            for sender in settings.configuration.senders.values():
                yield from check_provider(deps, sender)
        if store[0].level is Level.OK:
            businesses = tuple(settings.configuration.aliases_of)
            yield from or_away(lambda: iter([check_data(versions_of(client, businesses))]))
            yield from or_away(lambda: _by_its_clock(deps, clock))


def check_settings(settings: Settings) -> Finding:
    configuration = settings.configuration
    if not configuration.senders:
        return warning("settings", "no sender is configured", "name a file with senders in FINESTRA_CONFIG")
    if not settings.secret_keys:
        return warning("settings", "no secret key", "set FINESTRA_SECRET_KEY, or nobody can be erased")
    return ok("settings", f"{len(configuration.senders)} senders, {len(configuration.apps)} apps")


def check_store(deps: Deps) -> Iterator[Finding]:
    reading = Reading(asked_at=now(), told=deps.health.time(), answered_at=now())
    yield ok("redis", "reachable")
    yield check_clock(reading, "Redis")
    condition = deps.health.condition()
    for check in (check_version, check_policy, check_persistence, check_memory):
        yield check(condition)
    yield check_lua(runs=deps.health.runs_lua())


def check_work(deps: Deps) -> Iterator[Finding]:
    configuration, at = deps.settings.configuration, deps.clock.now()
    yield from check_beats(deps.health.last_beats(configuration.aliases_of), at=at)
    reading = deps.metrics.read(now=at)
    for sender in configuration.senders.values():
        yield from check_sender(deps, sender)
        yield check_webhooks(sender, reading)
    yield from check_templates(deps)
    for app in configuration.pushed_apps:
        yield from check_callbacks(deps, app)
    yield from check_set_aside(deps, configuration.aliases_of)


def _by_its_clock(deps: Deps, clock: ServerClock) -> Iterator[Finding]:
    clock.measure()
    yield from check_work(deps)


def or_away(checks: Look) -> Iterator[Finding]:
    """What was found until Redis went away or said no, and that it did."""
    try:
        yield from checks()
    except StoreUnavailableError as exc:
        todo = f"{AWAY}; until then nothing is acknowledged and nothing is sent"
        yield error("redis", f"does not answer ({exc})", todo)
    except StoreRefusal as exc:
        yield error("redis", refusal_of(exc), RIGHTS)


def _find_development() -> None:
    """What `finestra up` runs on when nobody configured it, unless the environment says otherwise."""
    data_dir = Path(os.environ.get("FINESTRA_DATA_DIR", "var"))
    url, configuration = url_left_in(data_dir / "redis"), data_dir / "finestra.toml"
    secret_key = data_dir / "secrets" / "secret_key"
    if url is not None:
        os.environ.setdefault("FINESTRA_REDIS_URL", url)
    if "FINESTRA_CONFIG" not in os.environ and configuration.exists() and secret_key.exists():
        os.environ["FINESTRA_CONFIG"] = str(configuration)
        os.environ.setdefault("FINESTRA_SECRET_KEY", secret_key.read_text(encoding="utf-8").strip())


def _print(findings: list[Finding]) -> None:
    table = Table(Column("check", no_wrap=True), "about", "", "seen", "what to do")
    for one in findings:
        add_row(table, one.check, one.about, one.level.value, one.seen, one.todo)
        table.rows[-1].style = _STYLES[one.level]
    console.print(table)
