"""Is this POST from the provider: pure, in constant time, for any header that may come.

Meta signs the bytes on the wire (HMAC-SHA256 with the app secret); "Create a webhook endpoint", read 2026-09.
CM.com signs nothing, so a secret in the address stands for a signature ("Incoming messages", read 2026-11).
"""

import hashlib
import hmac
from collections.abc import Iterable

from shared.configuration import Secret

_PREFIX = "sha256="
_HEADER_LENGTH = len(_PREFIX) + hashlib.sha256().digest_size * 2


def is_signed(body: bytes, header: str | None, secrets: Iterable[Secret]) -> bool:
    """`header`: X-Hub-Signature-256 as it came. Any of the secrets will do, so that one can be rotated."""
    if header is None or len(header) != _HEADER_LENGTH or not header.startswith(_PREFIX):
        return False
    given = header.removeprefix(_PREFIX).encode("utf-8", "replace")
    digests = [hmac.new(secret.reveal().encode(), body, hashlib.sha256).hexdigest() for secret in secrets]
    return any([hmac.compare_digest(digest.encode(), given) for digest in digests])  # noqa: C419 - no early end


def is_token(given: str, secrets: Iterable[Secret]) -> bool:
    encoded = given.encode("utf-8", "replace")
    return any([hmac.compare_digest(secret.reveal().encode(), encoded) for secret in secrets])  # noqa: C419
