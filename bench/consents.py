"""Importing consents as CSV: seconds, and the memory of the command, which must not grow with the file."""

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.accepting import api
from bench.stage import accepts, process, show, wait_for
from bench.works import SECRET, works
from cli.ports import free_ports

_SIZES = (10_000, 100_000)
_LINE = "+39{number},opted_in,utility marketing,checkout,order-{number},2026-11-20T09:30:00Z\n"


def run(*, sizes: tuple[int, ...] = _SIZES) -> None:
    (port,) = free_ports(1)
    rows = []
    with works(latency_ms=0) as stage, process(api(port), stage.environ):
        wait_for(lambda: accepts(port), "api")
        for size in sizes:
            file = stage.folder / f"{size}.csv"
            write_file(file, size)
            before = stage.redis_bytes()
            seconds, megabytes = _import(file, port)
            each = (stage.redis_bytes() - before) / size
            rows.append(
                (f"{size:,}", f"{seconds:.1f}", f"{size / seconds:,.0f}", f"{megabytes:.0f}", f"{each:,.0f}")
            )
    show(
        "Consents: `finestra consent import`, each recorded with its history, with fsync",
        ("lines", "seconds", "per second", "peak MB of the command", "bytes in Redis each"),
        rows,
    )


def write_file(file: Path, size: int) -> None:
    with file.open("w", encoding="utf-8") as lines:
        lines.write("contact,status,categories,source,evidence,at\n")
        lines.writelines(_LINE.format(number=3_330_000_000 + number) for number in range(size, 2 * size))


def _import(file: Path, port: int) -> tuple[float, float]:
    """From the start of the process to its end, and the most memory that it had."""
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "cli", "consent", "import", str(file), "--sender", "shop", "--url", url]
    started = time.monotonic()
    child = subprocess.Popen([*command, "--key", SECRET])
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"the import of {file.name} failed")
    return time.monotonic() - started, usage.ru_maxrss / 1024


if __name__ == "__main__":
    run()
