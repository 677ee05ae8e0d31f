"""Why a webhook was not answered 200: what its caller saw, what nginx saw, what the processes said."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.offered import Offered
from bench.stage import show

_QUIET = ("debug", "info")


def explain(webhooks: Offered, nginx_log: Path, logs: Iterable[Path]) -> None:
    ways = Counter(map(_way, _lines(nginx_log)))
    said = Counter(event for log in logs for line in _lines(log) if (event := _warning(line)))
    rows = [("the callers", what, str(count)) for what, count in webhooks.otherwise.items()]
    rows += [("nginx", what, str(count)) for what, count in ways.items()]
    rows += [("the processes", what, str(count)) for what, count in said.items()]
    show("How it came", ("seen by", "what", "times"), rows)


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines()


def _way(line: str) -> str:
    """`200 after 502, 200`: what nginx answered, and what the receivers did; its own words as they are."""
    told = _told(line)
    return f"{told['status']} after {told['upstream_status']}" if told else line


def _warning(line: str) -> str:
    """Empty where all is well."""
    told = _told(line)
    if not told or told.get("level") in _QUIET:
        return ""
    return " ".join(str(told[key]) for key in ("event", "where", "error", "said") if key in told)


def _told(line: str) -> dict[str, str]:
    """Empty: no line of ours."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
