"""From the alert to the cause: a fault is staged, the alert fires, its page is followed word for word."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from cli.redis_binary import RedisServerError
from cli.redis_server import EmbeddedRedis
from tests.staged import Staged, staged


@pytest.fixture(scope="session")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A server that may be set up badly. Absent on a laptop: skip, in CI: fail."""
    try:
        server = EmbeddedRedis(data_dir=tmp_path_factory.mktemp("oncall"), fsync="everysec")
    except RedisServerError as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(exc))
    with server:
        yield server


@pytest.fixture
def live(own_redis: EmbeddedRedis, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Staged]:
    """All is well, and no alert has fired for an hour. Its parameter: more lines for the table of `shop`."""
    lines = getattr(request, "param", "")
    with structlog.testing.capture_logs() as log, staged(tmp_path, own_redis.url, lines) as live:
        live.log = log
        live.has_been_well()
        yield live
