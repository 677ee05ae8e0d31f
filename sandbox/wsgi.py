"""Composition root of the sandbox's one process.

Run it with one worker and many threads, since all state is in memory:
gunicorn --worker-class gthread --workers 1 --threads 64 'sandbox.wsgi:app()'
"""

import json
import os
import signal
from pathlib import Path
from types import FrameType

from flask import Flask

from sandbox.accounts import parse_account
from sandbox.app import create_sandbox
from sandbox.delivery import Delivery
from sandbox.shapes import script_entries
from sandbox.world import World


def app() -> Flask:
    """FINESTRA_SANDBOX_ACCOUNTS: a JSON file {"accounts": [...]} to begin with; may be left out."""
    world, delivery = World(), Delivery()
    if path := os.environ.get("FINESTRA_SANDBOX_ACCOUNTS"):
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        world.put_accounts(parse_account(raw) for raw in script_entries(document, "accounts"))
    delivery.start()
    _end_pauses_on_sigterm(world)
    return create_sandbox(world, delivery)


def _end_pauses_on_sigterm(world: World) -> None:
    """A request that hangs on purpose must not hold up the end of the process.

    Only where a server has its own handler already, which is then called as before.
    """
    servers_handler = signal.getsignal(signal.SIGTERM)
    if not callable(servers_handler):
        return

    def handle(number: int, frame: FrameType | None) -> None:
        world.close()
        servers_handler(number, frame)

    signal.signal(signal.SIGTERM, handle)
