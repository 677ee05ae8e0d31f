"""The drill of docs/operations.md: a running server is copied, and another one starts from the copy."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.redis_server import EmbeddedRedis
from shared.domain.consent import Category, ConsentStatus
from shared.domain.message import MessageState
from shared.store.connection import connect
from shared.store.data_version import CURRENT, check_at_start, versions_of
from tests.builders import ANNA, NOW, World, template, wrote
from tests.door import anna_writes
from tests.play import accept, drain, opt_anna_in
from tests.redis_users import FOLDER


def backup(data_dir: Path, target: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    argv = ("sh", str(FOLDER / "backup.sh"), str(data_dir), str(target))
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environ or None)


@pytest.fixture
def running(tmp_path):
    with EmbeddedRedis(data_dir=tmp_path / "data", fsync="everysec") as server:
        if server.server.version < (7,):
            pytest.skip("its append-only file is one file: copy that")
        yield server


@pytest.fixture
def world(running):
    """A business with a template, and a person who agreed and wrote."""
    with connect(running.url) as client:
        filled = World(client)
        check_at_start(client, ["default"], filled.clock)
        filled.deps.templates.create("default", template(filled.deps.sender("shop")), nonce="n")
        opt_anna_in(filled)
        anna_writes(filled)
        yield filled


@contextmanager
def restored(running: EmbeddedRedis, data_dir: Path) -> Iterator[World]:
    with EmbeddedRedis(data_dir=data_dir, server=running.server) as server, connect(server.url) as client:
        yield World(client)


@contextmanager
def writing(url: str) -> Iterator[None]:
    """Somebody writes all the time."""
    stop = threading.Event()

    def write() -> None:
        with connect(url) as client:
            busy = World(client)
            while not stop.is_set():
                busy.deps.recorder.record([(busy.deps.sender("negozio"), wrote())], now=NOW)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_everything_is_there_when_a_copy_of_a_running_server_starts(running, world, tmp_path):
    sent = accept(world)
    drain(world)
    queued = accept(world)
    with writing(running.url):
        world.client.bgrewriteaof()
        done = backup(running.data_dir, tmp_path / "backup")
    assert done.returncode == 0, done.stderr

    with restored(running, tmp_path / "backup") as found:
        shop = found.deps.sender("shop")
        contact = found.deps.contacts.get(shop, ANNA)

        assert found.deps.messages.get("default", sent) == world.deps.messages.get("default", sent)
        assert found.deps.messages.get("default", queued).state is MessageState.QUEUED
        assert contact.window.is_open(NOW)
        assert contact.consent.records[Category.UTILITY].status is ConsentStatus.OPTED_IN
        assert found.deps.templates.list("default", shop.account) == world.deps.templates.list(
            "default", shop.account
        )
        assert versions_of(found.client, ["default"]) == {"default": CURRENT}


def test_after_a_restore_nothing_leaves_while_the_sender_is_halted(running, world, tmp_path):
    """What was queued when it was copied has left since, for all we know."""
    queued = accept(world)
    assert backup(running.data_dir, tmp_path / "backup").returncode == 0
    drain(world)

    with restored(running, tmp_path / "backup") as found:
        found.deps.senders.halt(found.deps.sender("shop"), "restored", now=NOW)
        drain(found)

        assert found.deps.messages.get("default", queued).state is MessageState.QUEUED
    assert len(world.providers["shop"].sent) == 1
    assert found.providers["shop"].sent == []


@pytest.mark.parametrize(("rewrites", "exit_code"), [(2, 0), (9, 1)])
def test_a_copy_in_which_a_rewrite_came_is_made_again(tmp_path, rewrites, exit_code):
    """A `cp` during which the server rewrites its files, so many times."""
    manifest = tmp_path / "data" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("file 1\n")
    left = tmp_path / "left"
    left.write_text("x" * rewrites)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "cp").write_text(
        f'#!/bin/sh\n{shutil.which("cp")} "$@"\n'
        f"if [ -s {left} ]; then truncate -s -1 {left}; echo more >> {manifest}; fi\n"
    )
    (tools / "cp").chmod(0o755)

    done = backup(tmp_path / "data", tmp_path / "backup", PATH=f"{tools}:/usr/bin:/bin")

    assert done.returncode == exit_code
    copied = tmp_path / "backup" / "appendonlydir" / "appendonly.aof.manifest"
    assert copied.exists() == (exit_code == 0)
    if copied.exists():
        assert copied.read_text() == manifest.read_text()


def test_a_copy_that_failed_is_not_taken_for_one(tmp_path):
    """As when the disk is full: the small manifest is there, the data are not."""
    manifest = tmp_path / "data" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("file 1\n")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "cp").write_text(f'#!/bin/sh\n{shutil.which("cp")} "$@"\nexit 1\n')
    (tools / "cp").chmod(0o755)

    done = backup(tmp_path / "data", tmp_path / "backup", PATH=f"{tools}:/usr/bin:/bin")

    assert (done.returncode, "no copy" in done.stderr) == (1, True)
    assert not (tmp_path / "backup" / "appendonlydir").exists()


def test_a_backup_is_never_written_over(tmp_path):
    (tmp_path / "backup").mkdir()

    done = backup(tmp_path / "data", tmp_path / "backup")

    assert (done.returncode, "is there already" in done.stderr) == (1, True)
