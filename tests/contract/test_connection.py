"""Which answers of a server mean that it, and not our script, is the trouble."""

import socket
import threading
import time

import pytest
import redis

from shared.errors import StoreUnavailableError
from shared.store.connection import PATIENCE_SECONDS, as_unavailable, connect, server_time


@pytest.mark.parametrize(
    "error",
    [
        redis.exceptions.ConnectionError("refused"),
        redis.exceptions.TimeoutError("slow"),
        redis.exceptions.OutOfMemoryError("OOM command not allowed"),
        redis.exceptions.ReadOnlyError("replica"),
        redis.exceptions.BusyLoadingError("loading"),
        redis.exceptions.NoScriptError("gone again"),
        redis.exceptions.ResponseError("BUSY Redis is busy running a script"),
        redis.exceptions.ResponseError("MISCONF Redis is configured to save"),
        redis.exceptions.ResponseError("ERR Error running script: @user_script:1: -OOM command not allowed"),
    ],
    ids=lambda error: str(error)[:20],
)
def test_trouble_of_the_server_is_unavailability(error):
    assert as_unavailable(error) is not None


def test_a_fault_of_a_script_stays_ours():
    assert (
        as_unavailable(redis.exceptions.ResponseError("ERR user_script:12: attempt to index a nil value"))
        is None
    )


def test_a_silent_server_is_asked_once_and_then_answered_for(silent_server):
    client = connect(f"redis://127.0.0.1:{silent_server.port}/0")

    for _ in range(5):
        with pytest.raises(StoreUnavailableError):
            server_time(client)

    assert silent_server.connections == 1


def test_a_silence_lasts_as_long_as_the_patience(silent_server):
    client = connect(f"redis://127.0.0.1:{silent_server.port}/0", patience_seconds=0.1)
    started = time.monotonic()

    with pytest.raises(StoreUnavailableError):
        server_time(client)

    assert 0.1 <= time.monotonic() - started < PATIENCE_SECONDS


def test_a_broken_connection_is_made_anew_without_anybody_noticing(real_redis):
    server_time(real_redis)
    real_redis.connection_pool.disconnect()
    real_redis.client_kill_filter(skipme=False, _type="normal")

    assert server_time(real_redis) > 0


class SilentServer:
    """Takes connections and says nothing."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._kept: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            while True:
                self._kept.append(self._socket.accept()[0])
                self.connections += 1
        except OSError:
            return

    def close(self) -> None:
        self._socket.close()
        for connection in self._kept:
            connection.close()


@pytest.fixture
def silent_server():
    server = SilentServer()
    yield server
    server.close()
