"""Speaks to the internal door for the command line; knows nothing that an app could not know."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from cli.problems import ProblemError, problem

_TIMEOUT_SECONDS = 10
_AWAY = "the API does not answer at {url}: see FINESTRA_API_URL or --url; `finestra doctor` works without it"
#: What on-call tries first; the rest is in the API's own words.
_MENDS = {
    "key_required": "Give the key with --key or FINESTRA_API_KEY: an app's, or an admin's.",
    "unknown_sender": "`finestra sender list` names them.",
    "unknown_template": "`finestra template list` names them.",
}


@dataclass(frozen=True, slots=True)
class Api:
    url: str
    key: str

    def call(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        """The JSON of a good answer; anything else is a ProblemError with the API's own words."""
        answer = self.ask(method, path, **options)
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - its own
        """A good answer as it came."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        timeout = options.pop("timeout", _TIMEOUT_SECONDS)
        try:
            answer = requests.request(method, self.url + path, headers=headers, timeout=timeout, **options)
        except UnicodeEncodeError as exc:
            raise _failure("key_malformed", "the API key has characters that no key of ours has") from exc
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as exc:
            raise _failure("url_malformed", f"{self.url} is no address: write http://HOST:PORT") from exc
        except requests.RequestException as exc:
            raise _failure("api_unreachable", _AWAY.format(url=self.url)) from exc
        if not answer.ok:
            raise _complaint(answer)
        return answer


def default_api(url: str | None = None, key: str | None = None) -> Api:
    """By option, else by environment, else what `finestra up` left in the data directory."""
    bind = os.environ.get("FINESTRA_API_BIND", "127.0.0.1:8081")
    found = key or os.environ.get("FINESTRA_API_KEY") or _development_key()
    if not found:
        raise _failure("key_missing", "no API key: give --key or set FINESTRA_API_KEY")
    return Api(url or os.environ.get("FINESTRA_API_URL") or f"http://{bind}", found)


def _development_key() -> str:
    path = Path(os.environ.get("FINESTRA_DATA_DIR", "var")) / "secrets" / "desk_key"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def _failure(code: str, message: str) -> ProblemError:
    return ProblemError(message, problem(code, "The API could not be asked", message))


def _complaint(answer: requests.Response) -> ProblemError:
    try:
        told = answer.json()
    except ValueError:
        message = f"the API answered {answer.status_code}"
        return ProblemError(message, problem("not_understood", "The answer is none of Finestra's", message))
    lines = [f"{told.get('title', answer.reason)}: {told.get('detail', '')}".rstrip(": ")]
    for name, texts in (told.get("errors") or {}).items():
        lines.append(f"  {name}: {'; '.join(map(str, texts))}")
    mend = _MENDS.get(told.get("code"))
    return ProblemError("\n".join([*lines, mend] if mend else lines), told)
