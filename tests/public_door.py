"""What tests of the public door share: bodies of both providers, signed as Meta signs."""

import hashlib
import hmac
import json

from tests.builders import NOW

AT = str(int(NOW.timestamp()))
HOOK = "/webhooks/negozio/cm-hook-token"


def text(sender: str = "393331234567", body: str = "Buongiorno", **changes) -> dict:
    message = {"from": sender, "id": "wamid.IN1", "timestamp": AT, "type": "text", "text": {"body": body}}
    return {**message, **changes}


def meta_body(*messages: dict, statuses: list[dict] | None = None, pnid: str = "106540352242922") -> bytes:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": pnid},
    }
    value |= {"messages": list(messages)} if messages else {}
    value |= {"statuses": statuses} if statuses else {}
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def sign(body: bytes, secret: str = "meta-app-secret") -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


def post_meta(door, body: bytes, **headers: str):
    return door.post("/webhooks/shop", data=body, headers=headers or sign(body))


def cm_body(**changes) -> dict:
    inbound = {
        "reference": "4d0c1f8e9b7a4c5d8e6f1a2b3c4d5e6f",
        "messageContext": "",
        "from": {"number": "+393331234567", "name": "Anna"},
        "to": {"number": "+390212345678"},
        "message": {
            "text": "È aperto oggi?",
            "media": {"mediaUri": "", "contentType": "", "title": ""},
            "custom": {},
        },
        "groupings": ["", "", ""],
        "timeUtc": NOW.strftime("%Y-%m-%dT%H:%M:%S"),
        "channel": "WhatsApp",
    }
    return {**inbound, **changes}
