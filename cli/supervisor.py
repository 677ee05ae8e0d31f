"""Runs named processes as one unit: starts them, restarts the dead, stops them in order.
It does not know what they do, nor when they are well: the caller brings the checks.

No child outlives us, not even after kill -9: on Linux each asks the kernel for SIGKILL at the death of its
parent (PR_SET_PDEATHSIG). A child's own children do not inherit that. Ours need not: gunicorn's gthread
workers see within a second that their parent has gone (sync ones take half of --timeout; gunicorn 27.0.1),
and a Celery worker with a pool of threads has no children. Other systems lack the call; there only an orderly
stop takes the children along.

The kernel means the *thread* that started the child: start, tick and run belong on the main thread.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import IO, Literal, NoReturn

PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html, read 2026-11-22
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    name: str
    argv: Sequence[str]
    #: The whole environment; None: ours.
    env: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_seconds: float = 60
    #: Lower stops first; equal ones stop together.
    stop_order: int = 0
    #: Open files the child keeps, such as a lock.
    pass_fds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEvent:
    kind: Literal["started", "died", "stopped", "killed"]
    name: str
    pid: int
    exit_code: int | None = None
    #: Only for "died": the pause before it is started again.
    restart_in_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    first_seconds: float = 0.5
    longest_seconds: float = 30
    #: A child that lived as long as this starts again at the first pause.
    healthy_after_seconds: float = 10

    def next_pause(self, last_pause: float, lived_seconds: float) -> float:
        if last_pause == 0 or lived_seconds >= self.healthy_after_seconds:
            return self.first_seconds
        return min(last_pause * 2, self.longest_seconds)


def spawn(process: Process, *, log_path: Path | None = None) -> subprocess.Popen[bytes]:
    """Start it as the leader of its own process group, bound to our life.
    No `log_path`: it writes where we write.
    """
    # This file, run as a program (see the end), binds the child and becomes it. `preexec_fn` would spare the
    # second interpreter, but runs Python between fork and exec, which can deadlock once there are threads.
    binder = (sys.executable, "-I", "-S", __file__, str(os.getpid()))
    with _output(log_path) as output:
        return subprocess.Popen(
            [*binder, *process.argv],
            env=process.env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=process.pass_fds,
            process_group=0,  # Ctrl-C reaches us alone, and we keep the order
        )


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL for it and everything it started; then it is reaped."""
    # Gone already; macOS says "not permitted" of a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float) -> bool:
    """Asks at least once. False: the time is over."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)  # what is waited for is another process, which tells nobody
    return True


class Supervisor:
    """One unit of processes. `run()` is the whole life; the other methods are its steps."""

    def __init__(
        self,
        processes: Iterable[Process],
        *,
        on_event: Callable[[ProcessEvent], None] = lambda _event: None,
        log_dir: Path | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """`log_dir`: each child writes to `<log_dir>/<name>.log`; None: where we write."""
        self._children = {process.name: _Child(process) for process in processes}
        self._on_event = on_event
        self._log_dir = log_dir
        self._backoff = backoff or Backoff()
        self._stop_requests = 0

    def run(self) -> int:
        """Start all and keep them running until SIGTERM or SIGINT, then stop in order.
        A second signal kills at once.

        Returns the exit code: 0 if every child left when asked, 1 if one had to be killed.
        """
        with self.signals_caught():
            try:
                if not self._stop_requests:
                    self.start()
                while not self._stop_requests:
                    self.tick()
                    time.sleep(POLL_SECONDS)  # how soon a death or a signal is seen
            finally:
                left_when_asked = self.stop()
        return 0 if left_when_asked else 1

    def start(self, *names: str) -> None:
        """Start these, or all; what runs already is left alone."""
        for name in names or self._children:
            self._children[name].is_wanted = True
        self.tick()

    def tick(self) -> None:
        """See who died; start again whose pause is over. To be called often: `run` and `wait_ready` do."""
        for child in self._children.values():
            if child.popen is not None and child.popen.poll() is not None:
                self._bury(child, child.popen)
            if child.is_wanted and child.popen is None and time.monotonic() >= child.not_before:
                self._launch(child)

    def wait_ready(self, checks: Mapping[str, Callable[[], bool]], *, timeout_seconds: float) -> list[str]:
        """Tick until every check said True once. Returns the names that never did; [] means ready.
        Returns early when asked to stop.
        """
        waiting = dict(checks)

        def is_over() -> bool:
            self.tick()
            for name in [name for name, is_ready in waiting.items() if is_ready()]:
                del waiting[name]
            return not waiting or self._stop_requests > 0

        wait_until(is_over, timeout_seconds=timeout_seconds)
        return list(waiting)

    def stop(self) -> bool:
        """Stop in order of `stop_order`; those whose turn has not come are kept alive.
        False: one had to be killed.
        """
        in_order = sorted(self._children.values(), key=_stop_order)
        killed = [self._stop_together(list(group)) for _, group in groupby(in_order, key=_stop_order)]
        return sum(killed) == 0

    @property
    def is_asked_to_stop(self) -> bool:
        return self._stop_requests > 0

    def is_running(self, name: str) -> bool:
        return self._children[name].is_running()

    def pid(self, name: str) -> int | None:
        """None: it is not running now."""
        child = self._children[name]
        return child.popen.pid if child.popen is not None and child.is_running() else None

    def kill(self, name: str, number: signal.Signals) -> None:
        """Send the signal to the child alone; nothing happens if it is not running."""
        child = self._children[name]
        if child.popen is not None:
            child.popen.send_signal(number)

    @contextlib.contextmanager
    def signals_caught(self) -> Iterator[None]:
        """SIGTERM and SIGINT ask us to stop. `run` does this by itself; use it to cover the steps before."""
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self._request_stop) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requests += 1

    def _launch(self, child: "_Child") -> None:
        name = child.process.name
        child.popen = spawn(child.process, log_path=self._log_dir and self._log_dir / f"{name}.log")
        child.started_at = time.monotonic()
        self._on_event(ProcessEvent(kind="started", name=name, pid=child.popen.pid))

    def _bury(self, child: "_Child", popen: subprocess.Popen[bytes]) -> None:
        kill_group(popen)  # what it leaves behind may hold its port
        child.popen = None
        now = time.monotonic()
        child.pause = self._backoff.next_pause(child.pause, now - child.started_at)
        child.not_before = now + child.pause
        self._on_event(
            ProcessEvent(
                kind="died" if child.is_wanted else "stopped",
                name=child.process.name,
                pid=popen.pid,
                exit_code=popen.returncode,
                restart_in_seconds=child.pause if child.is_wanted else None,
            )
        )

    def _stop_together(self, group: list["_Child"]) -> int:
        """How many had to be killed."""
        for child in group:
            child.is_wanted = False
            self.kill(child.process.name, child.process.stop_signal)
        asked_at = time.monotonic()

        def is_over() -> bool:
            self.tick()
            waited = time.monotonic() - asked_at
            return self._stop_requests > 1 or all(child.has_had_its_time(waited) for child in group)

        wait_until(is_over, timeout_seconds=max(child.process.stop_timeout_seconds for child in group))
        left = [(child, child.popen) for child in group if child.popen is not None]
        for child, popen in left:
            self._kill(child, popen)
        return len(left)

    def _kill(self, child: "_Child", popen: subprocess.Popen[bytes]) -> None:
        kill_group(popen)
        child.popen = None
        name = child.process.name
        self._on_event(ProcessEvent(kind="killed", name=name, pid=popen.pid, exit_code=popen.returncode))


class _Child:
    """What we know of one process, over all its lives."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.popen: subprocess.Popen[bytes] | None = None
        self.is_wanted = False
        self.started_at = 0.0
        self.pause = 0.0
        self.not_before = 0.0

    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def has_had_its_time(self, waited_seconds: float) -> bool:
        return self.popen is None or waited_seconds >= self.process.stop_timeout_seconds


def _stop_order(child: _Child) -> int:
    return child.process.stop_order


def _output(log_path: Path | None) -> contextlib.AbstractContextManager[IO[bytes] | None]:
    return contextlib.nullcontext() if log_path is None else log_path.open("ab")


def _become(parent_pid: int, argv: list[str]) -> NoReturn:
    """Runs in the child: bind it to its parent, then turn into the program."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent_pid:  # it died before we were bound
        sys.exit("the parent has gone")
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and exec hands that on
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)  # noqa: S606  # no shell is what we want
    except OSError as exc:
        sys.exit(f"cannot run {argv[0]}: {exc.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
