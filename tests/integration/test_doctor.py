"""`finestra doctor` on staged faults: each is found, named, and nobody's number is in what is said."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from cli.development import Development
from cli.doctor import check_store, check_work
from cli.doctor_provider import check_provider
from cli.findings import Level
from cli.main import main
from shared.clock import to_ms
from shared.configuration import Configuration, Secret
from shared.domain.events import UpdateSetAside
from shared.domain.halts import HaltKind
from shared.queues import broker_trouble
from shared.store.keys import Keys
from tests.builders import NOW, Stores, World, app, call, meta_sender, settings, template, wrote
from tests.play import accept

KEYS = Keys("default")
SINCE = " since 2086-11-22T12:00:00.000Z"


@pytest.fixture
def world(any_redis, meta) -> World:
    """All is well: a worker works, both senders were written to, and an app is told."""
    pushed = app("orders", ("messages",), callback_url="https://orders.example/hook")
    senders = meta.configuration().senders
    world = World(any_redis, configuration=Configuration(senders=senders, apps={"orders": pushed}))
    any_redis.hset(KEYS.root(), "beat_at", to_ms(NOW))
    for alias, sender in senders.items():
        world.deps.recorder.record([(sender, wrote(event_id=alias))], now=NOW)
    return world


def found(world: World, check: str) -> list[tuple[str, str, str]]:
    return [(one.level.value, one.about, one.seen) for one in check_work(world.deps) if one.check == check]


def test_where_all_is_well_nothing_is_to_be_done(world):
    findings = list(check_work(world.deps))

    assert {one.level for one in findings} == {Level.OK}
    assert {one.check for one in findings} == {
        *("worker", "sender", "webhooks", "templates", "callbacks", "quarantine")
    }


@pytest.mark.parametrize(
    ("beat", "seen"), [(None, "none ever"), (NOW - timedelta(seconds=11), "none since 2086")]
)
def test_no_worker_works(world, beat, seen):
    world.client.hdel(KEYS.root(), "beat_at")
    if beat is not None:
        world.client.hset(KEYS.root(), "beat_at", to_ms(beat))

    ((level, about, said),) = found(world, "worker")

    assert (level, about) == ("error", "default")
    assert said.startswith(seen)


def test_a_halted_sender_is_named_with_who_did_it_and_since_when_but_not_in_whose_words(world):
    shop = world.deps.sender("shop")
    world.deps.senders.halt(shop, "Anna Rossi called", now=NOW, kind=HaltKind.TEMPLATE)

    halted, other = found(world, "sender")

    assert halted == ("error", "shop", "template messages halted by hand since 2086-11-22T12:00:00.000Z")
    assert other[0] == "ok"


def test_an_open_circuit_is_told_with_its_cause(world):
    stored = {"probe_at": to_ms(NOW), "away_since": to_ms(NOW), "away_code": "http_503", "failures": 9}
    world.client.hset(KEYS.sender("shop"), mapping=stored)

    ((level, _, seen),) = found(world, "circuit")

    assert level == "warning"
    assert seen == "provider away since 2086-11-22T12:00:00.000Z (http_503)"


def test_a_template_in_use_that_cannot_be_sent_is_an_error_while_messages_wait_for_it(world):
    stores, sender = Stores(world.client), world.deps.sender("shop")
    stores.templates.create("default", template(), nonce="1")
    stores.accept(sender, content=None, templates=(call("mai_visto"), call()))

    (only,) = found(world, "templates")

    assert only == ("error", "shop", "mai_visto/it is missing, 1 messages wait")


def test_parked_callbacks_and_an_app_that_takes_nothing(world):
    failing = {"last_reason": "timeout", "failing_since": to_ms(NOW)}
    world.client.hset(KEYS.callback("orders"), mapping={**failing, "failures": 3})
    (away,) = found(world, "callbacks")
    world.client.zadd(KEYS.callback_parked("orders"), {"{}": to_ms(NOW)})
    (parked,) = found(world, "callbacks")

    assert away == ("warning", "orders", f"3 failures in a row (timeout){SINCE}, 0 wait")
    assert parked == ("warning", "orders", f"1 events parked{SINCE}")


def test_what_is_to_be_done_can_be_done_as_written(world):
    """With the names that a command needs."""
    world.deps.senders.halt(world.deps.sender("shop"), "moving", now=NOW)
    world.client.zadd(KEYS.callback_parked("orders"), {"{}": to_ms(NOW)})
    accept(world, templates=(call("mai_visto"),))
    todo = {one.check: one.todo for one in check_work(world.deps) if one.todo}

    assert "`finestra sender resume shop`" in todo["sender"]
    assert "`finestra callbacks retry orders`" in todo["callbacks"]
    assert "`finestra template show mai_visto it --sender shop`" in todo["templates"]


def test_what_was_set_aside_is_counted(world):
    shop = world.deps.sender("shop")
    world.deps.recorder.record([(shop, UpdateSetAside(reason="odd", raw='"+393331234567"'))], now=NOW)
    refused = {"reason": "invalid_request", "app": "orders", "sender": "shop", "errors": "{}"}
    world.deps.refused_submissions.keep("default", "task-1", "{}", **refused, now=NOW)

    assert found(world, "quarantine") == [("warning", "default", f"1 updates could not be read{SINCE}")]
    assert found(world, "submissions") == [
        ("warning", "default", f"1 were refused at the Celery door{SINCE}")
    ]


def test_meta_is_asked_for_number_templates_and_time(world):
    findings = list(check_provider(world.deps, world.deps.sender("shop")))

    assert [(one.check, one.level) for one in findings] == [
        ("credentials", Level.OK),
        ("clock", Level.OK),
        ("template_api", Level.OK),
    ]
    assert "can send: AVAILABLE" in findings[0].seen


@pytest.mark.parametrize(
    ("changes", "ill"),
    [
        (
            {"access_token": Secret("revoked-token")},
            {"credentials": "refused: 190", "template_api": "refused: 190"},
        ),
        ({"phone_number_id": "1"}, {"credentials": "refused: 100"}),
        ({"business_account_id": "1"}, {"template_api": "refused: 100"}),
    ],
)
def test_wrong_credentials_are_errors_that_name_what_to_check(fake_redis, meta, changes, ill):
    senders = {"shop": meta_sender(base_url=meta.url, **changes)}
    world = World(fake_redis, configuration=Configuration(senders=senders))

    errors = [one for one in check_provider(world.deps, senders["shop"]) if one.level is Level.ERROR]

    assert {one.check: one.seen for one in errors} == ill
    assert "revoked-token" not in str(errors)


def test_a_provider_that_does_not_answer_is_a_warning(fake_redis):
    shop = meta_sender(base_url="http://127.0.0.1:1")
    world = World(fake_redis, configuration=Configuration(senders={"shop": shop}))

    assert {one.level for one in check_provider(world.deps, shop)} == {Level.WARNING}


def test_of_cm_com_it_is_said_that_nothing_was_asked(world):
    (only,) = check_provider(world.deps, world.deps.sender("negozio"))

    assert only.level is Level.UNCHECKED
    assert only.seen.startswith("CM.com documents no call")


def test_a_real_server_of_ours_is_fit(real_redis):
    findings = {one.check: one for one in check_store(World(real_redis).deps)}

    assert {name: one.level for name, one in findings.items() if one.level is not Level.OK} == {
        "redis_memory": Level.WARNING
    }
    assert findings["redis_memory"].seen.endswith("no maxmemory")


def test_a_broker_is_tried(redis_url):
    there = settings(broker_url=Secret(redis_url))
    away = settings(broker_url=Secret("redis://:secret-word@127.0.0.1:1/0"))

    assert broker_trouble(there) is None
    assert "secret-word" not in str(broker_trouble(away))
    assert broker_trouble(away) is not None


def test_the_doctor_leaves_an_empty_redis_empty(tmp_path, real_redis, redis_url, monkeypatch):
    development = Development(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:1", None)
    development.write()
    monkeypatch.setenv("FINESTRA_CONFIG", str(development.config_path))
    monkeypatch.setenv("FINESTRA_REDIS_URL", redis_url)
    answer = CliRunner().invoke(main, ["doctor", "--offline"])

    assert "data_version" in answer.output
    assert real_redis.keys("*") == []
