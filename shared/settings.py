"""Every environment variable, parsed once; a start shows all mistakes together and no secret."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from environs import Env, EnvValidationError, ValidationError, validate

from shared.configuration import Configuration, Network, Secret
from shared.errors import SettingsError
from shared.schemas.configuration import load_configuration

#: A provider call ends after this; leases and margins are longer.
PROVIDER_DEADLINE = timedelta(seconds=8)
LEASE = timedelta(seconds=15)
_SLOTS = validate.Range(min=1)
_SECONDS = validate.Range(min=0, min_inclusive=False, max=7 * 86400)
#: Numbers can be tried out one after the other; a short key could be, too.
_LEAST_KEY_LENGTH = 16
_DAYS = validate.Range(min=0, min_inclusive=False, max=3650)
_BIND = re.compile(r"[\w.\-\[\]:]+:(\d{1,5})")
_LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    redis_url: Secret
    broker_url: Secret
    configuration: Configuration
    data_dir: Path
    receiver_bind: str
    api_bind: str
    flower_bind: str
    flower_user: str
    flower_password: Secret = field(default_factory=lambda: Secret(""))
    #: For keyed hashes; the first makes new ones. Empty: nobody can be erased.
    secret_keys: tuple[Secret, ...] = ()
    worker_slots: int
    doubt_grace: timedelta
    window_length: timedelta
    retention: timedelta
    log_format: str
    #: Who may say in X-Forwarded-For where a webhook comes from; empty: nobody.
    trusted_proxies: tuple[Network, ...] = ()
    #: Whoever reaches the broker may send.
    celery_door: bool = False
    #: Where bugs of the api and the workers are told; empty: nowhere.
    sentry_dsn: Secret = field(default_factory=lambda: Secret(""))
    #: Where the api and the workers tell what they do, in spans; empty: nowhere.
    otlp_endpoint: Secret = field(default_factory=lambda: Secret(""))


def load_settings() -> Settings:
    """Read `FINESTRA_…` from the environment; raise SettingsError with every mistake."""
    env = Env(eager=False, prefix="FINESTRA_")
    redis_url = env.str("REDIS_URL", "redis://127.0.0.1:6379/0", validate=_is_redis_url)
    broker_url, data_dir = env.str("BROKER_URL", ""), env.str("DATA_DIR", "var")
    receiver_bind = env.str("RECEIVER_BIND", "127.0.0.1:8080", validate=_is_bind)
    trusted_proxies = env.str("TRUSTED_PROXIES", "", validate=_are_networks)
    api_bind = env.str("API_BIND", "127.0.0.1:8081", validate=_is_bind)
    flower_bind = env.str("FLOWER_BIND", "127.0.0.1:5555", validate=_is_bind)
    flower_user, flower_password = env.str("FLOWER_USER", "oncall"), env.str("FLOWER_PASSWORD", "")
    secret_keys = _secret_keys(env.str("SECRET_KEY", "", validate=_are_keys))
    log_format = env.str("LOG_FORMAT", "json", validate=validate.OneOf(["json", "console"]))
    dsn, otlp = env.str("SENTRY_DSN", "", validate=_is_dsn), env.str("OTLP_ENDPOINT", "", validate=_is_otlp)
    celery_door, slots = env.bool("CELERY_DOOR", default=False), env.int("WORKER_SLOTS", 128, validate=_SLOTS)
    grace_seconds = env.float("DOUBT_GRACE_SECONDS", 60.0, validate=_SECONDS)
    window_seconds = env.float("WINDOW_SECONDS", 86400.0, validate=_SECONDS)
    retention_days = env.float("RETENTION_DAYS", 30.0, validate=_DAYS)
    configuration, mistakes = _configuration(env.str("CONFIG", ""))
    _refuse([*_env_mistakes(env), *mistakes, *_margin_mistakes(configuration, window_seconds)])
    return Settings(
        redis_url=Secret(redis_url),
        broker_url=Secret(broker_url or _next_database(redis_url)),
        configuration=configuration,
        data_dir=Path(data_dir),
        receiver_bind=receiver_bind,
        api_bind=api_bind,
        flower_bind=flower_bind,
        flower_user=flower_user,
        flower_password=Secret(flower_password),
        secret_keys=secret_keys,
        worker_slots=slots,
        doubt_grace=timedelta(seconds=grace_seconds),
        window_length=timedelta(seconds=window_seconds),
        retention=timedelta(days=retention_days),
        log_format=log_format,
        trusted_proxies=_networks(trusted_proxies),
        celery_door=celery_door,
        sentry_dsn=Secret(dsn),
        otlp_endpoint=Secret(otlp),
    )


def _refuse(mistakes: list[str]) -> None:
    if mistakes:
        raise SettingsError(mistakes)


def _configuration(path: str) -> tuple[Configuration, list[str]]:
    return load_configuration(Path(path)) if path else (Configuration(), [])


def _is_bind(text: str) -> None:
    match = _BIND.fullmatch(text)
    if match is None or not 0 < int(match[1]) <= _LARGEST_PORT:
        mend = "write host:port, like 127.0.0.1:8080"
        raise ValidationError(mend)


def _secret_keys(text: str | None) -> tuple[Secret, ...]:
    return tuple(Secret(part.strip()) for part in (text or "").split(",") if part.strip())


def _are_keys(text: str) -> None:
    if any(len(key.reveal()) < _LEAST_KEY_LENGTH for key in _secret_keys(text)):
        mend = f"make each {_LEAST_KEY_LENGTH} random characters or more; the newest first, commas between"
        raise ValidationError(mend)


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _are_networks(text: str) -> None:
    try:
        _networks(text)
    except ValueError as exc:
        mend = "write addresses or networks with commas between, like 10.0.0.7, 192.168.4.0/24"
        raise ValidationError(mend) from exc


def _is_dsn(text: str) -> None:
    parts = urlsplit(text)
    if text and not (parts.scheme in {"http", "https"} and parts.username and parts.path.strip("/")):
        mend = "write it as Sentry shows it, https://key@host/project"
        raise ValidationError(mend)


def _is_otlp(text: str) -> None:
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or True)
        is_known = is_whole and not parts.query and not parts.path.endswith("/v1/traces")
    except ValueError:
        is_known = False
    if text and not is_known:
        mend = "write http://host:4318 or https://host, without /v1/traces and without a query"
        raise ValidationError(mend)


def _is_redis_url(text: str) -> None:
    try:
        parts = urlsplit(text)
        is_known = parts.scheme in {"redis", "rediss", "unix"} and (parts.port or True)
    except ValueError:
        is_known = False
    if not is_known:
        mend = "write redis://host:port/0, or rediss:// for TLS"
        raise ValidationError(mend)


def _env_mistakes(env: Env) -> list[str]:
    try:
        env.seal()
    except EnvValidationError as exc:
        return [str(exc)] if isinstance(exc.error_messages, list) else _named(exc.error_messages)
    return []


def _named(messages: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{name}: {' '.join(texts)}" for name, texts in messages.items()]


def _margin_mistakes(configuration: Configuration, window_seconds: float | None) -> list[str]:
    if not window_seconds:  # it could not be read
        return []
    window_length = timedelta(seconds=window_seconds)
    found = []
    for sender in configuration.senders.values():
        where = f"senders.{sender.alias}.window_margin_seconds"
        if sender.window_margin >= window_length:
            found.append(f"{where}: must be shorter than the window itself")
        elif sender.window_margin <= PROVIDER_DEADLINE:
            found.append(f"{where}: must be longer than a provider call may take ({PROVIDER_DEADLINE})")
    return found


def _next_database(redis_url: str) -> str:
    """The same server, database 1: doorbells stay apart from what is owed."""
    return urlsplit(redis_url)._replace(path="/1").geturl()
