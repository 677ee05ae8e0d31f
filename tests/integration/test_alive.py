"""The health check of a worker asks for its work: when somebody last looked at what is due."""

import json
import time

import pytest
from click.testing import CliRunner

from cli.development import Development
from cli.main import main
from cli.ports import free_ports

BEAT = ("business:{default}", "beat_at")


@pytest.fixture
def health(tmp_path, real_redis, redis_url, monkeypatch):
    development = Development(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:1", None)
    development.write()
    monkeypatch.setenv("FINESTRA_CONFIG", str(development.config_path))
    monkeypatch.setenv("FINESTRA_REDIS_URL", redis_url)
    return lambda *words: CliRunner().invoke(main, ["alive", "worker", *words])


@pytest.mark.parametrize(("ago", "exit_code"), [(0, 0), (8, 0), (12, 1), (3600, 1)])
def test_a_worker_is_alive_while_its_last_beat_is_young(health, real_redis, ago, exit_code):
    real_redis.hset(*BEAT, round((time.time() - ago) * 1000))

    assert health().exit_code == exit_code


def test_a_program_is_told_when_it_worked(health, real_redis):
    real_redis.hset(*BEAT, round((time.time() - 3) * 1000))

    assert 3 <= json.loads(health("--json").stdout)["worked_seconds_ago"] < 8


def test_where_no_worker_ever_worked_none_is_alive(health):
    answer = health()

    assert (answer.exit_code, answer.output) == (1, "Error: no worker works: none ever did\n")


def test_a_worker_that_cannot_reach_redis_does_not_work(health, monkeypatch):
    monkeypatch.setenv("FINESTRA_REDIS_URL", f"redis://127.0.0.1:{free_ports(1)[0]}/0")
    answer = health()

    assert answer.exit_code == 1
    assert "Redis does not answer" in answer.output
