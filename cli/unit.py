"""All processes on one machine as one unit: what runs, with which environment, when it is ready."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests

from cli.development import Development
from cli.migrate import migrate_all
from cli.ports import is_taken
from cli.redis_server import EmbeddedRedis
from cli.store_trouble import RIGHTS, refusal_of
from cli.supervisor import Process, ProcessEvent, Supervisor
from shared.errors import DataVersionError, SettingsError, StoreUnavailableError
from shared.queues import make_celery
from shared.settings import Settings, load_settings
from shared.store.connection import StoreRefusal

READY_SECONDS = 60
#: A large append-only file takes its time.
LOADING_SECONDS = 600
SANDBOX_BIND = "127.0.0.1:8090"
ALL = ("receiver", "api", "worker", "submit", "flower", "sandbox")
_GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "python:webhook.gunicorn_conf")
_CELERY = (sys.executable, "-m", "celery", "-A", "workers.app:app")
_DOOR = (sys.executable, "-m", "celery", "-A", "workers.door:app")
_WORKER_OPTIONS = ("worker", "--without-gossip", "--without-mingle", "--loglevel", "WARNING")
#: Flower keeps about 4 kB a row; it is a live window, not history.
_FLOWER_ROWS = "20000"
#: Its own columns hide what came of a task, and whose it is.
_FLOWER_COLUMNS = "name,result,state,retries,received,runtime,uuid"


class NotReadyError(Exception):
    """Something did not come up; the text says what."""


@dataclass(slots=True)
class Unit:
    """One `up`: build it with `prepare`, then `run` it, or `start` and `stop` it."""

    settings: Settings
    environ: dict[str, str]
    names: tuple[str, ...]
    development: Development | None
    redis: EmbeddedRedis | None
    redis_process: Process | None
    log_dir: Path | None = None
    on_event: Callable[[ProcessEvent], None] = lambda _event: None
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        processes = [self.process(name) for name in self.names]
        if self.redis_process is not None:
            processes.append(self.redis_process)
        self.supervisor = Supervisor(processes, on_event=self.on_event, log_dir=self.log_dir)

    @property
    def addresses(self) -> dict[str, str]:
        binds = {
            "receiver": self.settings.receiver_bind,
            "api": self.settings.api_bind,
            "flower": self.settings.flower_bind,
            "sandbox": self.environ.get("FINESTRA_SANDBOX_BIND", SANDBOX_BIND),
        }
        return {name: f"http://{binds[name]}" for name in self.names if name in binds}

    def process(self, name: str) -> Process:
        """How one of ALL is run; the Procfile and docker-compose.yml say the same."""
        return _process(name, self)

    def start(self) -> None:
        """Redis first, then its data, then the rest; returns when all answer. Raises NotReadyError."""
        if self.redis is not None:
            self.supervisor.start("redis")
            self._wait({"redis": self.redis.answers}, seconds=LOADING_SECONDS)
        try:
            migrate_all(self.settings)
        except (DataVersionError, StoreUnavailableError) as exc:
            raise NotReadyError(str(exc)) from exc
        except StoreRefusal as exc:
            raise NotReadyError(f"Redis {refusal_of(exc)}: {RIGHTS}") from exc
        self.supervisor.start()
        self._wait(self._checks())

    def stop(self) -> bool:
        """Stop in order; False: something had to be killed."""
        left_when_asked = self.supervisor.stop()
        if self.redis is not None:
            self.redis.stop()
        return left_when_asked

    def _checks(self) -> dict[str, Callable[[], bool]]:
        paths = {"receiver": "/readyz", "api": "/readyz", "flower": "/healthcheck", "sandbox": "/livez"}
        checks: dict[str, Callable[[], bool]] = {
            name: _answers(address + paths[name]) for name, address in self.addresses.items()
        }
        if "worker" in self.names:
            checks["worker"] = _worker_answers(self.settings)
        return checks

    def _wait(self, checks: Mapping[str, Callable[[], bool]], seconds: float = READY_SECONDS) -> None:
        missing = self.supervisor.wait_ready(checks, timeout_seconds=seconds)
        if missing:
            raise NotReadyError("not ready: " + ", ".join(missing))


def prepare(
    environ: Mapping[str, str],
    *,
    only: tuple[str, ...] = (),
    log_dir: Path | None = None,
    on_event: Callable[[ProcessEvent], None] = lambda _event: None,
    callback_url: str | None = None,
) -> Unit:
    """Settings first, so that every mistake shows before anything starts.

    `callback_url`: where the app `orders` of our own configuration listens, on this machine. Raises
    SettingsError and RedisServerError.
    """
    env = dict(environ)
    data_dir = Path(env.setdefault("FINESTRA_DATA_DIR", "var")).absolute()
    redis, redis_process = None, None
    if not env.get("FINESTRA_REDIS_URL"):
        redis = EmbeddedRedis(data_dir=data_dir / "redis")
        redis_process = redis.prepare(stop_order=9)  # locks the data: a second `up` must not touch its files
        env["FINESTRA_REDIS_URL"] = redis.url
    try:
        development = None if env.get("FINESTRA_CONFIG") else _develop(env, data_dir, callback_url)
        os.environ.update(env)
        settings = load_settings()
        unit = Unit(
            settings=settings,
            environ=env,
            names=only or _wanted(settings, development),
            development=development,
            redis=redis,
            redis_process=redis_process,
            log_dir=log_dir,
            on_event=on_event,
        )
        _check(unit)
    except SettingsError:
        if redis is not None:
            redis.stop()
        raise
    return unit


def _check(unit: Unit) -> None:
    """What only shows on this machine: addresses that are taken, and Flower without a login."""
    mistakes = []
    if "flower" in unit.names and not unit.settings.flower_password.reveal():
        mistakes.append("FINESTRA_FLOWER_PASSWORD: Flower is never open, give it one")
    for name, address in unit.addresses.items():
        host, _, port = address.removeprefix("http://").rpartition(":")
        if is_taken(host.strip("[]"), int(port)):
            mistakes.append(f"FINESTRA_{name.upper()}_BIND: {host}:{port} is in use by another process")
    if mistakes:
        raise SettingsError(mistakes)


def _develop(env: dict[str, str], data_dir: Path, callback_url: str | None) -> Development:
    receiver = "http://" + env.get("FINESTRA_RECEIVER_BIND", "127.0.0.1:8080")
    sandbox = "http://" + env.get("FINESTRA_SANDBOX_BIND", SANDBOX_BIND)
    development = Development(data_dir, receiver, sandbox, callback_url)
    development.write()
    env["FINESTRA_CONFIG"] = str(development.config_path)
    env["FINESTRA_SANDBOX_ACCOUNTS"] = str(development.accounts_path)
    env.setdefault("FINESTRA_FLOWER_PASSWORD", development.secret("flower_password"))
    env.setdefault("FINESTRA_SECRET_KEY", development.secret("secret_key"))
    env.setdefault("FINESTRA_LOG_FORMAT", "console")
    return development


def _wanted(settings: Settings, development: Development | None) -> tuple[str, ...]:
    """The sandbox only when we made it up; Flower only behind a login; the Celery door when asked for."""
    unwanted = set()
    if not settings.celery_door:
        unwanted.add("submit")
    if development is None:
        unwanted.add("sandbox")
    if not settings.flower_password.reveal():
        unwanted.add("flower")
    return tuple(name for name in ALL if name not in unwanted)


def _process(name: str, unit: Unit) -> Process:
    match name:
        case "receiver":
            return _web(unit, name, unit.settings.receiver_bind, "webhook.wsgi:receiver()")
        case "api":
            # Two thirds of them are for long polls (webhook/api/events.py): no other call waits for one.
            return _web(unit, name, unit.settings.api_bind, "webhook.wsgi:api()", "--threads", "48")
        case "worker":
            return _worker(unit, name, _CELERY)
        case "submit":
            return _worker(unit, name, _DOOR)
        case "flower":
            return _flower(unit)
        case _:
            return _sandbox(unit)


def _web(unit: Unit, name: str, bind: str, app: str, *options: str) -> Process:
    argv = (*_GUNICORN, "--bind", bind, *options, app)
    return Process(name=name, argv=argv, env=unit.environ, stop_timeout_seconds=30, stop_order=0)


def _worker(unit: Unit, name: str, app: tuple[str, ...]) -> Process:
    argv = (*app, *_WORKER_OPTIONS)
    return Process(name=name, argv=argv, env=unit.environ, stop_timeout_seconds=60, stop_order=1)


def _sandbox(unit: Unit) -> Process:
    """One process: its world is in memory."""
    bind = unit.environ.get("FINESTRA_SANDBOX_BIND", SANDBOX_BIND)
    argv = (*_GUNICORN, "--workers", "1", "--threads", "64", "--bind", bind, "sandbox.wsgi:app()")
    return Process(name="sandbox", argv=argv, env=unit.environ, stop_timeout_seconds=10, stop_order=2)


def _flower(unit: Unit) -> Process:
    """Its login goes by environment: arguments are open to every eye on the machine."""
    settings = unit.settings
    host, _, port = settings.flower_bind.rpartition(":")
    shown = (f"--max_tasks={_FLOWER_ROWS}", f"--tasks_columns={_FLOWER_COLUMNS}")
    options = (f"--address={host}", f"--port={port}", "--read_only", *shown)
    login = f"{settings.flower_user}:{settings.flower_password.reveal()}"
    env = {**unit.environ, "FLOWER_BASIC_AUTH": login}
    argv = (*_CELERY, "flower", *options)
    return Process(name="flower", argv=argv, env=env, stop_timeout_seconds=10, stop_order=2)


def _answers(url: str) -> Callable[[], bool]:
    def check() -> bool:
        try:
            return requests.get(url, timeout=1).ok
        except requests.RequestException:
            return False

    return check


def _worker_answers(settings: Settings) -> Callable[[], bool]:
    celery = make_celery(settings, socket_timeout_seconds=1)

    def check() -> bool:
        return bool(celery.control.ping(timeout=0.3))

    return check
