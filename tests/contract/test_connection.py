"""Which answers of a server mean that it, and not our script, is the trouble."""

import pytest
import redis

from shared.store.connection import as_unavailable


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
