"""Signing against a vector that was calculated outside of this project's code."""

import json

import pytest

from sandbox.meta_webhooks import encode, signature

# reference: Meta "Webhooks", note on escaped unicode, read 2025-11; the hash is by openssl.
BODY = (
    rb'{"object":"whatsapp_business_account","entry":[{"id":"100200300400500","changes":[{"value":'
    rb'{"messaging_product":"whatsapp","messages":[{"text":{"body":"caf\u00e9 \ud83d\ude00 a\/b"}}]},'
    rb'"field":"messages"}]}]}'
)
SIGNATURE = "sha256=0495d423a10bba1f5b787319949742a41f77a54da877cc1da6e8e46bd3db17ae"


def test_encodes_and_signs_like_the_vector():
    value = {"messaging_product": "whatsapp", "messages": [{"text": {"body": "café \U0001f600 a/b"}}]}
    entry = {"id": "100200300400500", "changes": [{"value": value, "field": "messages"}]}

    body = encode({"object": "whatsapp_business_account", "entry": [entry]})

    assert body == BODY
    assert signature(body, "example_app_secret") == SIGNATURE


@pytest.mark.parametrize("text", ["/", "\\/", "\u20ac/\n", '"/"'])
def test_what_is_encoded_reads_back_the_same(text):
    assert json.loads(encode({"text": text})) == {"text": text}
