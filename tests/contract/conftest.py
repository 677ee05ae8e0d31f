"""The stores that the suite runs on; who needs other ones makes them in its own file."""

import pytest
import redis

from tests.builders import Stores


@pytest.fixture
def stores(any_redis: redis.Redis) -> Stores:
    return Stores(any_redis)
