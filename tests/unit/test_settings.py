"""Settings: read once, every mistake at once, no secret shown."""

import os
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.configuration import CmSender, MetaSender, Secret
from shared.domain.lint import PromotionalContent
from shared.domain.message import WhenOpen
from shared.errors import SettingsError
from shared.settings import LEASE, PROVIDER_DEADLINE, Settings, load_settings

CANARY = "EAAGm0PX4ZCpsBA"

META = """
    [senders.shop]
    provider = "meta"
    number = "+15550783881"
    phone_number_id = "106540352242922"
    business_account_id = "102290129340398"
    access_token = "env:SHOP_META_TOKEN"
    app_secret = ["env:SHOP_META_APP_SECRET"]
    verify_token = "env:SHOP_META_VERIFY_TOKEN"
"""
CM = """
    [senders.negozio]
    provider = "cm"
    number = "+390212345678"
    product_token = "env:NEGOZIO_CM_TOKEN"
    webhook_token = ["env:NEGOZIO_CM_HOOK_TOKEN"]
    template_namespace = "0a1b2c3d_0000_1111_2222_333344445555"
"""
APP = """
    [apps.orders]
    api_key = ["env:ORDERS_API_KEY"]
    scopes = ["messages"]
"""
SECRETS = {
    "SHOP_META_TOKEN": CANARY,
    "SHOP_META_APP_SECRET": CANARY + "-app",
    "SHOP_META_VERIFY_TOKEN": CANARY + "-verify",
    "NEGOZIO_CM_TOKEN": CANARY + "-cm",
    "NEGOZIO_CM_HOOK_TOKEN": CANARY + "-hook",
    "ORDERS_API_KEY": CANARY + "-key",
}


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Nothing of ours but the secrets that the file names; as it was, afterwards."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("FINESTRA_")]:
        del os.environ[name]
    os.environ.update(SECRETS)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def load(folder: Path, *tables: str, **variables: str) -> Settings:
    path = folder / "finestra.toml"
    path.write_text("\n".join(textwrap.dedent(table) for table in tables), encoding="utf-8")
    os.environ["FINESTRA_CONFIG"] = str(path)
    for name, value in variables.items():
        os.environ[f"FINESTRA_{name}"] = value
    return load_settings()


def mistakes(folder: Path, *tables: str, **variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refusal:
        load(folder, *tables, **variables)
    return refusal.value.mistakes


def test_without_anything_set_the_defaults_are_those_of_the_contract():
    settings = load_settings()

    assert settings.redis_url.reveal() == "redis://127.0.0.1:6379/0"
    assert settings.broker_url.reveal() == "redis://127.0.0.1:6379/1"
    assert settings.receiver_bind == "127.0.0.1:8080"
    assert settings.api_bind == "127.0.0.1:8081"
    assert settings.flower_bind == "127.0.0.1:5555"
    assert settings.worker_slots == 128
    assert settings.doubt_grace == timedelta(seconds=60)
    assert settings.window_length.total_seconds() == 86_400
    assert settings.retention == timedelta(days=30)
    assert settings.log_format == "json"


def test_every_variable_is_read(folder):
    settings = load(
        folder,
        REDIS_URL="redis://r:6379/3",
        BROKER_URL="redis://b:6379/4",
        DATA_DIR="/data",
        RECEIVER_BIND="0.0.0.0:1",
        API_BIND="127.0.0.1:2",
        FLOWER_BIND="127.0.0.1:3",
        FLOWER_USER="anna",
        FLOWER_PASSWORD=CANARY,
        WORKER_SLOTS="7",
        DOUBT_GRACE_SECONDS="1.5",
        WINDOW_SECONDS="3600",
        RETENTION_DAYS="0.5",
        LOG_FORMAT="console",
    )

    assert settings.redis_url == Secret("redis://r:6379/3")
    assert settings.broker_url == Secret("redis://b:6379/4")
    assert settings.data_dir == Path("/data")
    assert settings.receiver_bind == "0.0.0.0:1"
    assert (settings.api_bind, settings.flower_bind) == ("127.0.0.1:2", "127.0.0.1:3")
    assert (settings.flower_user, settings.flower_password) == ("anna", Secret(CANARY))
    assert settings.worker_slots == 7
    assert settings.doubt_grace == timedelta(seconds=1.5)
    assert settings.window_length == timedelta(hours=1)
    assert settings.retention == timedelta(hours=12)
    assert settings.log_format == "console"


@pytest.mark.parametrize(
    ("redis_url", "broker_url"),
    [
        ("redis://h:6379/0", "redis://h:6379/1"),
        ("redis://h:6379", "redis://h:6379/1"),
        ("redis://h:6379/", "redis://h:6379/1"),
        ("redis://:pa%2Fss@h:6379/5", "redis://:pa%2Fss@h:6379/1"),
        ("rediss://h:6379/0?ssl_cert_reqs=required", "rediss://h:6379/1?ssl_cert_reqs=required"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/1"),
    ],
)
def test_the_broker_is_database_1_of_the_same_server(folder, redis_url, broker_url):
    assert load(folder, REDIS_URL=redis_url).broker_url.reveal() == broker_url


def test_a_sender_of_meta_is_read_with_its_defaults(folder):
    sender = load(folder, META).configuration.senders["shop"]

    assert isinstance(sender, MetaSender)
    assert sender.access_token.reveal() == CANARY
    assert sender.app_secrets == (Secret(CANARY + "-app"),)
    assert sender.base_url == "https://graph.facebook.com"
    assert sender.throughput_per_second == 80
    assert sender.window_margin == timedelta(seconds=60)
    assert sender.when_open is WhenOpen.SESSION
    assert sender.business == "default"


def test_a_sender_of_cm_is_read_with_its_defaults(folder):
    sender = load(folder, CM).configuration.senders["negozio"]

    assert isinstance(sender, CmSender)
    assert sender.base_url == "https://gw.messaging.cm.com"
    assert sender.throughput_per_second == 50
    assert sender.window_margin == timedelta(seconds=300)
    assert sender.batch_size == 100
    assert not sender.is_provider_approval_automatic


def test_an_app_and_the_policy_are_read(folder):
    policy = '[policy]\nlanguages = ["it"]\nreactions_open_window = true\non_category_change = "continue"\n'
    configuration = load(folder, META, APP, policy).configuration

    assert configuration.apps["orders"].api_keys == (Secret(CANARY + "-key"),)
    assert configuration.policy.languages == ("it",)
    assert configuration.policy.reactions_open_window
    assert configuration.policy.unsupported_opens_window
    assert not configuration.policy.stop_on_category_change


def test_one_start_shows_every_mistake_of_every_kind(folder):
    shown = "\n".join(
        mistakes(
            folder,
            META.replace("+15550783881", "5550783881").replace("env:SHOP_META_TOKEN", "env:NOT_SET"),
            CM + "    window_margin_seconds = 3\n",
            APP.replace('["messages"]', '["everything"]'),
            '[policy]\non_category_change = "panic"\n',
            WORKER_SLOTS="0",
            LOG_FORMAT="xml",
            DOUBT_GRACE_SECONDS="soon",
            RETENTION_DAYS="-1",
        )
    )

    for where in [
        "senders.shop.number",
        "senders.shop.access_token",
        "senders.negozio.window_margin_seconds",
        "apps.orders.scopes",
        "policy.on_category_change",
        "FINESTRA_WORKER_SLOTS",
        "FINESTRA_LOG_FORMAT",
        "FINESTRA_DOUBT_GRACE_SECONDS",
        "FINESTRA_RETENTION_DAYS",
    ]:
        assert where in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKER_SLOTS", "0"),
        ("WORKER_SLOTS", "many"),
        ("WINDOW_SECONDS", "0"),
        ("WINDOW_SECONDS", "nan"),
        ("WINDOW_SECONDS", "-5"),
        ("RETENTION_DAYS", "inf"),
        ("DOUBT_GRACE_SECONDS", "0"),
        ("LOG_FORMAT", "JSON"),
    ],
)
def test_a_value_that_cannot_be_is_named(folder, name, value):
    (mistake,) = mistakes(folder, **{name: value})

    assert mistake.startswith(f"FINESTRA_{name}: ")


@pytest.mark.parametrize(
    ("margin", "window", "is_good"),
    [(60, 86_400, True), (9, 86_400, True), (8, 86_400, False), (59, 60, True), (60, 60, False)],
)
def test_a_margin_is_longer_than_a_provider_call_and_shorter_than_the_window(folder, margin, window, is_good):
    table = META + f"    window_margin_seconds = {margin}\n"

    if is_good:
        assert load(folder, table, WINDOW_SECONDS=str(window))
    else:
        (mistake,) = mistakes(folder, table, WINDOW_SECONDS=str(window))
        assert mistake.startswith("senders.shop.window_margin_seconds: ")


def test_a_lease_outlasts_a_provider_call():
    assert timedelta(seconds=8) == PROVIDER_DEADLINE
    assert LEASE > PROVIDER_DEADLINE


def test_no_secret_is_shown_by_what_holds_it(folder):
    settings = load(folder, META, CM, APP, FLOWER_PASSWORD=CANARY, REDIS_URL=f"redis://:{CANARY}@h/0")

    for shown in (repr(settings), str(settings), repr(settings.configuration), f"{settings.redis_url}"):
        assert CANARY not in shown
    assert repr(settings.flower_password) == "Secret(***)"


@pytest.mark.parametrize(
    "written", [CANARY, f"plain:{CANARY}", "", "ENV:SHOP_META_TOKEN", "SHOP_META_TOKEN", "$SHOP_META_TOKEN"]
)
def test_a_secret_written_out_is_refused_and_not_repeated(folder, written):
    (mistake,) = mistakes(folder, META.replace("env:SHOP_META_TOKEN", written))

    assert mistake.startswith("senders.shop.access_token: name the secret as env:NAME")
    assert CANARY not in mistake


def test_a_secret_of_a_file_is_read_without_its_line_break(folder):
    (folder / "token").write_text(f"{CANARY}\n", encoding="utf-8")
    settings = load(folder, META.replace("env:SHOP_META_TOKEN", f"file:{folder / 'token'}"))

    assert settings.configuration.senders["shop"].access_token.reveal() == CANARY


@pytest.mark.parametrize(
    "content", [None, b"", b" \n", b"\xff\xfe"], ids=["no file", "empty", "blank", "binary"]
)
def test_a_file_without_a_secret_is_a_mistake(folder, content):
    if content is not None:
        (folder / "token").write_bytes(content)
    (mistake,) = mistakes(folder, META.replace("env:SHOP_META_TOKEN", f"file:{folder / 'token'}"))

    assert mistake.startswith("senders.shop.access_token: file:")


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_variable_is_no_secret(folder, value):
    os.environ["SHOP_META_TOKEN"] = value

    assert mistakes(folder, META) == ("senders.shop.access_token: env:SHOP_META_TOKEN is empty or missing",)


def test_two_secrets_live_during_a_rotation_and_three_do_not(folder):
    one = '"env:SHOP_META_APP_SECRET"'
    two = META.replace(f"[{one}]", f'[{one}, "env:SHOP_META_TOKEN"]')
    three = META.replace(f"[{one}]", f"[{one}, {one}, {one}]")

    assert len(load(folder, two).configuration.senders["shop"].app_secrets) == 2
    assert mistakes(folder, three)[0].startswith("senders.shop.app_secret: ")


@pytest.mark.parametrize("content", [b"not toml", b"\xff\xfe[policy]"], ids=["no TOML", "no UTF-8"])
def test_a_file_that_cannot_be_read_is_a_mistake(folder, content):
    path = folder / "broken.toml"
    path.write_bytes(content)
    os.environ["FINESTRA_CONFIG"] = str(path)
    with pytest.raises(SettingsError) as refusal:
        load_settings()

    assert "is not TOML" in refusal.value.mistakes[0]


def test_a_file_that_is_not_there_is_a_mistake(folder):
    os.environ["FINESTRA_CONFIG"] = str(folder / "nowhere.toml")
    with pytest.raises(SettingsError) as refusal:
        load_settings()

    assert "cannot be read" in refusal.value.mistakes[0]


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("[sender.shop]\n", "sender: "),
        ("[senders.shop]\n", "senders.shop.provider: "),
        (META.replace('"meta"', '"smoke"'), "senders.shop.provider: "),
        (META.replace("[senders.shop]", "[senders.Shop]"), "senders.Shop"),
        ("senders = 3\n", "senders: "),
    ],
    ids=["a misspelt table", "no provider", "an unknown provider", "a bad alias", "no table"],
)
def test_a_table_that_cannot_be_is_named(folder, table, where):
    assert mistakes(folder, table)[0].startswith(where)


def test_an_app_that_names_an_unknown_sender_is_a_mistake(folder):
    app = APP + '    senders = ["shop", "nowhere"]\n'

    assert mistakes(folder, META, app) == ("apps.orders.senders: there is no sender nowhere",)


def test_a_sender_with_a_mistake_is_not_called_missing_too(folder):
    app = APP + '    senders = ["shop"]\n'

    assert len(mistakes(folder, META.replace("+15550783881", "12"), app)) == 1


def test_two_apps_may_not_share_a_key(folder):
    assert mistakes(folder, META, APP, APP.replace("orders", "desk")) == ("apps: two apps share an API key",)


def test_the_example_of_the_contract_starts(monkeypatch):
    from shared.schemas.configuration import parse_configuration

    monkeypatch.setenv("A_SECRET", "x")
    shop = {
        "provider": "meta",
        "number": "+15550783881",
        "phone_number_id": "1",
        "business_account_id": "2",
        "access_token": "env:A_SECRET",
        "app_secret": ["env:A_SECRET"],
        "verify_token": "env:A_SECRET",
        "pair_burst": 45,
        "messaging_limit_per_day": 0,
    }
    document = {
        "senders": {"shop": shop},
        "policy": {"promotional_content": "warn", "confirm_opt_out": True},
    }

    configuration, mistakes = parse_configuration(document)

    assert mistakes == []
    assert configuration.policy.promotional_content is PromotionalContent.WARN
    assert configuration.policy.confirm_opt_out


def test_a_misspelt_setting_is_a_mistake_that_names_it():
    from shared.schemas.configuration import parse_configuration

    _, mistakes = parse_configuration({"policy": {"reaction_opens_window": True}})

    assert mistakes == ["policy.reaction_opens_window: Unknown field."]


def meta_table(number: str, phone_number_id: str) -> dict[str, object]:
    return {
        "provider": "meta",
        "number": number,
        "phone_number_id": phone_number_id,
        "business_account_id": "2",
        "access_token": "env:A_SECRET",
        "app_secret": ["env:A_SECRET"],
        "verify_token": "env:A_SECRET",
    }


def test_two_senders_with_one_number_are_a_mistake(monkeypatch):
    from shared.schemas.configuration import parse_configuration

    monkeypatch.setenv("A_SECRET", "x")
    senders = {"a": meta_table("+15550783881", "1"), "b": meta_table("+15550783882", "1")}

    _, mistakes = parse_configuration({"senders": senders})

    assert mistakes == ["senders.b: has the same number as senders.a"]


def test_a_misspelt_table_does_not_hide_other_mistakes():
    from shared.schemas.configuration import parse_configuration

    _, mistakes = parse_configuration({"policyy": {}, "policy": {"languages": ["xx"]}})

    assert [mistake.split(":")[0] for mistake in mistakes] == ["policyy", "policy.languages.0"]


def test_secret_keys_are_long_enough_and_the_newest_comes_first(folder):
    settings = load(folder, META, CM, APP, SECRET_KEY=f"{CANARY}-the-newest-key, the-former-secret-key")

    assert [key.reveal() for key in settings.secret_keys] == [
        f"{CANARY}-the-newest-key",
        "the-former-secret-key",
    ]
    assert CANARY not in repr(settings)
    with pytest.raises(SettingsError, match="FINESTRA_SECRET_KEY: make each 16 random characters"):
        load(folder, META, CM, APP, SECRET_KEY="short")
