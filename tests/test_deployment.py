"""The ways to run Finestra agree: `finestra up`, Procfile and docker-compose.yml start the same commands."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from cli.unit import ALL, Unit

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PROCFILE = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if not line.startswith("#")
)


def plain(words: list[str]) -> list[str]:
    """A command without what differs by place: addresses, and how an option's value is joined."""
    joined = " ".join(words)
    joined = re.sub(r"--(bind|address|port)[ =]\S+", r"--\1", joined)
    return joined.replace("=", " ").split()


def from_procfile(name: str) -> list[str]:
    words = shlex.split(PROCFILE[name])
    return plain([word for word in words if not word.startswith("FLOWER_BASIC_AUTH")])


def from_compose(name: str) -> list[str]:
    return plain(COMPOSE["services"][name]["command"])


def test_all_three_name_the_same_processes():
    assert set(PROCFILE) == set(ALL)
    assert set(COMPOSE["services"]) == {*ALL, "redis"}


@pytest.mark.parametrize("name", ALL)
def test_compose_and_procfile_run_the_same_command(name):
    assert from_compose(name) == from_procfile(name)


@pytest.mark.parametrize("name", ALL)
def test_up_runs_the_same_command(stage_unit: Unit, name: str):
    argv = stage_unit.process(name).argv
    assert argv[1] == "-m"

    assert sorted(plain(list(argv[2:]))) == sorted(from_procfile(name))


@pytest.mark.parametrize("name", [*ALL, "redis"])
def test_a_service_keeps_to_itself(name):
    service = COMPOSE["services"][name]
    published = [str(port) for port in service.get("ports", [])]

    assert name == "receiver" or all(port.startswith("127.0.0.1:") for port in published)
    if name != "redis":
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["depends_on"]["redis"]["condition"] == "service_healthy"


def test_redis_keeps_what_is_owed():
    command = " ".join(COMPOSE["services"]["redis"]["command"])

    assert "--appendonly yes --appendfsync always" in command
    assert "--maxmemory-policy noeviction" in command


def test_flower_is_never_open():
    login = COMPOSE["services"]["flower"]["environment"]["FLOWER_BASIC_AUTH"]

    assert "${FINESTRA_FLOWER_PASSWORD:?" in login
    assert "${FINESTRA_FLOWER_PASSWORD:?" in PROCFILE["flower"]


def test_the_worker_has_time_to_finish():
    assert COMPOSE["services"]["worker"]["stop_grace_period"] == "60s"


def test_the_image_installs_by_hash_and_runs_as_nobody_in_particular():
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert "--require-hashes" in dockerfile
    assert dockerfile.rstrip().endswith("USER finestra")


def test_no_lock_file_names_a_registry():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text
