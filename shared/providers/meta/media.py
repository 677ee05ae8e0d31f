"""A contact's file at Meta: looked up by its id, then fetched from the link that the lookup gives.

Meta, "Media", read 2025-11: a link lives five minutes and wants the token that the lookup had; an id from a
webhook lives seven days. Links lead to `lookaside.fbsbx.com`, which Meta's page does not promise, so it is a
setting; seen in chatclass/chatwoot `app/services/whatsapp/incoming_message_service.rb` and in
dualhook.com/docs/media-upload (both read 2026-11). There a request without a User-Agent is refused
(gabrieldwight/Whatsapp-Business-Cloud-Api-Net issue 45, read 2026-11); ours has one.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from shared.configuration import MetaSender
from shared.domain.content import Media
from shared.domain.retry import ErrorClass
from shared.http.client import HttpClient
from shared.http.download import Download, DownloadError
from shared.providers.base import UNLISTED
from shared.providers.media import (
    MOST_BYTES,
    Hosts,
    MediaFile,
    MediaRefusal,
    MediaRefused,
    open_file,
    refusal_of_status,
    refusal_without_answer,
)
from shared.providers.meta.errors import code_of, row_of
from shared.providers.reading import number_text, object_at, text_at

_MOST_LOOKUP_BYTES = 64 * 1024
#: 100 is also said of an id that the token may not see; nothing tells the two apart. 131052: Meta itself
#: could not download it.
_GONE_CODES = frozenset({"100", "131052"})
_PASSES = frozenset({ErrorClass.RETRY, ErrorClass.THROTTLE, ErrorClass.IN_DOUBT})
_LINK_IS_OVER = frozenset({MediaRefusal.GONE, MediaRefusal.DENIED})


class MetaMedia:
    """The files of one Meta number. `http` makes lookups, `downloads` has time for a whole file."""

    def __init__(self, sender: MetaSender, http: HttpClient, downloads: HttpClient) -> None:
        self._http = http
        self._downloads = downloads
        self._lookup_url = f"{sender.base_url.rstrip('/')}/{sender.api_version}/"
        self._lookup_hosts = Hosts.of(sender.base_url)
        self._media_hosts = Hosts.of_media(sender.media_hosts, sender.base_url)
        self._headers = {"Authorization": f"Bearer {sender.access_token.reveal()}"}

    def fetch(self, media: Media) -> MediaFile | MediaRefused:
        """By its id where it has one: the link of a webhook is old by the time that somebody asks."""
        if media.media_id is not None:
            return self._fetch_by_id(media.media_id)
        return MediaRefused(MediaRefusal.GONE) if media.url is None else self._open(media.url)

    def _fetch_by_id(self, media_id: str) -> MediaFile | MediaRefused:
        link = self._look_up(media_id)
        if isinstance(link, MediaRefused):
            return link
        opened = self._open(link)
        if isinstance(opened, MediaFile) or opened.reason not in _LINK_IS_OVER:
            return opened
        renewed = self._look_up(media_id)
        return renewed if isinstance(renewed, MediaRefused) else self._open(renewed)

    def _open(self, link: str) -> MediaFile | MediaRefused:
        return open_file(self._downloads, link, self._headers, self._media_hosts)

    def _look_up(self, media_id: str) -> str | MediaRefused:
        answer = self._http.get(
            self._lookup_url + quote(media_id, safe=""),
            self._headers,
            max_bytes=_MOST_LOOKUP_BYTES,
            allowed_hosts=self._lookup_hosts.secure,
            plain_hosts=self._lookup_hosts.plain,
        )
        if not isinstance(answer, Download):
            return MediaRefused(refusal_without_answer(answer))
        with answer:
            try:
                body = b"".join(answer)
            except DownloadError:
                return MediaRefused(MediaRefusal.AWAY)
        return read_lookup(answer.status, body)


def read_lookup(status: int, raw: bytes) -> str | MediaRefused:
    """The link, when the answer has one and the file is not too large."""
    body = _parse(raw)
    if status != HTTPStatus.OK:
        return MediaRefused(_refusal(status, object_at(body, "error")))
    if int(number_text(body.get("file_size")) or 0) > MOST_BYTES:
        return MediaRefused(MediaRefusal.TOO_LARGE)
    return text_at(body, "url") or MediaRefused(MediaRefusal.UNREADABLE)


def _refusal(status: int, error: Mapping[str, Any]) -> MediaRefusal:
    code = code_of(error)
    if code in _GONE_CODES:
        return MediaRefusal.GONE
    row = UNLISTED if code is None else row_of(code)
    if row is UNLISTED:
        return refusal_of_status(status)
    return MediaRefusal.AWAY if row.error_class in _PASSES else MediaRefusal.DENIED


def _parse(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
