"""What makes a callback trustworthy: the headers of Standard Webhooks. Knows no HTTP and no clock.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from shared.configuration import Secret


class Signer:
    """Signs under every live secret, so that an app may change its secret at any moment of a rotation."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        """`secrets`: `whsec_` and base64, as the configuration was checked to hold; at least one."""
        if not secrets:
            raise ValueError("a callback needs a secret to be signed with")
        self._keys = [Webhook(secret.reveal()) for secret in secrets]

    def headers(self, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """`at`: aware, the time of this attempt: apps refuse what is five minutes old. `body`: UTF-8."""
        at = at.astimezone(UTC)  # the library takes the digits of any zone for UTC
        text = body.decode()
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(key.sign(event_id, at, text) for key in self._keys),
        }
