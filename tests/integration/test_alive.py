"""The health check of a worker asks for its work: when somebody last looked at what is due."""

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.development import Development
from cli.main import main
from cli.ports import free_ports

BEAT = ("business:{default}", "beat_at")
NONE_EVER_DID = "Error: no worker works: in some business none ever did\n"


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

    assert (answer.exit_code, answer.output) == (1, NONE_EVER_DID)


def test_a_business_that_none_ever_looked_at_is_not_made_up_for_by_another(
    health, real_redis, tmp_path, monkeypatch
):
    configured = Path(os.environ["FINESTRA_CONFIG"])
    two = tmp_path / "two.toml"
    two.write_text(configured.read_text().replace("[senders.shop]", '[senders.shop]\nbusiness = "bottega"'))
    monkeypatch.setenv("FINESTRA_CONFIG", str(two))
    real_redis.hset(*BEAT, round(time.time() * 1000))

    answer = health()

    assert (answer.exit_code, answer.output) == (1, NONE_EVER_DID)


def test_a_worker_that_cannot_reach_redis_does_not_work(health, monkeypatch):
    monkeypatch.setenv("FINESTRA_REDIS_URL", f"redis://127.0.0.1:{free_ports(1)[0]}/0")
    answer = health()

    assert answer.exit_code == 1
    assert "Redis does not answer" in answer.output
