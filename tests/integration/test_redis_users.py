"""Finestra runs as users of Redis that may do what it does, and nothing else."""

import re
import stat

import pytest
import redis
from click.testing import CliRunner

from cli.development import Development
from cli.main import main
from shared.configuration import Secret
from shared.domain.message import MessageState
from shared.store.connection import server_time
from shared.store.data_version import CURRENT, begin_versions, check_at_start
from shared.store.migrations import migrate
from tests.builders import ANNA, NOW, World, opt_in, template
from tests.door import DESK, anna_writes
from tests.play import accept, drain, opt_anna_in
from tests.redis_users import PASSWORDS, GuardedServer, guarded_server
from webhook.api.app import create_api
from workers.ticker import Ticker

OF_THE_SHOP = ("contacts/+393331234567", "contacts/+393331234567/record", "templates", "quarantine")
DENIED = ("FLUSHALL", "FLUSHDB", "CONFIG GET *", "KEYS *", "DEBUG JMAP", "SHUTDOWN", "ACL LIST", "MONITOR")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with guarded_server(tmp_path_factory.mktemp("guarded"), "--enable-debug-command", "yes") as started:
        yield started


@pytest.fixture
def own_server(tmp_path):
    """One of whose log of refusals nobody else writes into."""
    with guarded_server(tmp_path) as started:
        yield started


@pytest.fixture
def world(own_server: GuardedServer):
    with own_server.client("finestra") as client:
        yield World(client, secret_keys=(Secret("the key of this test"),))


@pytest.mark.parametrize("user", ["finestra", "broker", "flower", "operator"])
@pytest.mark.parametrize("command", DENIED)
def test_nobody_may_what_would_destroy_or_show_everything(server, user, command):
    with server.client(user) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command.split())


def test_each_user_has_its_own_keys(server):
    with server.client("finestra") as data, server.client("broker") as broker:
        for client, key in ((data, "finestra-broker:outbound"), (broker, "business:{default}")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.delete(key)
    with server.client("flower") as flower, pytest.raises(redis.exceptions.NoPermissionError):
        flower.hget("contact:{default}:+393331234567", "version")


def test_a_stranger_may_ask_whether_it_is_there_and_nothing_else(server):
    with redis.Redis.from_url(server.url("finestra").replace("finestra:f0@", "")) as stranger:
        assert stranger.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            stranger.get("business:{default}")


def test_no_password_stands_in_the_file_of_users(tmp_path):
    with guarded_server(tmp_path):
        made = tmp_path / "made.acl"
        words = re.split(r"[\s>#]", made.read_text())

        assert set(PASSWORDS.values()) & set(words) == set()
        assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_what_is_owed_is_taken_sent_and_read_as_that_user(own_server, world):
    check_at_start(world.client, ["default"], world.clock)
    for sender in world.settings.configuration.senders.values():
        world.deps.templates.create("default", template(sender), nonce="n")
    opt_anna_in(world)
    anna_writes(world)
    message_id = accept(world)
    drain(world)
    Ticker(world.deps, ring_for_app=lambda _business, _app: None).beat()
    api = create_api(world.deps).test_client()

    assert world.deps.messages.get("default", message_id).state is MessageState.SUBMITTED
    for path in (*OF_THE_SHOP, "senders", "retention", "messages", "events", "audit"):
        about = {"sender": "shop"} if path in OF_THE_SHOP else {}
        shown = api.get(f"/v1/{path}", query_string=about, headers=DESK)
        assert shown.status_code == 200, shown.text
    assert api.get("/metrics", headers=DESK).status_code == 200
    assert api.get("/readyz").status_code == 200
    erased = api.delete("/v1/contacts/+393331234567", query_string={"sender": "shop"}, headers=DESK)
    assert erased.status_code == 200
    assert erased.json["append_only_file"] in {"rewriting", "later"}
    assert own_server.refused() == []


def test_older_data_are_migrated_as_that_user(own_server, world):
    world.deps.contacts.set_consent(world.deps.sender("shop"), ANNA, opt_in(), ["utility"], now=NOW)

    assert [one.version for one in migrate(world.client, ["default"])] == [1]
    assert own_server.refused() == []


@pytest.mark.parametrize("command", [("alive", "worker"), ("migrate",)])
def test_who_lacks_a_right_is_told_so_and_what_to_do(own_server, world, monkeypatch, tmp_path, command):
    development = Development(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:1", None)
    development.write()
    monkeypatch.setenv("FINESTRA_CONFIG", str(development.config_path))
    monkeypatch.setenv("FINESTRA_REDIS_URL", own_server.url("operator"))
    answer = CliRunner().invoke(main, command)

    assert (answer.exit_code, type(answer.exception)) == (1, SystemExit)
    assert answer.output.startswith(
        "Error: Redis refuses a command (NoPermissionError): give its user the rights"
    )


def test_flower_starts_as_its_user_and_sees_whose_data_it_is_beside(own_server, world):
    anna_writes(world)
    with own_server.client("flower") as flower:
        assert begin_versions(flower, ["default", "new"]) == {"default": 0, "new": CURRENT}
        assert server_time(flower) > 0

    assert own_server.refused() == []
