"""A body that is read from the wire piece by piece, never more of it or for longer than was agreed.

Knows neither what the bytes are nor who wanted them.
"""

import re
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import requests

from shared.errors import FinestraError
from shared.http.deadline import Flight
from shared.http.session import WENT_WRONG

CHUNK_BYTES = 64 * 1024
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


class DownloadError(FinestraError):
    """The rest of a body cannot be had. `reason`: too_large, timeout or connection_lost."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Download:
    """An answer of any status; iterate over it once for the body, in chunks of at most 64 kB.

    Holds a connection of its own until its end, an error, or `close()`: close it, or use it in a `with`. A
    WSGI server closes what it is given to iterate over.
    """

    def __init__(
        self,
        response: requests.Response,
        *,
        flight: Flight,
        max_bytes: int,
        retry_after: timedelta | None,
        held: ExitStack,
    ) -> None:
        self.status = response.status_code
        #: What the other side asks us to wait.
        self.retry_after = retry_after
        #: The other side's clock, in whole seconds; None when it does not say.
        self.date = _date(response.headers.get("Date", ""))
        #: As the other side says, which may be anything.
        self.content_type: str | None = response.headers.get("Content-Type")
        #: Likewise; None when it does not say. More than `max_bytes` is certain to end in an error.
        self.declared_bytes = _declared_bytes(response)
        self._raw = response.raw
        self._flight = flight
        self._left_bytes = max_bytes
        self._held = held
        self._is_closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        """Raise DownloadError when more than `max_bytes` come, time is up, or the connection is lost."""
        if self._is_closed:
            raise StopIteration
        try:
            chunk = self._read()
        except DownloadError:
            self.close()
            raise
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Give the connection up, wherever the body is. Harmless when repeated."""
        self._is_closed = True
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> bytes:
        try:
            chunk: bytes = self._raw.read(CHUNK_BYTES, decode_content=True)
        except WENT_WRONG as exc:
            raise DownloadError("timeout" if self._flight.is_late() else "connection_lost") from exc
        if self._flight.is_expired:  # a cut looks like the end of a body that states no length
            raise DownloadError("timeout")
        self._left_bytes -= len(chunk)
        if self._left_bytes < 0:
            raise DownloadError("too_large")
        return chunk


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _declared_bytes(response: requests.Response) -> int | None:
    """None too for a compressed body: its length says nothing of what comes out."""
    length = response.headers.get("Content-Length", "").strip()
    if "Content-Encoding" in response.headers or not _LENGTH.fullmatch(length):
        return None
    return int(length)
