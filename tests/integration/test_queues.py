"""The doorbell when the broker is away: it gives up soon and harms nobody."""

import socket
import time

from cli.ports import free_ports
from shared.configuration import Secret
from shared.queues import ERASE, MAINTENANCE, Doorbell, make_celery
from tests.builders import meta_sender, settings

#: Far over what it takes, far below what a patient client would wait.
SOON_SECONDS = 3


def ring(port: int) -> float:
    bell = Doorbell(settings(broker_url=Secret(f"redis://127.0.0.1:{port}/1")))
    started = time.monotonic()
    bell.ring(meta_sender())
    return time.monotonic() - started


def test_a_bell_for_erasures_names_the_task_and_the_business():
    asked = settings(broker_url=Secret("memory://"))
    app = make_celery(asked)
    with app.connection_for_read() as connection, connection.SimpleQueue(MAINTENANCE) as queue:
        Doorbell(asked).ring_for_erasures("default")
        rung = queue.get(timeout=5)

    assert (rung.headers["task"], rung.payload[0]) == (ERASE, ["default"])


def test_a_broker_that_refuses_is_given_up_soon():
    assert ring(free_ports(1)[0]) < SOON_SECONDS


def test_a_broker_that_takes_connections_and_says_nothing_is_given_up_soon():
    with socket.socket() as frozen:
        frozen.bind(("127.0.0.1", 0))
        frozen.listen()

        assert ring(frozen.getsockname()[1]) < SOON_SECONDS
