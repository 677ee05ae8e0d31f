"""A process that is stopped as an operator does it, and started again."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.stage import wait_for

_STOP_SECONDS = 60


@dataclass(slots=True, kw_only=True)
class Restarted:
    """A process that is stopped and started again; it is ready before anybody goes on."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    is_ready: Callable[[], bool]
    stops_seconds: list[float] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)
    _child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._child = subprocess.Popen(
            self.argv, env=dict(self.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.is_ready, self.name)

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
