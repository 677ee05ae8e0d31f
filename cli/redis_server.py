"""A Redis of our own: finds a server on this machine, starts it on a data directory, stops it.
It does not know what is stored in it, and speaks only enough of its protocol to see that it is ready.
"""

import fcntl
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import Literal, Self

from cli.ports import free_ports
from cli.redis_binary import WHAT_TO_DO, RedisServerError, ServerBinary, dotted, find_server
from cli.supervisor import Process, kill_group, spawn, wait_until

HOST = "127.0.0.1"
READY_SECONDS = 10
STOP_SECONDS = 30
LOCK_SECONDS = 1
PORT_TAKEN = "Address already in use"
PAUSES_SECONDS = (0.2, 0.4, 0.8, 1.6)
#: All the server and the interpreter that starts it can use; our secrets stay ours.
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")
# Nothing here is younger than Redis 6.2: an unknown line stops the server. Without the preamble the file is
# plain commands, which any other server can read: Redis 7.0.15 refused the preamble of Valkey 9.1.2. It costs
# time at the start: 300,000 hashes of 12 fields load in 1.5 s instead of 0.5. Of events that a Flower which
# hangs does not read so much is kept, some 60,000; then it is let go, and comes back by itself.
CONFIG = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
daemonize no
dir {directory}
appendonly yes
appendfsync {fsync}
aof-use-rdb-preamble no
save ""
maxmemory-policy noeviction
client-output-buffer-limit pubsub 32mb 8mb 60
"""


class EmbeddedRedis:
    """One server on one data directory. Either `start()` and `stop()`, or `prepare()` and a supervisor.

    The password is new with each object, so a server restarted by a supervisor keeps its URL.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        port: int | None = None,
        fsync: Literal["always", "everysec"] = "always",
        server: ServerBinary | None = None,
    ) -> None:
        """`port`: None takes a free one. `server`: None finds one; RedisServerError if there is none."""
        self.server = server or find_server()
        self.data_dir = data_dir.absolute()
        self.port = port or free_ports(1)[0]
        self._port_is_ours_to_choose = port is None
        self._fsync = fsync
        self._password = secrets.token_hex(32)
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Holds the password: not for logs. Final once started."""
        return f"redis://:{self._password}@{HOST}:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """Of the server that `start()` started; None: it is not running."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def start(self) -> None:
        """Returns when the server answers. RedisServerError: the data is in use, or it did not come up."""
        if self.pid is not None:
            return
        reason = self._try_to_start()
        for pause_seconds in PAUSES_SECONDS:
            if PORT_TAKEN not in reason:
                break
            time.sleep(pause_seconds)  # its last holder may still be closing it
            self.port = free_ports(1)[0] if self._port_is_ours_to_choose else self.port
            reason = self._try_to_start()
        if reason:
            self.stop()
            raise RedisServerError(f"{self.server.path} did not start on {HOST}:{self.port}: {reason}")

    def stop(self) -> None:
        """SIGTERM lets the server write and fsync its append-only file. Then the data is free again."""
        if self._child is not None:
            self._child.terminate()
            wait_until(lambda: self.pid is None, timeout_seconds=STOP_SECONDS)
            kill_group(self._child)
            self._child = None
        if self._lock is not None:
            self._config_path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def prepare(self, *, stop_order: int = 0) -> Process:
        """Lock the data, write the configuration, and say how to run the server: for a supervisor, which may
        restart it. The lock lasts until `stop()`, and as long as the server lives.
        RedisServerError: the data is in use, or this server cannot read it.
        """
        self._refuse_younger_data()
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data_dir.chmod(0o700)
        if self._lock is None:
            self._lock = _lock(self.data_dir / "redis.lock")
        self._write_config()
        return Process(
            name="redis",
            argv=(str(self.server.path), str(self._config_path)),
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            stop_timeout_seconds=STOP_SECONDS,
            stop_order=stop_order,
            pass_fds=(self._lock,),  # shared by us and the server: the data is free when both are gone
        )

    def answers(self) -> bool:
        """Up, ours, and done loading."""
        return self._ping() == b"+PONG"

    def _refuse_younger_data(self) -> None:
        """Redis 7 moved its append-only file into a directory; an older server sees none and starts empty."""
        if self.server.version < (7,) and (self.data_dir / "appendonlydir").exists():
            raise RedisServerError(
                f"The data in {self.data_dir} needs a server of version 7 or newer, and {self.server.path} "
                f"is {dotted(self.server.version)}. {WHAT_TO_DO}"
            )

    @property
    def _config_path(self) -> Path:
        return self.data_dir / "redis.conf"

    def _write_config(self) -> None:
        """In a file that only we can read: arguments and environment are open to other eyes."""
        self._config_path.unlink(missing_ok=True)
        self._config_path.touch(mode=0o600, exist_ok=False)
        self._config_path.write_text(
            CONFIG.format(
                host=HOST,
                port=self.port,
                password=self._password,
                directory=_quoted(str(self.data_dir)),
                fsync=self._fsync,
            )
        )

    def _try_to_start(self) -> str:
        """Why it failed; "" if it did not."""
        process = self.prepare()
        log_path = self.data_dir / "redis.log"
        log_start = log_path.stat().st_size if log_path.exists() else 0
        self._child = spawn(process, log_path=log_path)
        if self._becomes_ready():
            return ""
        kill_group(self._child)
        self._child = None
        return _last_words(log_path, log_start)

    def _becomes_ready(self) -> bool:
        """False: it died, or was silent for READY_SECONDS. Loading is not silence: it may take long."""
        silent_since = time.monotonic()
        while self.pid is not None:
            reply = self._ping()
            if reply == b"+PONG":
                return True
            if reply.startswith(b"-LOADING"):
                silent_since = time.monotonic()
            if time.monotonic() - silent_since > READY_SECONDS:
                return False
            time.sleep(0.02)  # a server has no way to tell when it is ready
        return False

    def _ping(self) -> bytes:
        """The server's reply, b"" if there is none.
        By hand, as the redis library lives in shared/store alone.
        """
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as replies:
                    authenticated, answer = replies.readline(), replies.readline()
        except OSError:
            return b""
        return answer.strip() if authenticated == b"+OK\r\n" else b""


def url_left_in(data_dir: Path) -> str | None:
    """Of the server that runs on this data, as its configuration file says; None: none runs on it."""
    try:
        lines = (data_dir / "redis.conf").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    said = dict(line.partition(" ")[::2] for line in lines)
    return f"redis://:{said['requirepass']}@{HOST}:{said['port']}/0"


def _lock(path: Path) -> int:
    """The open, locked file. Waits a little: after a kill -9 the old server needs a moment to die."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if not wait_until(lambda: _is_locked_by_us(lock), timeout_seconds=LOCK_SECONDS):
        holder = os.pread(lock, 20, 0).decode()
        os.close(lock)
        raise RedisServerError(
            f"{path.parent} is in use by process {holder}, or by a server it left behind. "
            "Stop that one first, or choose another data directory."
        )
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def _is_locked_by_us(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _quoted(text: str) -> str:
    """As a redis.conf wants it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _last_words(log_path: Path, log_start: int) -> str:
    lines = log_path.read_bytes()[log_start:].decode(errors="replace").splitlines()
    return " | ".join([line for line in lines if line][-4:]) or "it said nothing"
