"""Older data at the command, at `up` and at the composition roots of the processes."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.ports import free_binds
from cli.unit import NotReadyError, Unit, prepare
from shared.configuration import Secret
from shared.deps import build_deps
from shared.domain.consent import Category
from shared.errors import DataVersionError
from tests.builders import ANNA, NOW, World, opt_in, settings

VERSION = ("business:{default}", "data_version")


@pytest.fixture
def old(real_redis) -> World:
    world = World(real_redis)
    shop = world.deps.sender("shop")
    world.deps.contacts.set_consent(shop, ANNA, opt_in(), [Category.UTILITY], now=NOW)
    real_redis.delete("consented:{default}")
    return world


@pytest.fixture
def unit(tmp_path: Path, redis_url):
    """What `up --only sandbox` runs on our server: the least there is."""
    before = dict(os.environ)
    inherited = {name: value for name, value in before.items() if not name.startswith("FINESTRA_")}
    environ = {
        **inherited,
        **free_binds(),
        "FINESTRA_DATA_DIR": str(tmp_path),
        "FINESTRA_REDIS_URL": redis_url,
    }
    unit = prepare(environ, only=("sandbox",), log_dir=tmp_path)
    yield unit
    unit.stop()
    os.environ.clear()
    os.environ.update(before)


def run(*arguments: str):
    """In the environment that `unit` has made."""
    return CliRunner().invoke(main, ["migrate", *arguments])


def test_the_command_says_what_it_did(old, unit: Unit):
    told, again, as_json = run(), run(), run("--json")

    assert told.output == "default: now version 1: contacts with a consent are indexed (1 changed)\n"
    assert again.output == "default: version 1, nothing to do\n"
    assert json.loads(as_json.output) == [{"business": "default", "version": 1, "steps": []}]


def test_up_migrates_before_it_starts_the_rest(old, unit: Unit):
    unit.start()

    assert old.client.hget(*VERSION) == "1"
    assert old.client.zrange("consented:{default}", 0, -1) == [ANNA.value]


def test_nothing_starts_on_data_newer_than_the_code(old, unit: Unit):
    old.client.hset(*VERSION, "2")

    with pytest.raises(NotReadyError, match="this Finestra is older than the data"):
        unit.start()
    refused = run()

    assert not unit.supervisor.is_running("sandbox")
    assert (refused.exit_code, "older than the data" in refused.output) == (1, True)


def test_every_process_refuses_older_data_at_its_composition_root(old, redis_url):
    """All of them build what they need with `build_deps`."""
    with pytest.raises(DataVersionError, match="run `finestra migrate`"):
        build_deps(settings(redis_url=Secret(redis_url)), lambda _sender: None)
