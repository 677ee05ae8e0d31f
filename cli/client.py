"""Speaks to the internal door for the command line; knows nothing that an app could not know."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from cli.problems import ProblemError, problem

_TIMEOUT_SECONDS = 10
_AWAY = "the API does not answer at {url}: see FINESTRA_API_URL or --url; `finestra doctor` works without it"
_STRANGER = "{url} answered {status}, and not as Finestra's API does: see FINESTRA_API_URL or --url"
#: What on-call tries first, by code; the rest is in the API's own words.
_MENDS = {
    "key_required": "Give the key with --key or FINESTRA_API_KEY: an app's, or an admin's.",
    "unknown_sender": "`finestra sender list` names them.",
    "unknown_template": "`finestra template list` names them.",
}
#: Where there is no such thing: what names those that there are, by the kind of thing.
_LISTS = {
    "messages": "`finestra message list` names them; those of other apps need an admin's key.",
    "quarantine": "`finestra quarantine list` names them.",
    "submissions": "`finestra submissions list` names them.",
    "callbacks": "`finestra callbacks list` names them.",
    "inbound": "`finestra events --types inbound.received` names them.",
}


@dataclass(frozen=True, slots=True)
class Api:
    url: str
    key: str

    def call(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        """The JSON of a good answer; anything else is a ProblemError with the API's own words."""
        answer = self.ask(method, path, **options)
        try:
            return answer.json() if answer.content else None
        except ValueError as exc:
            raise self._stranger(answer) from exc

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - its own
        """A good answer as it came."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        timeout = options.pop("timeout", _TIMEOUT_SECONDS)
        try:
            answer = requests.request(method, self.url + path, headers=headers, timeout=timeout, **options)
        except UnicodeEncodeError as exc:
            raise _failure("key_malformed", "the API key has characters that no key of ours has") from exc
        except (InvalidURL, InvalidSchema, MissingSchema) as exc:
            raise _failure("url_malformed", f"{self.url} is no address: write http://HOST:PORT") from exc
        except requests.RequestException as exc:
            raise _failure("api_unreachable", _AWAY.format(url=self.url)) from exc
        if not answer.ok:
            raise self._complaint(answer, path)
        return answer

    def _complaint(self, answer: requests.Response, path: str) -> ProblemError:
        try:
            told = answer.json()
        except ValueError:
            return self._stranger(answer)
        if not isinstance(told, dict):
            return self._stranger(answer)
        return ProblemError("\n".join(_lines(told, path)), told)

    def _stranger(self, answer: requests.Response) -> ProblemError:
        return _failure("not_our_api", _STRANGER.format(url=self.url, status=answer.status_code))


def default_api(url: str | None = None, key: str | None = None) -> Api:
    """By option, else by environment, else what `finestra up` left in the data directory."""
    bind = os.environ.get("FINESTRA_API_BIND", "127.0.0.1:8081")
    found = key or os.environ.get("FINESTRA_API_KEY") or _development_key()
    if not found:
        raise _failure("key_missing", "no API key: give --key or set FINESTRA_API_KEY")
    return Api(url or os.environ.get("FINESTRA_API_URL") or f"http://{bind}", found)


def _development_key() -> str:
    path = Path(os.environ.get("FINESTRA_DATA_DIR", "var")) / "secrets" / "desk_key"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:  # there is none, or it is somebody else's
        return ""


def _failure(code: str, message: str) -> ProblemError:
    return ProblemError(message, problem(code, "The API could not be asked", message))


def _lines(told: dict[str, Any], path: str) -> Iterator[str]:
    """A problem for people: what is wrong, by field where there are fields, and the mend."""
    title, detail = str(told.get("title", "")), str(told.get("detail", ""))
    yield detail if detail.startswith(title) else f"{title}: {detail}".rstrip(": ")
    for name, texts in (told.get("errors") or {}).items():
        yield f"  {name}: {'; '.join(map(str, texts))}"
    code = told.get("code")
    mend = _LISTS.get(path.split("/")[2]) if code == "not_found" else _MENDS.get(str(code))
    if mend:
        yield mend
