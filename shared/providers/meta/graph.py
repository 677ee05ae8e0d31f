"""Calls to Meta's Graph API on behalf of an account, as opposed to a message: GET, POST and DELETE with JSON.

Knows the address and the token; what an answer means is read elsewhere.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from shared.configuration import MetaSender
from shared.http.client import Answer, Doubt, HttpCall, HttpClient, NotSent
from shared.http.download import Download, DownloadError
from shared.providers.media import Hosts

#: A page of a hundred templates, the longest possible, stays well below.
_MOST_BYTES = 8 * 1024 * 1024


class Graph:
    """As one sender may call it. Safe to call from many threads."""

    def __init__(self, sender: MetaSender, http: HttpClient) -> None:
        self._http = http
        self._root = f"{sender.base_url.rstrip('/')}/{sender.api_version}/"
        self._hosts = Hosts.of(sender.base_url)
        self._headers = {"Authorization": f"Bearer {sender.access_token.reveal()}"}

    def post(self, path: str, body: Mapping[str, Any]) -> Answer | NotSent | Doubt:
        return self._http.post(HttpCall(url=self._root + path, headers=self._headers, json=body))

    def get(self, path: str, query: Mapping[str, str]) -> Answer | NotSent | Doubt:
        return self._ask("GET", path, query)

    def delete(self, path: str, query: Mapping[str, str]) -> Answer | NotSent | Doubt:
        return self._ask("DELETE", path, query)

    def _ask(self, method: str, path: str, query: Mapping[str, str]) -> Answer | NotSent | Doubt:
        answer = self._http.ask(
            method,
            f"{self._root}{path}?{urlencode(query)}",
            self._headers,
            max_bytes=_MOST_BYTES,
            allowed_hosts=self._hosts.secure,
            plain_hosts=self._hosts.plain,
        )
        if not isinstance(answer, Download):
            return answer
        with answer:
            try:
                body = b"".join(answer)
            except DownloadError as exc:
                return Doubt(exc.reason)
        return Answer(answer.status, _parse(body), answer.retry_after, answer.date)


def success_of(outcome: Answer | NotSent | Doubt) -> Mapping[str, Any] | None:
    """The object of a 200; None for anything else."""
    if not isinstance(outcome, Answer) or outcome.status != HTTPStatus.OK:
        return None
    return outcome.body if isinstance(outcome.body, dict) else None


def _parse(body: bytes) -> Any | None:  # noqa: ANN401 - whatever the other side sent
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
