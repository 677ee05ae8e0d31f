"""Loopback ports that nobody listens on now."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """Different ones; the system may give them to somebody else before they are used."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def is_taken(host: str, port: int) -> bool:
    """Whether somebody listens there now. An address that is not ours counts: nobody could bind it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def free_binds() -> dict[str, str]:
    """Settings that put every process on a free port."""
    names = ("RECEIVER", "API", "FLOWER", "SANDBOX")
    ports = free_ports(len(names))
    return {f"FINESTRA_{name}_BIND": f"127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)}
