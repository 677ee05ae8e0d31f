"""What tests share: a real Redis of our own, and the fake one beside it."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import fakeredis
import pytest
import redis
from hypothesis import settings

from cli.ports import free_binds
from cli.redis_binary import RedisServerError
from cli.redis_server import EmbeddedRedis
from cli.unit import Unit, prepare
from shared.store.connection import connect
from tests.meta_side import MetaSide
from tests.redis_users import guarded_server
from tests.stage import Stage, stages

# No deadline on a busy machine, and few enough examples to stay in seconds. CI runs the same ones each time:
# a landing must not hang on luck; on a laptop chance goes on looking.
settings.register_profile("house", deadline=None, max_examples=200, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")


def pytest_collection_finish() -> None:
    """Thousands of tests stand in memory from here on: nobody is to look for garbage among them."""
    gc.collect()
    gc.freeze()


#: What tests ask of Redis, and the code does not.
_OF_THE_TESTS = (
    "+flushdb +keys +pexpiretime +incrby ~order-of-the-test +client|kill +config|get +replicaof +script|flush"
)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server with its own data; absent on a laptop: skip, in CI: fail.

    GUARDED_REDIS=1: everything as the user of the data that we ship, who may what the code does.
    """
    if os.environ.get("GUARDED_REDIS"):
        with guarded_server(tmp_path_factory.mktemp("redis"), also=_OF_THE_TESTS) as guarded:
            yield guarded.url("finestra")
        return
    try:
        server = EmbeddedRedis(data_dir=tmp_path_factory.mktemp("redis"), fsync="everysec")
        server.start()
    except RedisServerError as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(exc))
    yield server.url
    server.stop()


@pytest.fixture
def real_redis(redis_url: str) -> Iterator[redis.Redis]:
    client = connect(redis_url)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def fake_redis() -> Iterator[redis.Redis]:
    client = fakeredis.FakeRedis(decode_responses=True, version=(7,))
    yield client
    client.close()


@pytest.fixture(params=["fake", "real"])
def any_redis(request: pytest.FixtureRequest) -> redis.Redis:
    """Each test runs on both: the fake is honest because the same suite runs on the real one."""
    return request.getfixturevalue(f"{request.param}_redis")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Starts real processes for one test."""
    with stages(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stage]]:
    """Starts real processes for all tests of a file: each test then has contacts of its own."""
    with stages(tmp_path_factory.mktemp("stage")) as start:
        yield start


@pytest.fixture
def stage_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unit]:
    """What `up` would run, not started."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("FINESTRA_")]:
        monkeypatch.delenv(name)
    unit = prepare({**os.environ, **free_binds(), "FINESTRA_DATA_DIR": str(tmp_path)})
    yield unit
    unit.stop()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def meta_server() -> Iterator[MetaSide]:
    with MetaSide().serving() as side:
        yield side


@pytest.fixture
def meta(meta_server: MetaSide) -> MetaSide:
    """The sandbox as Meta behind a real socket, with nothing registered and nothing asked yet."""
    meta_server.reset()
    return meta_server
