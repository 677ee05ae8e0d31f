"""The world that most tests of the doors stand in; who needs another one makes it in its own file."""

import pytest

from shared.store.connection import connect
from tests.builders import World
from tests.door import note_untold
from tests.typed import typed_against
from webhook.api.app import create_api


@pytest.fixture
def world(any_redis) -> World:
    return World(any_redis)


@pytest.fixture
def client(world):
    """The internal door's. What it answers is a problem that `/openapi.json` has for the call."""
    api, untold = create_api(world.deps), []
    api.after_request(lambda response: note_untold(untold, response))
    yield api.test_client()
    assert untold == []


@pytest.fixture
def away():
    """The internal door of a world whose Redis does not answer."""
    return create_api(World(connect("redis://127.0.0.1:1/0")).deps).test_client()


@pytest.fixture
def finestra(world):
    """Runs the command as on-call does, with an admin's key."""
    with typed_against(create_api(world.deps)) as run:
        yield run
