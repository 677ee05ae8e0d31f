"""The TOML file: senders, apps and policy, parsed once, all mistakes reported together.

Secrets stand in it by name only, `env:NAME` or `file:/run/secrets/NAME`; a secret written out is refused.
"""

import base64
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields

from shared.configuration import (
    AnySender,
    App,
    CmSender,
    Configuration,
    MetaSender,
    Policy,
    Secret,
)
from shared.schemas.configuration_tables import NAME, AppSchema, CmSchema, MetaSchema, PolicySchema

_SHORTEST_CALLBACK_KEY, _LONGEST_CALLBACK_KEY = 24, 64


class _FileSchema(Schema):
    senders = fields.Dict(fields.String(validate=NAME), fields.Dict(), load_default=dict)
    apps = fields.Dict(fields.String(validate=NAME), fields.Dict(), load_default=dict)
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
    providers = {alias: table.pop("provider", None) for alias, table in tables.get("senders", {}).items()}
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
    configuration = Configuration(senders=senders, apps=apps, policy=policy)
    return configuration, mistakes


def _known_tables(document: dict[str, Any], mistakes: list[str]) -> dict[str, Any]:
    """The tables that can be looked at, also when others are misspelt: all mistakes show together."""
    schema = _FileSchema()
    unknown = [name for name in document if name not in schema.fields]
    mistakes.extend(f"{name}: no such table; there are {', '.join(schema.fields)}" for name in unknown)
    return _load(schema, {name: document[name] for name in document if name not in unknown}, "", mistakes)


def _sender(alias: str, table: Mapping[str, Any], provider: object, mistakes: list[str]) -> AnySender | None:
    where = f"senders.{alias}"
    match provider:
        case "meta":
            values = _load(MetaSchema(), table, where, mistakes)
            return MetaSender(alias=alias, **_tupled(values)) if values else None
        case "cm":
            values = _load(CmSchema(), table, where, mistakes)
            if not values:
                return None
            is_automatic = values.pop("provider_approval") == "automatic"
            return CmSender(alias=alias, is_provider_approval_automatic=is_automatic, **_tupled(values))
        case _:
            mistakes.append(f'{where}.provider: must be "meta" or "cm"')
            return None


def _app(name: str, table: Mapping[str, Any], mistakes: list[str]) -> App | None:
    values = _load(AppSchema(), table, f"apps.{name}", mistakes)
    if not values:
        return None
    return App(name=name, scopes=frozenset(values.pop("scopes")), **_tupled(values))


def _policy(table: Mapping[str, Any], mistakes: list[str]) -> Policy:
    values = _load(PolicySchema(), table, "policy", mistakes)
    if not values:
        return Policy()
    return Policy(
        languages=tuple(values["languages"]),
        reactions_open_window=values["reactions_open_window"],
        unsupported_opens_window=values["unsupported_opens_window"],
        stop_on_category_change=values["on_category_change"] == "stop",
        confirm_opt_out=values["confirm_opt_out"],
        promotional_content=values["promotional_content"],
    )


def _contradictions(senders: Collection[str], apps: Mapping[str, App]) -> Iterator[str]:
    for app in apps.values():
        for alias in app.senders:
            if alias not in senders:
                yield f"apps.{app.name}.senders: there is no sender {alias}"
        yield from _callback_mistakes(app)
    keys = [key for app in apps.values() for key in app.api_keys]
    if len(set(keys)) != len(keys):
        yield "apps: two apps share an API key"


def _callback_mistakes(app: App) -> Iterator[str]:
    if app.callback_url is None:
        return
    where = f"apps.{app.name}"
    if not app.may("events"):
        yield f'{where}.callback_url: what is pushed is the feed of events; give it the scope "events"'
    if not app.callback_secrets:
        yield f"{where}.callback_secret: needed with callback_url, so that the app can tell who calls"
    if app.callback_url.startswith("http:") and not app.callback_networks:
        yield f"{where}.callback_url: use https, or name the private network it lies in as callback_networks"
    for secret in app.callback_secrets:
        if not is_callback_secret(secret):
            yield f"{where}.callback_secret: write whsec_ and at least 24 random bytes in base64"


def is_callback_secret(secret: Secret) -> bool:
    """As Standard Webhooks wants a symmetric secret: `whsec_`, then 24 to 64 bytes in base64."""
    prefix, _, encoded = secret.reveal().partition("_")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        return False
    return prefix == "whsec" and _SHORTEST_CALLBACK_KEY <= len(key) <= _LONGEST_CALLBACK_KEY


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
