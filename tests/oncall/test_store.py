"""From the alert to the cause, where Redis is not as it should be."""

import os
import shutil
from urllib.parse import urlsplit

import pytest

from tests.engineer import Engineer

ANNA = "+393331234567"


@pytest.fixture
def badly(live):
    """Sets Redis up badly, as told; afterwards it is as it was."""
    if shutil.which("redis-cli") is None:
        pytest.skip("redis-cli is not here: it comes with Redis")
    server = urlsplit(os.environ["FINESTRA_REDIS_URL"])
    os.environ["REDIS_CLI"] = f"redis-cli -p {server.port} --no-auth-warning -a {server.password}"
    before = {name: live.client.config_get(name)[name] for name in ("appendonly", "maxmemory")}
    yield live.client.config_set
    for name, value in before.items():
        live.client.config_set(name, value)


def test_a_redis_that_keeps_nothing(live, badly):
    badly("appendonly", "no")
    live.watch(3)

    live.have_fired("FinestraStoreNotPersistent")
    engineer = Engineer("FinestraStoreNotPersistent")
    shown = engineer.looks()
    assert "no append-only file" in shown
    assert "aof_enabled:0" in shown

    assert engineer.does("redis-cli").strip() == "OK"
    live.watch(1)
    live.are_over("FinestraStoreNotPersistent")


def test_a_redis_that_is_nearly_full(live, badly):
    live.writes(ANNA)
    message_id = live.asks(ANNA)
    for _ in range(64):  # so that the work of a minute is nothing beside it
        live.client.append("filler", "x" * 2**19)
    live.watch(1)
    badly("maxmemory", int(live.client.info("memory")["used_memory"] / 0.85))
    live.watch(8)

    live.have_fired("FinestraStoreFull")
    engineer = Engineer("FinestraStoreFull")
    assert "% of maxmemory" in engineer.looks()
    assert live.state(message_id) == "delivered", "what was taken leaves all the same"

    assert engineer.does("redis-cli").strip() == "OK"
    live.watch(1)
    live.are_over("FinestraStoreFull")
