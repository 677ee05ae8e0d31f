"""A server with the users that we ship: deploy/redis, started by the script that the container runs."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import yaml

from cli.ports import free_ports
from cli.redis_binary import _servers
from cli.supervisor import Process, kill_group, spawn, wait_until

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "redis"
_COMPOSE = yaml.safe_load((FOLDER.parent.parent / "docker-compose.yml").read_text())
#: As the container is started, but for the fsync: no test pulls the plug.
OPTIONS = " ".join(_COMPOSE["services"]["redis"]["command"][3:]).replace("always", "everysec").split(" ")
PASSWORDS = {
    "FINESTRA_REDIS_PASSWORD": "f0",
    "FINESTRA_BROKER_PASSWORD": "b1",
    "FINESTRA_FLOWER_REDIS_PASSWORD": "f2",
    "FINESTRA_OPERATOR_PASSWORD": "03",
}
_OF = dict(zip(("finestra", "broker", "flower", "operator"), PASSWORDS.values(), strict=True))


class GuardedServer:
    def __init__(self, port: int) -> None:
        self._port = port

    def url(self, user: str, database: int = 0) -> str:
        return f"redis://{user}:{_OF[user]}@127.0.0.1:{self._port}/{database}"

    def client(self, user: str) -> redis.Redis:
        return redis.Redis.from_url(self.url(user), decode_responses=True)

    def refused(self) -> list[str]:
        """What was refused to those with a name since the start: `user: what`."""
        with self.client("operator") as operator:
            entries = [(entry["username"], entry["object"]) for entry in operator.acl_log()]
        return [f"{user}: {what}" for user, what in entries if user != "default"]


@contextmanager
def guarded_server(folder: Path, *options: str, also: str = "") -> Iterator[GuardedServer]:
    """The users file names what older servers do not know: the newest one here runs it.

    `also`: what tests themselves need besides, as rules for the user of the data.
    """
    (port,) = free_ports(1)
    newest = max(_servers(), key=lambda server: server.version)
    start = shutil.copy(FOLDER / "start.sh", folder)
    users = (FOLDER / "users.acl").read_text()
    (folder / "users.acl").write_text(users.replace("#{finestra} ", f"#{{finestra}} {also} "))
    argv = ("sh", start, str(newest.path), "--bind", "127.0.0.1", "--port", str(port))
    environ = {"PATH": os.environ["PATH"], "FINESTRA_USERS_FILE": str(folder / "made.acl"), **PASSWORDS}
    argv = (*argv, "--dir", str(folder), *OPTIONS, *options)
    child = spawn(Process(name="redis", argv=argv, env=environ), log_path=folder / "redis.log")
    try:
        assert wait_until(lambda: _answers(port), timeout_seconds=10), (folder / "redis.log").read_text()
        yield GuardedServer(port)
    finally:
        kill_group(child)


def _answers(port: int) -> bool:
    """As the health check asks: without a name."""
    try:
        with redis.Redis(port=port, socket_timeout=1) as stranger:
            return bool(stranger.ping())
    except redis.RedisError:
        return False
