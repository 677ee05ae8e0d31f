"""What Meta's error codes mean to us: the rows of `errors.toml`, and how an error's code is found.

Meta, "Error codes", read 2026-09: build on `code` and `error_data.details`; titles will be dropped.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.provider_errors import ErrorRow
from shared.providers.base import UNLISTED
from shared.providers.reading import number_text, object_at, text_at
from shared.providers.rows import ErrorTable

TABLE = ErrorTable.load("shared.providers.meta")
WINDOW_CLOSED = "131047"
_PERMISSIONS = range(200, 300)
#: What 131047 says where its code is lost on the way.
_WINDOW_WORDS = ("131047", "re-engagement message", "more than 24 hours have passed")


def row_of(code: str) -> ErrorRow:
    """The row of `code`; 200 to 299 are all one, and an unlisted code is UNLISTED."""
    row = TABLE.row(code)
    if row is UNLISTED and code.isdigit() and int(code) in _PERMISSIONS:
        return TABLE.row("200")
    return row


def code_of(error: Mapping[str, Any]) -> str | None:
    """An error's code; None when it has none that can be read."""
    code = number_text(error.get("code"))
    if code is None and _speaks_of_the_window(error):
        return WINDOW_CLOSED
    return code


def detail_of(error: Mapping[str, Any]) -> str:
    """Meta's words; `error_data` is a plain string in some errors of template management."""
    details = text_at(object_at(error, "error_data"), "details") or text_at(error, "error_data")
    return details or text_at(error, "message") or text_at(error, "title") or ""


def _speaks_of_the_window(error: Mapping[str, Any]) -> bool:
    texts = (detail_of(error), text_at(error, "message"), text_at(error, "title"))
    words = " ".join(text.casefold() for text in texts if text)
    return any(word in words for word in _WINDOW_WORDS)
