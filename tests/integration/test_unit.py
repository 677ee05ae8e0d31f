"""Starting everything on one machine: what is refused before anything runs, and leaves all as it was."""

import os
import socket
from pathlib import Path

import pytest

from cli.ports import free_binds
from cli.redis_binary import RedisServerError
from cli.unit import prepare
from shared.errors import SettingsError


@pytest.fixture(autouse=True)
def environment():
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("FINESTRA_")]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


def environ(folder: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FINESTRA_")}
    return {**inherited, **free_binds(), "FINESTRA_DATA_DIR": str(folder), **settings}


def test_an_address_that_is_taken_is_named_before_anything_starts(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        bind = f"127.0.0.1:{holder.getsockname()[1]}"

        with pytest.raises(SettingsError) as refused:
            prepare(environ(tmp_path, FINESTRA_API_BIND=bind))

    assert refused.value.mistakes == (f"FINESTRA_API_BIND: {bind} is in use by another process",)


def test_flower_without_a_password_is_refused(tmp_path):
    config = tmp_path / "finestra.toml"
    config.write_text("")

    with pytest.raises(SettingsError, match="FINESTRA_FLOWER_PASSWORD"):
        prepare(environ(tmp_path, FINESTRA_CONFIG=str(config)), only=("flower",))


def test_without_a_password_flower_does_not_run(tmp_path):
    config = tmp_path / "finestra.toml"
    config.write_text("")

    unit = prepare(environ(tmp_path, FINESTRA_CONFIG=str(config)))

    assert unit.names == ("receiver", "api", "worker")
    unit.stop()


def test_the_celery_door_runs_when_it_is_asked_for(tmp_path):
    config = tmp_path / "finestra.toml"
    config.write_text("")

    unit = prepare(environ(tmp_path, FINESTRA_CONFIG=str(config), FINESTRA_CELERY_DOOR="1"))

    assert unit.names == ("receiver", "api", "worker", "submit")
    unit.stop()


def test_a_second_start_on_the_same_data_changes_nothing_of_the_first(tmp_path):
    first = prepare(environ(tmp_path))
    written = (tmp_path / "finestra.toml").read_text()

    with pytest.raises(RedisServerError, match="in use"):
        prepare(environ(tmp_path))

    assert (tmp_path / "finestra.toml").read_text() == written
    first.stop()


def test_all_mistakes_of_a_start_show_together(tmp_path):
    broken = {
        "FINESTRA_API_BIND": "foo",
        "FINESTRA_RECEIVER_BIND": "127.0.0.1:99999",
        "FINESTRA_RETENTION_DAYS": "1e12",
        "FINESTRA_REDIS_URL": "foo",
    }

    with pytest.raises(SettingsError) as refused:
        prepare(environ(tmp_path, **broken))

    assert {mistake.split(":")[0] for mistake in refused.value.mistakes} == set(broken)
