"""The nginx in front of the receiver: `deploy/nginx.conf` itself, with the addresses of this machine."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.stage import accepts, process, wait_for
from cli.ports import free_ports

CONFIG = Path(__file__).parent.parent / "deploy" / "nginx.conf"


def is_installed() -> bool:
    return shutil.which("nginx") is not None


@contextlib.contextmanager
def nginx(folder: Path, *receivers: str) -> Iterator[int]:
    """The port on which it stands in front of `receivers`, each a `host:port`."""
    (port,) = free_ports(1)
    config = folder / "nginx.conf"
    config.write_text(at_home(CONFIG.read_text(encoding="utf-8"), folder, port, receivers), encoding="utf-8")
    # Root's workers become somebody else, who may not look into our folder.
    directives = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    log = folder / "nginx.log"
    argv = ("nginx", "-e", "stderr", "-c", str(config), "-g", directives)
    with log.open("ab") as out, process(argv, {}, output=out):
        wait_for(lambda: accepts(port), f"nginx, see {log}", 10)
        yield port


def at_home(config: str, folder: Path, port: int, receivers: Sequence[str]) -> str:
    """The same configuration with the addresses and the folder of this machine."""
    config = re.sub(r"listen 8080\b", f"listen 127.0.0.1:{port}", config)
    first, *others = re.findall(r"server receiver\d*:8080[^;]*;", config)
    for other in others:
        config = config.replace(other, "")
    config = config.replace(first, " ".join(first.replace("receiver:8080", each) for each in receivers))
    return config.replace("/tmp/", f"{folder}/")  # noqa: S108 - the container's own
