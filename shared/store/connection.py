"""Builds the Redis client: bounded in time, so that a dead or frozen server is an answer and not a hang."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from weakref import WeakKeyDictionary

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.errors import StoreUnavailableError

# One silence, then answers at once for a second: every door keeps its 3 s, however many ask.
PATIENCE_SECONDS = 0.8
#: The receiver asks once for a webhook. A busy disk holds a write up for a second now and then, and a late
#: 200 beats a 503.
LONG_PATIENCE_SECONDS = 2.0
_SILENT_SECONDS = 1.0
#: It answers, and it is a no: a user without rights, or a fault of ours. Its text may quote a key.
StoreRefusal = redis.exceptions.ResponseError
_UNAVAILABLE = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
)
# Redis 6.2 wraps what a script met into a sentence of its own.
_UNAVAILABLE_REPLIES = (
    "MISCONF",
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "NOREPLICAS",
    "OOM command",
    "BUSY Redis",
)


def connect(url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> redis.Redis:
    """A client for `url`. Connects when first used; a silence lasts `patience_seconds`.

    A call whose connection broke is made once more, as after a restart: every script is safe to repeat. One
    that was met by silence is not.
    """
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=patience_seconds,
        socket_connect_timeout=patience_seconds,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,)),
    )


def as_unavailable(error: redis.RedisError) -> StoreUnavailableError | None:
    """Whether the server, not our script, is the trouble; None for a fault of ours."""
    is_reply = any(reply in str(error) for reply in _UNAVAILABLE_REPLIES)
    # A script that is missing right after it was loaded: the server was restarted in between.
    if isinstance(error, (*_UNAVAILABLE, redis.exceptions.NoScriptError)) or is_reply:
        return StoreUnavailableError(type(error).__name__)
    return None


class _Gate:
    """Closed for a moment after a silence: a frozen server must not hold one thread after the other."""

    def __init__(self) -> None:
        self._closed_until = 0.0

    def close(self) -> None:
        self._closed_until = time.monotonic() + _SILENT_SECONDS

    def is_closed(self) -> bool:
        return time.monotonic() < self._closed_until


_gates: WeakKeyDictionary[redis.Redis, _Gate] = WeakKeyDictionary()


@contextmanager
def translated(client: redis.Redis) -> Iterator[None]:
    """Turn trouble of the server into StoreUnavailableError; a fault of ours stays what it is."""
    gate = _gates.setdefault(client, _Gate())
    if gate.is_closed():
        raise StoreUnavailableError("silent a moment ago")
    try:
        yield
    except redis.RedisError as exc:
        if isinstance(exc, redis.exceptions.TimeoutError):
            gate.close()
        unavailable = as_unavailable(exc)
        if unavailable is None:
            raise
        raise unavailable from exc


def server_time(client: redis.Redis) -> float:
    """Redis' TIME in seconds since the epoch: the one clock."""
    with translated(client):
        seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1_000_000


def read_hash(client: redis.Redis, key: str) -> dict[str, str]:
    """A whole hash; empty when there is none. The client decodes, which redis-py's types cannot say."""
    with translated(client):
        return cast("dict[str, str]", client.hgetall(key))
