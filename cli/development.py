"""A configuration for trying things out: two senders at the sandbox, two apps, secrets made on the spot.

Nothing here is for production: `finestra up` uses it only when FINESTRA_CONFIG is not set, and says so.
"""

import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

SECRETS = (
    "shop_token",
    "shop_app_secret",
    "shop_verify_token",
    "negozio_token",
    "negozio_webhook_token",
    "orders_key",
    "orders_callback_secret",
    "desk_key",
    "flower_password",
    "secret_key",
)

_CONFIGURATION = """\
# Written by `finestra up` for trying things out, against the sandbox. Yours goes into FINESTRA_CONFIG.
[senders.shop]
provider = "meta"
number = "+15550783881"
phone_number_id = "106540352242922"
business_account_id = "102290129340398"
access_token = "file:{secrets}/shop_token"
app_secret = ["file:{secrets}/shop_app_secret"]
verify_token = "file:{secrets}/shop_verify_token"
base_url = "{sandbox}"

[senders.negozio]
provider = "cm"
number = "+390212345678"
product_token = "file:{secrets}/negozio_token"
webhook_token = ["file:{secrets}/negozio_webhook_token"]
template_namespace = "0a1b2c3d_0000_1111_2222_333344445555"
base_url = "{sandbox}"

[apps.orders]
api_key = ["file:{secrets}/orders_key"]
scopes = ["messages", "contacts:read", "contacts", "templates:read", "templates", "events"]
{callback}
[apps.desk]
api_key = ["file:{secrets}/desk_key"]
scopes = ["admin"]
"""


_CALLBACK = """\
callback_url = "{url}"
callback_secret = ["file:{secrets}/orders_callback_secret"]
callback_networks = ["127.0.0.0/8"]
"""


@dataclass(frozen=True, slots=True)
class Development:
    """Where things are on this machine."""

    data_dir: Path
    receiver: str
    sandbox: str
    #: Where the app `orders` listens; None: it pulls its events.
    callback_url: str | None = None

    @property
    def config_path(self) -> Path:
        return self.data_dir / "finestra.toml"

    @property
    def accounts_path(self) -> Path:
        """What the sandbox has to know about our senders."""
        return self.data_dir / "sandbox.json"

    def secret(self, name: str) -> str:
        return (self.data_dir / "secrets" / name).read_text(encoding="utf-8").strip()

    def write(self) -> None:
        """Write the files; secrets that exist are kept, so that keys survive a restart."""
        folder = self.data_dir / "secrets"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in SECRETS:
            _write_once(folder / name, _new_secret(name))
        callback = _CALLBACK.format(url=self.callback_url, secrets=folder) if self.callback_url else ""
        text = _CONFIGURATION.format(secrets=folder, sandbox=self.sandbox, callback=callback)
        self.config_path.write_text(text, encoding="utf-8")
        _write_private(self.accounts_path, json.dumps({"accounts": self._accounts()}, indent=2))

    def _accounts(self) -> list[dict[str, str]]:
        return [
            {
                "provider": "meta",
                "number": "+15550783881",
                "phone_number_id": "106540352242922",
                "business_account_id": "102290129340398",
                "access_token": self.secret("shop_token"),
                "app_secret": self.secret("shop_app_secret"),
                "verify_token": self.secret("shop_verify_token"),
                "webhook_url": f"{self.receiver}/webhooks/shop",
            },
            {
                "provider": "cm",
                "number": "+390212345678",
                "product_token": self.secret("negozio_token"),
                "template_namespace": "0a1b2c3d_0000_1111_2222_333344445555",
                "webhook_url": f"{self.receiver}/webhooks/negozio/{self.secret('negozio_webhook_token')}",
            },
        ]


def _new_secret(name: str) -> str:
    if name.endswith("callback_secret"):
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(32)


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        _write_private(path, text)


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
