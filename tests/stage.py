"""The real processes for tests: one `Unit` on free ports, with the sandbox to play provider and contact."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
import requests

from cli.client import Api
from cli.development import Development
from cli.ports import free_binds
from cli.supervisor import ProcessEvent
from cli.unit import Unit, prepare
from shared.store.connection import connect
from shared.store.data_version import CURRENT, FIELD
from tests.apps import App

NUMBERS = {"shop": "+15550783881", "negozio": "+390212345678"}


class Stage:
    """Starts what is named, speaks to it, and keeps the supervisor's promise to restart what dies."""

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        *,
        apps: Sequence[App] = (),
        senders: Mapping[str, str] | None = None,
        **settings: str,
    ) -> None:
        """`apps`: configured beside our own. `senders`: by alias, more lines for its table."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FINESTRA_")}
        environ = {**inherited, **free_binds(), "FINESTRA_DATA_DIR": str(folder), **settings}
        logs = folder / "logs"
        logs.mkdir()
        development = _configure(environ, folder, apps, senders or {}) if apps or senders else None
        #: What became of the processes, in order.
        self.events: list[ProcessEvent] = []
        self.unit: Unit = prepare(environ, only=tuple(names), log_dir=logs, on_event=self.events.append)
        self.unit.development = self.unit.development or development
        self.unit.start()
        assert self.unit.development is not None
        self.app = Api(self.unit.addresses.get("api", ""), self.unit.development.secret("orders_key"))
        self.desk = Api(self.unit.addresses.get("api", ""), self.unit.development.secret("desk_key"))

    def redis(self, database: int = 0) -> redis.Redis:
        return connect(self.unit.settings.redis_url.reveal().removesuffix("/0") + f"/{database}")

    def clear(self) -> None:
        """Nothing has happened yet: what Redis and the sandbox know goes, the processes stay."""
        with self.redis() as client:
            client.flushdb()
            client.hset("business:{default}", FIELD, CURRENT)  # as the processes found it when they started
        if "sandbox" in self.unit.addresses:
            self.sandbox("POST", "reset")

    def sandbox(self, method: str, door: str, **script: Any) -> Any:
        url = f"{self.unit.addresses['sandbox']}/control/{door}"
        options = {"params": script} if method == "GET" else {"json": script}
        answer = requests.request(method, url, timeout=10, **options)
        assert answer.ok, answer.text
        return answer.json()

    def writes(self, contact: str, sender: str = "shop", text: str = "Buongiorno") -> int:
        script = {"from": contact, "to": NUMBERS[sender], "text": text}
        return self.sandbox("POST", "inbound", **script)["webhook_status"]

    def sends_file(self, contact: str, sender: str = "shop", text: str = "", **media: Any) -> dict[str, Any]:
        """A contact sends a file: the answer names the message, and the file by its SHA-256."""
        script = {"from": contact, "to": NUMBERS[sender], "text": text, "media": media}
        answer = self.sandbox("POST", "inbound", **script)
        assert answer["webhook_status"] == 200
        return answer

    def message(self, message_id: str) -> dict[str, Any]:
        return self.app.call("GET", f"/v1/messages/{message_id}")

    def requests(self, sender: str = "shop") -> list[dict[str, Any]]:
        return self.sandbox("GET", "requests", number=NUMBERS[sender])["requests"]

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.unit.supervisor.tick()
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}\n{self._logs()}"
            time.sleep(0.05)

    def _logs(self) -> str:
        assert self.unit.log_dir is not None
        tails = [
            f"--- {p.name}\n" + "\n".join(p.read_text().splitlines()[-20:])
            for p in self.unit.log_dir.glob("*")
        ]
        return "\n".join(tails)


def _configure(
    environ: dict[str, str], folder: Path, apps: Sequence[App], senders: Mapping[str, str]
) -> Development:
    """Our own configuration with tables for `apps`, lines for `senders`; `environ` then names it."""
    addresses = [f"http://{environ[f'FINESTRA_{name}_BIND']}" for name in ("RECEIVER", "SANDBOX")]
    development = Development(folder, *addresses)
    development.write()
    tables = development.config_path.read_text(encoding="utf-8")
    for alias, lines in senders.items():
        tables = tables.replace(f"[senders.{alias}]\n", f"[senders.{alias}]\n{lines}\n")
    tables += "".join("\n" + app.table(folder / "secrets") for app in apps)
    development.config_path.write_text(tables, encoding="utf-8")
    environ["FINESTRA_CONFIG"] = str(development.config_path)
    environ["FINESTRA_SANDBOX_ACCOUNTS"] = str(development.accounts_path)
    return development


@contextmanager
def stages(folder: Path) -> Iterator[Callable[..., Stage]]:
    """Starts real processes; what is started is stopped, and the environment is as it was."""
    before = dict(os.environ)
    started: list[Stage] = []

    def start(*names: str, **options: Any) -> Stage:
        started.append(Stage(folder, names, **options))
        return started[-1]

    try:
        yield start
    finally:
        for one in started:
            one.unit.stop()
        os.environ.clear()
        os.environ.update(before)
