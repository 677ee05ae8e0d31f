"""What can go wrong at the internal door: every code, what it means and what mends it, as data.

It knows no HTTP but the number of a status; webhook/errors.py answers with it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from http import HTTPStatus
from importlib import resources


class Code(StrEnum):
    """Stable: programs match on it."""

    NOT_JSON = "not_json"
    BAD_REQUEST = "bad_request"
    KEY_REQUIRED = "key_required"
    SCOPE_MISSING = "scope_missing"
    SENDER_NOT_ALLOWED = "sender_not_allowed"
    NOT_FOUND = "not_found"
    UNKNOWN_SENDER = "unknown_sender"
    UNKNOWN_TEMPLATE = "unknown_template"
    UNREADABLE_TEMPLATE = "unreadable_template"
    NO_MEDIA = "no_media"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TEMPLATE_EXISTS = "template_exists"
    DECIDED_BY_PROVIDER = "decided_by_provider"
    TEMPLATE_BUSY = "template_busy"
    TEMPLATE_EDITED = "template_edited"
    TEMPLATE_LOCKED = "template_locked"
    MESSAGE_WAITING = "message_waiting"
    MESSAGE_IN_FLIGHT = "message_in_flight"
    MESSAGE_IN_DOUBT = "message_in_doubt"
    MESSAGE_NOT_IN_DOUBT = "message_not_in_doubt"
    MESSAGE_FINAL = "message_final"
    MEDIA_GONE = "media_gone"
    BODY_TOO_LARGE = "body_too_large"
    KEY_NOT_SET = "secret_key_missing"
    INVALID_REQUEST = "invalid_request"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    TEMPLATE_MISMATCH = "template_mismatch"
    TEMPLATE_LINT = "template_lint"
    EXAMPLE_NEEDED = "example_needed"
    UNSUPPORTED_BY_PROVIDER = "unsupported_by_provider"
    TOO_MANY_AT_ONCE = "too_many_at_once"
    BACKLOG_FULL = "backlog_full"
    INTERNAL_ERROR = "internal_error"
    PROVIDER_REFUSED = "provider_refused"
    MEDIA_HOST_NOT_ALLOWED = "media_host_not_allowed"
    MEDIA_TOO_LARGE = "media_too_large"
    STORE_UNAVAILABLE = "store_unavailable"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_IN_DOUBT = "provider_in_doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """For people; what stands in `backticks` is to be typed or read as it is."""

    status: HTTPStatus
    title: str
    meaning: str
    mend: str


@cache
def kinds() -> Mapping[Code, Kind]:
    """Every code's row of `problems.toml`, in its order: by status."""
    text = resources.files("shared").joinpath("problems.toml").read_text(encoding="utf-8")
    return {
        Code(code): Kind(**row | {"status": HTTPStatus(row["status"])})
        for code, row in tomllib.loads(text).items()
    }
