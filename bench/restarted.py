"""A process that is made anew as an operator does it: stopped and started, or told to read itself again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.stage import answers, python, wait_for

_STOP_SECONDS = 60


@dataclass(slots=True, kw_only=True)
class Restarted:
    """A process that is stopped and started again; it is ready before anybody goes on."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    is_ready: Callable[[], bool]
    #: What it says, over all its lives.
    log: Path
    stops_seconds: list[float] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)
    _child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(self.argv, env=dict(self.environ), stdout=out, stderr=out)
        wait_for(self.is_ready, self.name)

    def send(self, number: signal.Signals) -> None:
        """To one that runs."""
        if self._child is not None:
            self._child.send_signal(number)

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        """SIGTERM; who does not leave is killed, and that shows as an exit code below zero."""
        if self._child is None:
            return
        started_at = time.monotonic()
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self.stops_seconds.append(time.monotonic() - started_at)
        self.exit_codes.append(self._child.returncode)
        self._child = None

    def row(self) -> tuple[str, ...]:
        left = sum(code == 0 for code in self.exit_codes)
        return self.name, str(len(self.exit_codes)), str(left), f"{max(self.stops_seconds):.1f} s"


def restarted_receiver(name: str, folder: Path, environ: Mapping[str, str], port: int) -> Restarted:
    """As it is shipped, on a port of its own."""
    options = ("-c", "python:webhook.gunicorn_conf", "--bind", f"127.0.0.1:{port}")
    return Restarted(
        name=name,
        argv=python("-m", "gunicorn", *options, "webhook.wsgi:receiver()"),
        environ={**os.environ, **environ},
        is_ready=lambda: answers(port, "/readyz"),
        log=folder / f"{name.replace(' ', '-')}.log",
    )


@dataclass(slots=True, kw_only=True)
class Reloaded:
    """nginx: its old processes answer what they have and leave, new ones take over their ear."""

    name: str
    pid_file: Path
    stops_seconds: list[float] = field(default_factory=list)

    def restart(self) -> None:
        master = psutil.Process(int(self.pid_file.read_text(encoding="ascii")))
        old = master.children()
        started_at = time.monotonic()
        master.send_signal(signal.SIGHUP)
        psutil.wait_procs(old, timeout=_STOP_SECONDS)
        self.stops_seconds.append(time.monotonic() - started_at)

    def row(self) -> tuple[str, ...]:
        times = str(len(self.stops_seconds))
        return self.name, times, times, f"{max(self.stops_seconds):.1f} s"
