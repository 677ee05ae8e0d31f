"""The tables of the TOML file, each as a schema: a sender of either provider, an app, the policy."""

import ipaddress
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from shared.configuration import DEFAULT_MAX_BACKLOG, SCOPES, Network, Secret
from shared.domain.identifiers import InvalidIdentifierError, PhoneNumber
from shared.domain.keywords import KEYWORD_LANGUAGES
from shared.domain.lint import PromotionalContent
from shared.domain.message import WhenOpen

NAME = validate.Regexp(
    r"^[a-z0-9][a-z0-9_-]{0,31}$", error="use lower-case letters, digits, - and _, at most 32"
)


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


class _NetworkField(fields.Field[Network]):
    """An address, or a network like `10.0.0.0/8`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Network:
        try:
            return ipaddress.ip_network(str(value))
        except ValueError as exc:
            raise ValidationError("write an address or a network, like 203.0.113.7 or 10.0.0.0/8") from exc


_HOST = validate.Regexp(
    r"^[a-z0-9.-]{1,253}$", error="write a host name in lower case, without https:// and port"
)


def _pair_interval(*, seconds: float) -> fields.TimeDelta:
    return fields.TimeDelta(
        load_default=timedelta(seconds=seconds),
        data_key="pair_interval_seconds",
        validate=validate.Range(min=timedelta(0)),
    )


class _SenderSchema(Schema):
    number = _PhoneField(required=True)
    business = fields.String(load_default="default", validate=NAME)
    throughput_per_second = fields.Float(
        load_default=80.0, validate=validate.Range(min=0, min_inclusive=False)
    )
    window_margin = fields.TimeDelta(
        load_default=timedelta(seconds=60),
        data_key="window_margin_seconds",
        validate=validate.Range(min=timedelta(0)),
    )
    when_open = fields.Enum(WhenOpen, by_value=True, load_default=WhenOpen.SESSION)
    pair_interval = _pair_interval(seconds=0)
    pair_burst = fields.Integer(load_default=45, validate=validate.Range(min=1))
    messaging_limit_per_day = fields.Integer(load_default=0, validate=validate.Range(min=0))
    portfolio_name = fields.String(load_default="", data_key="portfolio", validate=NAME)
    allowed_source_ips = fields.List(_NetworkField(), load_default=list)


class MetaSchema(_SenderSchema):
    pair_interval = _pair_interval(seconds=6)
    phone_number_id = fields.String(required=True, validate=validate.Regexp(r"^\d+$"))
    business_account_id = fields.String(required=True, validate=validate.Regexp(r"^\d+$"))
    access_token = _SecretField(required=True)
    app_secrets = fields.List(
        _SecretField(), required=True, data_key="app_secret", validate=validate.Length(min=1, max=2)
    )
    verify_token = _SecretField(required=True)
    base_url = fields.Url(load_default="https://graph.facebook.com", require_tld=False)
    api_version = fields.String(load_default="v24.0", validate=validate.Regexp(r"^v\d+\.\d+$"))
    media_hosts = fields.List(fields.String(validate=_HOST), load_default=["lookaside.fbsbx.com"])


class CmSchema(_SenderSchema):
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
    is_message_context_own_id = fields.Boolean(load_default=False, data_key="message_context_is_inbound_id")
    media_hosts = fields.List(
        fields.String(validate=_HOST),
        load_default=[f"cdn-{number}.messaging.cm.com" for number in (1, 2, 3)],
    )


class AppSchema(Schema):
    api_keys = fields.List(
        _SecretField(), required=True, data_key="api_key", validate=validate.Length(min=1, max=2)
    )
    senders = fields.List(fields.String(), load_default=list)
    scopes = fields.List(fields.String(validate=validate.OneOf(SCOPES)), required=True)
    max_backlog = fields.Integer(load_default=DEFAULT_MAX_BACKLOG, validate=validate.Range(min=1))
    callback_url = fields.Url(load_default=None, schemes={"http", "https"}, require_tld=False)
    callback_secrets = fields.List(
        _SecretField(), load_default=list, data_key="callback_secret", validate=validate.Length(max=2)
    )
    callback_networks = fields.List(_NetworkField(), load_default=list)


class PolicySchema(Schema):
    languages = fields.List(
        fields.String(validate=validate.OneOf(KEYWORD_LANGUAGES)),
        load_default=["it", "en"],
        validate=validate.Length(min=1),
    )
    reactions_open_window = fields.Boolean(load_default=False)
    unsupported_opens_window = fields.Boolean(load_default=True)
    confirm_opt_out = fields.Boolean(load_default=False)
    on_category_change = fields.String(load_default="stop", validate=validate.OneOf(["stop", "continue"]))
    promotional_content = fields.Enum(
        PromotionalContent, by_value=True, load_default=PromotionalContent.REFUSE
    )
