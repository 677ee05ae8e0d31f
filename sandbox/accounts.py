"""The business numbers the sandbox plays the provider of. Knows nothing of messages."""

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

from sandbox.shapes import ScriptError, is_e164, script_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaAccount:
    """One phone number of a WhatsApp Business Account on the Cloud API."""

    provider: ClassVar[str] = "meta"

    #: +E164; Meta's own webhooks show it without the plus.
    number: str
    phone_number_id: str
    business_account_id: str
    access_token: str = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    webhook_url: str

    @property
    def template_owner(self) -> str:
        return self.business_account_id


@dataclass(frozen=True, slots=True, kw_only=True)
class CmAccount:
    """One WhatsApp number at CM.com. Several may share a product token."""

    provider: ClassVar[str] = "cm"

    number: str
    product_token: str = field(repr=False)
    template_namespace: str
    #: Its path holds the secret of the receiver, since CM.com signs nothing.
    webhook_url: str = field(repr=False)

    @property
    def template_owner(self) -> str:
        return self.template_namespace


Account = MetaAccount | CmAccount

_KINDS: dict[str, type[MetaAccount | CmAccount]] = {"meta": MetaAccount, "cm": CmAccount}


def parse_account(raw: dict[str, object]) -> Account:
    """An account out of its JSON; raises `ScriptError` naming what is missing, unknown or badly formed."""
    kind = _KINDS.get(str(raw.get("provider")))
    if kind is None:
        raise ScriptError("'provider' must be 'meta' or 'cm'")
    names = {entry.name for entry in dataclasses.fields(kind)}
    texts = script_texts({key: raw[key] for key in raw if key != "provider"}, names)
    if not is_e164(texts["number"]):
        raise ScriptError("'number' must be +E164")
    if not texts["webhook_url"].startswith(("http://", "https://")):
        raise ScriptError("'webhook_url' must be an http or https address")
    return kind(**texts)
