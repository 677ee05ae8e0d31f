"""Speaks to the internal door for the command line; knows nothing that an app could not know."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import requests

_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Api:
    url: str
    key: str

    def call(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        """The JSON of a good answer; anything else is a ClickException with the API's own words."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        timeout = options.pop("timeout", _TIMEOUT_SECONDS)
        try:
            answer = requests.request(method, self.url + path, headers=headers, timeout=timeout, **options)
        except UnicodeEncodeError as exc:
            raise click.ClickException("the API key has characters that no key of ours has") from exc
        except requests.RequestException as exc:
            raise click.ClickException(f"the API does not answer at {self.url}") from exc
        if not answer.ok:
            raise click.ClickException(_complaint(answer))
        return answer.json() if answer.content else None


def default_api(url: str | None = None, key: str | None = None) -> Api:
    """By option, else by environment, else what `finestra up` left in the data directory."""
    bind = os.environ.get("FINESTRA_API_BIND", "127.0.0.1:8081")
    found = key or os.environ.get("FINESTRA_API_KEY") or _development_key()
    if not found:
        raise click.ClickException("no API key: give --key or set FINESTRA_API_KEY")
    return Api(url or os.environ.get("FINESTRA_API_URL") or f"http://{bind}", found)


def _development_key() -> str:
    path = Path(os.environ.get("FINESTRA_DATA_DIR", "var")) / "secrets" / "desk_key"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def _complaint(answer: requests.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return f"the API answered {answer.status_code}"
    lines = [f"{problem.get('title', answer.reason)}: {problem.get('detail', '')}".rstrip(": ")]
    for name, texts in (problem.get("errors") or {}).items():
        lines.append(f"  {name}: {'; '.join(map(str, texts))}")
    return "\n".join(lines)
