"""The ways to run Finestra agree: `finestra up`, Procfile, docker-compose.yml; nginx fits them."""

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from cli.alive import alive
from cli.unit import ALL, Unit
from webhook import gunicorn_conf
from webhook.body import MAX_BODY_BYTES

ROOT = Path(__file__).parent.parent
RECEIVERS = ("receiver", "receiver2")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
NGINX = (ROOT / "deploy" / "nginx.conf").read_text()
SERVICES = (*ALL, "receiver2")
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


def test_an_installed_package_has_every_file_that_it_reads():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    globs = settings["tool"]["setuptools"]["package-data"]
    packaged = {
        path
        for package, patterns in globs.items()
        for each in patterns
        for path in _folder(package).glob(each)
    }
    folders = (ROOT / name for name in ("cli", "sandbox", "shared", "webhook", "workers"))
    read = {path for folder in folders for path in folder.rglob("*") if path.suffix in _DATA}

    assert read == packaged


#: What is read at run time and no code.
_DATA = {".lua", ".toml", ".html", ".css", ".js", ".svg", ".json", ".csv"}


def _folder(package: str) -> Path:
    return ROOT.joinpath(*package.split("."))


def test_all_three_name_the_same_processes():
    assert set(PROCFILE) == set(ALL)
    assert set(COMPOSE["services"]) == {*ALL, *RECEIVERS, "redis", "nginx"}


@pytest.mark.parametrize("name", ALL)
def test_compose_and_procfile_run_the_same_command(name):
    assert from_compose(name) == from_procfile(name)


@pytest.mark.parametrize("name", ALL)
def test_up_runs_the_same_command(stage_unit: Unit, name: str):
    argv = stage_unit.process(name).argv
    assert argv[1] == "-m"

    assert sorted(plain(list(argv[2:]))) == sorted(from_procfile(name))


@pytest.mark.parametrize("name", [*SERVICES, "redis"])
def test_a_service_keeps_to_itself(name):
    service = COMPOSE["services"][name]
    published = [str(port) for port in service.get("ports", [])]

    assert all(port.startswith("127.0.0.1:") for port in published)
    if name != "redis":
        assert service["depends_on"]["redis"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", [*SERVICES, "redis", "nginx"])
def test_a_service_has_no_rights_and_takes_no_more_than_its_share(name):
    service = COMPOSE["services"][name]

    assert service["user"] not in {"", "root", "0", "0:0"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all("size=" in mount for mount in service["tmpfs"])
    assert {"mem_limit", "cpus", "pids_limit"} <= set(service)
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert "docker.sock" not in str(service)


@pytest.mark.parametrize("name", ["redis", "nginx", *RECEIVERS, "api", "worker", "flower"])
def test_the_health_of_a_service_is_asked_within_bounds(name):
    check = COMPOSE["services"][name]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert int(check["timeout"].rstrip("s")) < int(check["interval"].rstrip("s"))


def test_a_worker_is_healthy_by_its_work():
    *_, group, command = COMPOSE["services"]["worker"]["healthcheck"]["test"]

    assert (group, command) == ("alive", "worker")
    assert command in alive.commands


def test_nginx_is_the_only_way_in_and_has_no_rights():
    nginx = COMPOSE["services"]["nginx"]

    assert nginx["ports"] == ["8080:8080"]
    assert all("ports" not in COMPOSE["services"][name] for name in RECEIVERS)
    assert (nginx["user"], nginx["read_only"], nginx["cap_drop"]) == ("nginx", True, ["ALL"])
    assert nginx["volumes"] == ["./deploy/nginx.conf:/etc/nginx/nginx.conf:ro"]
    assert set(nginx["networks"]) == {"door"}


def test_the_receivers_are_one_and_the_same_but_for_their_address():
    one, other = (dict(COMPOSE["services"][name]) for name in RECEIVERS)
    addresses = {each.pop("networks")["door"]["ipv4_address"] for each in (one, other)}

    assert one == other
    assert len(addresses) == 2


def test_nginx_finds_both_receivers_also_when_one_is_stopped():
    """Docker's names are those of running containers; nginx does not start on one that it cannot find."""
    asked = re.findall(r"^ +server (\w+):8080 ", NGINX, re.MULTILINE)
    fixed = [f"{name}:{COMPOSE['services'][name]['networks']['door']['ipv4_address']}" for name in RECEIVERS]

    assert asked == list(RECEIVERS)
    assert COMPOSE["services"]["nginx"]["extra_hosts"] == fixed


@pytest.mark.parametrize("name", [*RECEIVERS, "api"])
def test_a_door_is_not_killed_while_it_answers(name):
    grace = COMPOSE["services"][name]["stop_grace_period"]

    assert int(grace.removesuffix("s")) > gunicorn_conf.graceful_timeout


def test_a_restart_takes_one_service_after_the_other_and_ends_where_one_does_not_get_well(tmp_path):
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "$*"\n[ "$7" != api ]\n')
    docker.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["sh", ROOT / "deploy" / "restart.sh"], env=environ, capture_output=True, text=True, check=False
    )

    assert ran.returncode != 0
    assert [line.split()[-1] for line in ran.stdout.splitlines()] == ["receiver", "receiver2", "api"]
    assert all("--wait" in line and "--no-deps" in line for line in ran.stdout.splitlines())


def test_the_receivers_trust_nginx_and_nobody_else_to_say_who_calls():
    trusted = {COMPOSE["services"][name]["environment"]["FINESTRA_TRUSTED_PROXIES"] for name in RECEIVERS}

    assert trusted == {COMPOSE["services"]["nginx"]["networks"]["door"]["ipv4_address"]}
    others = [name for name in ALL if name not in RECEIVERS]
    assert all("FINESTRA_TRUSTED_PROXIES" not in COMPOSE["services"][name]["environment"] for name in others)


def test_nginx_closes_its_connections_to_the_receiver_before_gunicorn_does():
    (idle_seconds,) = re.findall(r"upstream receiver \{[^}]*keepalive_timeout (\d+)s;", NGINX, re.DOTALL)

    assert int(idle_seconds) < gunicorn_conf.keepalive


def test_nginx_takes_as_much_as_the_receiver():
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", NGINX)

    assert int(megabytes) * 1024 * 1024 == MAX_BODY_BYTES


def test_redis_keeps_what_is_owed():
    command = " ".join(COMPOSE["services"]["redis"]["command"])

    assert "--appendonly yes --appendfsync always" in command
    assert "--maxmemory-policy noeviction" in command
    assert "--client-output-buffer-limit pubsub 32mb 8mb 60" in command


def test_an_image_of_the_memory_would_keep_who_was_erased():
    """Entries that were taken out of a stream stay in its nodes, and these in an image."""
    assert "--aof-use-rdb-preamble no" in " ".join(COMPOSE["services"]["redis"]["command"])


def test_each_service_enters_redis_as_a_user_of_its_own_kind():
    users = {}
    for name in SERVICES:
        environment = COMPOSE["services"][name].get("environment", {})
        urls = [environment[f"FINESTRA_{kind}_URL"] for kind in ("REDIS", "BROKER")]
        users[name] = tuple(re.findall(r"redis://(\w+):\$\{\w+:\?", " ".join(urls)))

    assert users.pop("flower") == ("flower", "broker")
    assert set(users.values()) == {("finestra", "broker")}


def test_the_passwords_of_redis_have_no_default():
    users = (ROOT / "deploy" / "redis" / "users.acl").read_text()
    environment = COMPOSE["services"]["redis"]["environment"]

    assert all(value == f"${{{name}:?set it in .env}}" for name, value in environment.items())
    assert len(set(environment)) == len(re.findall(r"#\{\w+\}", users)) == 4


def test_flower_is_never_open():
    login = COMPOSE["services"]["flower"]["environment"]["FLOWER_BASIC_AUTH"]

    assert "${FINESTRA_FLOWER_PASSWORD:?" in login
    assert "${FINESTRA_FLOWER_PASSWORD:?" in PROCFILE["flower"]


def test_the_worker_has_time_to_finish():
    assert COMPOSE["services"]["worker"]["stop_grace_period"] == "60s"


def test_the_image_installs_by_hash_and_runs_as_nobody_in_particular():
    dockerfile = (ROOT / "Dockerfile").read_text()
    uid = re.findall(r"--uid (\d+)", dockerfile)

    assert "--require-hashes" in dockerfile
    assert dockerfile.rstrip().endswith(f"USER {uid[0]}:{uid[0]}")
    assert {COMPOSE["services"][name]["user"] for name in SERVICES} == {f"{uid[0]}:{uid[0]}"}


def test_the_image_that_runs_has_nothing_to_build_with():
    *_, last = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)

    assert "pip uninstall" in last
    assert not re.search(r"pip install|apt-get|gcc|git\b", last)
    assert "PYTHONDONTWRITEBYTECODE=1" in last


def test_the_image_holds_every_package_that_runs():
    copied = set(re.findall(r"^COPY (\w+) \w+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))

    assert copied == {"shared", "webhook", "workers", "sandbox", "cli"}


LOCKS = ("requirements.lock", "requirements-extras.lock", "requirements-dev.lock")


def test_no_lock_file_names_a_registry():
    for name in LOCKS:
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_what_runs_with_extras_is_what_runs_without_and_what_is_tested():
    plain, extras, tested = (
        set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS
    )

    assert plain < extras < tested
    assert {"sentry-sdk", "opentelemetry-sdk"} <= {pin.partition("==")[0] for pin in extras - plain}


#: What redis-py says when it connects, and around a transaction.
_OF_THE_CLIENT = {"hello", "select", "ping", "client|setinfo", "multi", "exec", "discard"}
_RENAMED = {"delete": "del", "script_load": "script|load"} | {
    f"{kind}scan_iter": f"{kind}scan" for kind in ("h", "s", "z")
}
_NO_COMMANDS = {"pipeline", "execute"}


def allowed(user: str) -> set[str]:
    text = re.sub(r"\\\n", "", (ROOT / "deploy" / "redis" / "users.acl").read_text())
    (line,) = re.findall(rf"^user {user} .*$", text, re.MULTILINE)
    return set(re.findall(r" \+(\S+)", line))


def commands_used() -> set[str]:
    """By the scripts, and by what the collections ask of their client."""
    store = ROOT / "shared" / "store"
    scripts = "".join(path.read_text() for path in store.rglob("*.lua"))
    code = "".join(path.read_text() for path in store.glob("*.py"))
    methods = set(re.findall(r"\b(?:_?client|pipeline)\.([a-z_]+)\(", code)) - _NO_COMMANDS
    called = {name.lower() for name in re.findall(r"redis\.call\('(\w+)'", scripts)}
    return called | {_RENAMED.get(method, method) for method in methods}


def test_the_user_of_the_data_may_what_the_code_does_and_no_more():
    """A new command is added to deploy/redis/users.acl, one that nobody uses any more goes."""
    assert allowed("finestra") == commands_used() | _OF_THE_CLIENT
