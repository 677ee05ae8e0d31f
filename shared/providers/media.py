"""A file that a contact sent, from the provider to whoever asks for it: passed on, never kept.

What both providers share: where a file may come from, how large it may be, and why it cannot be had. The
end of a fetch includes the time that the reader takes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Self
from urllib.parse import urlsplit

from shared.http.client import Doubt, HttpClient, NotSent
from shared.http.download import Download

#: Meta reports a contact's larger file as error 131052 instead ("Media", read 2025-11).
MOST_BYTES = 100 * 1024 * 1024
#: 100 MB at 7 Mbit/s.
FETCH_DEADLINE = timedelta(seconds=120)
_OWN_PORTS = {"https": 443, "http": 80}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class MediaRefusal(StrEnum):
    """Why a file cannot be had."""

    #: The provider has it no more.
    GONE = "gone"
    #: The provider does not give it to us: the token, or a link whose time is over.
    DENIED = "denied"
    TOO_LARGE = "too_large"
    #: It lies on a host that is not one of `media_hosts`: nothing was asked there.
    HOST_NOT_ALLOWED = "host_not_allowed"
    #: No answer, or one that says to come back later.
    AWAY = "away"
    #: An answer that makes no sense: a redirect, a lookup without an address.
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class MediaRefused:
    reason: MediaRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """A file whose bytes are still at the provider: read them once, and `close` in any case.

    Reading raises shared.http.download.DownloadError when the rest cannot be had, or is more than MOST_BYTES.
    """

    chunks: Iterator[bytes]
    close: Callable[[], None]
    #: As the provider says, which may be anything.
    content_type: str | None
    #: None when the provider does not say; at most MOST_BYTES.
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Hosts:
    """Who may be called: each `name`, or `name:port` for a port of its own."""

    #: Through https.
    secure: tuple[str, ...]
    #: Through plain http: a sandbox's.
    plain: tuple[str, ...] = ()

    @classmethod
    def of(cls, base_url: str) -> Self:
        """The one host of a provider's address, through the scheme that it has there."""
        parts = urlsplit(base_url)
        is_own = parts.port in {None, _OWN_PORTS.get(parts.scheme)}
        place = str(parts.hostname) if is_own else f"{parts.hostname}:{parts.port}"
        return cls((place,)) if parts.scheme == "https" else cls((), (place,))

    @classmethod
    def of_media(cls, media_hosts: tuple[str, ...], base_url: str) -> Self:
        """Files lie on `media_hosts`, and where the provider is a sandbox in plain http, on its own host."""
        return cls(media_hosts, cls.of(base_url).plain)


def open_file(http: HttpClient, url: str, headers: dict[str, str], hosts: Hosts) -> MediaFile | MediaRefused:
    """Ask for the file at `url`, which came from outside: `headers` reach nobody but `hosts`."""
    answer = http.get(url, headers, max_bytes=MOST_BYTES, allowed_hosts=hosts.secure, plain_hosts=hosts.plain)
    if not isinstance(answer, Download):
        return MediaRefused(refusal_without_answer(answer))
    refusal = _refusal(answer)
    if refusal is not None:
        answer.close()
        return MediaRefused(refusal)
    return MediaFile(
        chunks=answer,
        close=answer.close,
        content_type=answer.content_type,
        size_bytes=answer.declared_bytes,
    )


def refusal_without_answer(outcome: NotSent | Doubt) -> MediaRefusal:
    is_ours = isinstance(outcome, NotSent) and outcome.reason == "host_not_allowed"
    return MediaRefusal.HOST_NOT_ALLOWED if is_ours else MediaRefusal.AWAY


def refusal_of_status(status: int) -> MediaRefusal:
    """What an HTTP status that is not 200 means, where nothing else says it."""
    if status in _GONE:
        return MediaRefusal.GONE
    if status in _DENIED:
        return MediaRefusal.DENIED
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return MediaRefusal.AWAY
    return MediaRefusal.UNREADABLE


def _refusal(answer: Download) -> MediaRefusal | None:
    if answer.status != HTTPStatus.OK:
        return refusal_of_status(answer.status)
    return MediaRefusal.TOO_LARGE if (answer.declared_bytes or 0) > MOST_BYTES else None
