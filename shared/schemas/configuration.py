"""The TOML file: senders, apps and policy, parsed once, all mistakes reported together.

Secrets stand in it by name only, `env:NAME` or `file:/run/secrets/NAME`; a secret written out is refused.
"""

import os
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from shared.configuration import (
    SCOPES,
    AnySender,
    App,
    CmSender,
    Configuration,
    MetaSender,
    Policy,
    Secret,
)
from shared.domain.consent import KEYWORD_LANGUAGES
from shared.domain.identifiers import InvalidIdentifierError, PhoneNumber
from shared.domain.message import WhenOpen

_NAME = validate.Regexp(
    r"^[a-z0-9][a-z0-9_-]{0,31}$", error="use lower-case letters, digits, - and _, at most 32"
)

#: Settings of the contract that this version reads past: a start warns of each one that stands in the file.
_NOT_WATCHED = {
    "senders": ("provider", "pair_interval_seconds", "pair_burst", "messaging_limit_per_day"),
    "apps": ("callback_url", "callback_secret", "max_backlog"),
    "policy": ("promotional_content", "confirm_opt_out"),
}


class _SecretField(fields.Field[Secret]):
    """`env:NAME` or `file:PATH`; trailing line breaks of a file are not part of a secret."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Secret:
        scheme, _, name = str(value).partition(":")
        match scheme:
            case "env":
                secret = os.environ.get(name, "")
            case "file":
                secret = _read_secret_file(Path(name))
            case _:
                raise ValidationError("name the secret as env:NAME or file:/path, do not write it here")
        if not secret.strip():
            raise ValidationError(f"{scheme}:{name} is empty or missing")
        return Secret(secret.strip("\r\n"))


def _read_secret_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ValidationError(f"file:{path} cannot be read") from exc


class _PhoneField(fields.Field[PhoneNumber]):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> PhoneNumber:
        try:
            return PhoneNumber.parse(str(value))
        except InvalidIdentifierError as exc:
            raise ValidationError(str(exc)) from exc


class _SenderSchema(Schema):
    number = _PhoneField(required=True)
    business = fields.String(load_default="default", validate=_NAME)
    throughput_per_second = fields.Float(
        load_default=80.0, validate=validate.Range(min=0, min_inclusive=False)
    )
    window_margin = fields.TimeDelta(
        load_default=timedelta(seconds=60),
        data_key="window_margin_seconds",
        validate=validate.Range(min=timedelta(0)),
    )
    when_open = fields.Enum(WhenOpen, by_value=True, load_default=WhenOpen.SESSION)


class _MetaSchema(_SenderSchema):
    phone_number_id = fields.String(required=True, validate=validate.Regexp(r"^\d+$"))
    business_account_id = fields.String(required=True, validate=validate.Regexp(r"^\d+$"))
    access_token = _SecretField(required=True)
    app_secrets = fields.List(
        _SecretField(), required=True, data_key="app_secret", validate=validate.Length(min=1, max=2)
    )
    verify_token = _SecretField(required=True)
    base_url = fields.Url(load_default="https://graph.facebook.com", require_tld=False)
    api_version = fields.String(load_default="v24.0", validate=validate.Regexp(r"^v\d+\.\d+$"))


class _CmSchema(_SenderSchema):
    throughput_per_second = fields.Float(
        load_default=50.0, validate=validate.Range(min=0, min_inclusive=False)
    )
    window_margin = fields.TimeDelta(
        load_default=timedelta(seconds=300),
        data_key="window_margin_seconds",
        validate=validate.Range(min=timedelta(0)),
    )
    product_token = _SecretField(required=True)
    webhook_tokens = fields.List(
        _SecretField(), required=True, data_key="webhook_token", validate=validate.Length(min=1, max=2)
    )
    template_namespace = fields.String(required=True, validate=validate.Regexp(r"^\w+$"))
    base_url = fields.Url(load_default="https://gw.messaging.cm.com", require_tld=False)
    batch_size = fields.Integer(load_default=100, validate=validate.Range(min=1, max=1000))
    provider_approval = fields.String(load_default="manual", validate=validate.OneOf(["manual", "automatic"]))
    # A list that is not checked would be worse than none.
    allowed_source_ips = fields.List(
        fields.String(),
        load_default=list,
        validate=validate.Length(
            max=0, error="not checked by this version: leave it empty, filter at the proxy"
        ),
    )


class _AppSchema(Schema):
    api_keys = fields.List(
        _SecretField(), required=True, data_key="api_key", validate=validate.Length(min=1, max=2)
    )
    senders = fields.List(fields.String(), load_default=list)
    scopes = fields.List(fields.String(validate=validate.OneOf(SCOPES)), required=True)


class _PolicySchema(Schema):
    languages = fields.List(
        fields.String(validate=validate.OneOf(KEYWORD_LANGUAGES)),
        load_default=["it", "en"],
        validate=validate.Length(min=1),
    )
    reactions_open_window = fields.Boolean(load_default=False)
    unsupported_opens_window = fields.Boolean(load_default=True)
    on_category_change = fields.String(load_default="stop", validate=validate.OneOf(["stop", "continue"]))


class _FileSchema(Schema):
    senders = fields.Dict(fields.String(validate=_NAME), fields.Dict(), load_default=dict)
    apps = fields.Dict(fields.String(validate=_NAME), fields.Dict(), load_default=dict)
    policy = fields.Dict(load_default=dict)


def load_configuration(path: Path) -> tuple[Configuration, list[str]]:
    """Read the file; the mistakes are all that is wrong with it, empty when it can be used."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        return Configuration(), [f"FINESTRA_CONFIG: {path} cannot be read ({exc.strerror})"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        return Configuration(), [f"FINESTRA_CONFIG: {path} is not TOML ({exc})"]
    return parse_configuration(document)


def parse_configuration(document: Mapping[str, Any]) -> tuple[Configuration, list[str]]:
    mistakes: list[str] = []
    tables = _known_tables(deepcopy(dict(document)), mistakes)
    providers = {alias: table.get("provider") for alias, table in tables.get("senders", {}).items()}
    not_watched = tuple(_drop_not_watched(tables))
    senders = {
        alias: sender
        for alias, table in tables.get("senders", {}).items()
        if (sender := _sender(alias, table, providers.get(alias), mistakes)) is not None
    }
    apps = {
        name: app
        for name, table in tables.get("apps", {}).items()
        if (app := _app(name, table, mistakes)) is not None
    }
    policy = _policy(tables.get("policy", {}), mistakes)
    # A sender with a mistake of its own is still there to be named.
    mistakes.extend(_contradictions(tables.get("senders", {}), apps))
    mistakes.extend(_twins(senders.values()))
    configuration = Configuration(senders=senders, apps=apps, policy=policy, not_watched=not_watched)
    return configuration, mistakes


def _known_tables(document: dict[str, Any], mistakes: list[str]) -> dict[str, Any]:
    """The tables that can be looked at, also when others are misspelt: all mistakes show together."""
    schema = _FileSchema()
    unknown = [name for name in document if name not in schema.fields]
    mistakes.extend(f"{name}: no such table; there are {', '.join(schema.fields)}" for name in unknown)
    return _load(schema, {name: document[name] for name in document if name not in unknown}, "", mistakes)


def _drop_not_watched(tables: dict[str, Any]) -> Iterator[str]:
    """Take out what this version does not watch; answers where it stood."""
    for kind, names in _NOT_WATCHED.items():
        below = {"": tables.get(kind, {})} if kind == "policy" else tables.get(kind, {})
        for owner, table in below.items():
            for name in [name for name in names if name in table]:
                del table[name]
                if name != "provider":
                    yield ".".join(filter(None, (kind, owner, name)))


def _sender(alias: str, table: Mapping[str, Any], provider: object, mistakes: list[str]) -> AnySender | None:
    where = f"senders.{alias}"
    match provider:
        case "meta":
            values = _load(_MetaSchema(), table, where, mistakes)
            return MetaSender(alias=alias, **_tupled(values)) if values else None
        case "cm":
            values = _load(_CmSchema(), table, where, mistakes)
            if not values:
                return None
            is_automatic = values.pop("provider_approval") == "automatic"
            del values["allowed_source_ips"]
            return CmSender(alias=alias, is_provider_approval_automatic=is_automatic, **_tupled(values))
        case _:
            mistakes.append(f'{where}.provider: must be "meta" or "cm"')
            return None


def _app(name: str, table: Mapping[str, Any], mistakes: list[str]) -> App | None:
    values = _load(_AppSchema(), table, f"apps.{name}", mistakes)
    if not values:
        return None
    return App(name=name, scopes=frozenset(values.pop("scopes")), **_tupled(values))


def _policy(table: Mapping[str, Any], mistakes: list[str]) -> Policy:
    values = _load(_PolicySchema(), table, "policy", mistakes)
    if not values:
        return Policy()
    return Policy(
        languages=tuple(values["languages"]),
        reactions_open_window=values["reactions_open_window"],
        unsupported_opens_window=values["unsupported_opens_window"],
        stop_on_category_change=values["on_category_change"] == "stop",
    )


def _contradictions(senders: Collection[str], apps: Mapping[str, App]) -> Iterator[str]:
    for app in apps.values():
        for alias in app.senders:
            if alias not in senders:
                yield f"apps.{app.name}.senders: there is no sender {alias}"
    keys = [key for app in apps.values() for key in app.api_keys]
    if len(set(keys)) != len(keys):
        yield "apps: two apps share an API key"


def _twins(senders: Iterable[AnySender]) -> Iterator[str]:
    """An update names a number: two senders with the same one would be told apart by chance."""
    first: dict[str, str] = {}
    for sender in senders:
        names = [sender.number.value, *([sender.phone_number_id] if isinstance(sender, MetaSender) else [])]
        for name in names:
            if first.setdefault(name, sender.alias) != sender.alias:
                yield f"senders.{sender.alias}: has the same number as senders.{first[name]}"
                break


def _load(schema: Schema, table: Mapping[str, Any], where: str, mistakes: list[str]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(table)
    except ValidationError as exc:
        mistakes.extend(_flatten(where, exc.messages))
        return {}
    return loaded


def _flatten(where: str, messages: Any) -> Iterator[str]:
    if isinstance(messages, dict):
        for name, below in messages.items():
            yield from _flatten(f"{where}.{name}" if where else str(name), below)
    else:
        yield from (f"{where}: {text}" for text in messages)


def _tupled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
