"""The rows of a provider's `errors.toml`: what each of its codes means for us."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from importlib import resources
from typing import Any

from shared.domain.consent import Category
from shared.domain.halts import HaltKind
from shared.domain.provider_errors import CapRule, ErrorRow, HaltRule, Scope, StopRule
from shared.domain.retry import ErrorClass
from shared.domain.templates import TemplateStatus
from shared.providers.base import UNLISTED

_KEYS = frozenset(
    [
        "class",
        "advice",
        "scope",
        "minimum_wait_seconds",
        "tries",
        "source",
        "late",
        "outage",
        "halt",
        "stop",
        "cap",
        "unwanted",
    ]
)


class ErrorTable:
    """The rows of one provider's `errors.toml`, by code."""

    def __init__(self, rows: Mapping[str, ErrorRow]) -> None:
        self._rows = rows

    @classmethod
    def load(cls, package: str, name: str = "errors.toml") -> "ErrorTable":
        """Read the file of a package. A malformed row is a bug and raises at start."""
        text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
        return cls({code: read_row(values) for code, values in tomllib.loads(text).items()})

    def row(self, code: str) -> ErrorRow:
        return self._rows.get(code, UNLISTED)

    def codes(self) -> frozenset[str]:
        return frozenset(self._rows)

    @property
    def rows(self) -> dict[str, ErrorRow]:
        """All of them, in the order of the file."""
        return dict(self._rows)


def read_row(values: Mapping[str, Any]) -> ErrorRow:
    """A row as it stands in the file. Raises for a key or a word that no row has."""
    unknown = values.keys() - _KEYS
    if unknown:
        raise ValueError(f"no row has {', '.join(sorted(unknown))}")
    return ErrorRow(
        error_class=ErrorClass(values["class"]),
        advice=values["advice"],
        scope=Scope(values.get("scope", "message")),
        minimum_wait=timedelta(seconds=values.get("minimum_wait_seconds", 0)),
        tries=values.get("tries"),
        source=values["source"],
        late=values.get("late"),
        is_outage=values.get("outage", False),
        halt=_read_halt(values.get("halt", {})),
        stop=_read_stop(values["stop"]) if "stop" in values else None,
        cap=_read_cap(values["cap"]) if "cap" in values else None,
        unwanted=Category(values["unwanted"]) if "unwanted" in values else None,
    )


def _read_halt(values: Mapping[str, Any]) -> HaltRule:
    return HaltRule(
        kind=HaltKind(values.get("kind", "all")),
        lasts=_seconds(values),
        until_news=values.get("until_news", False),
    )


def _read_stop(values: Mapping[str, Any]) -> StopRule:
    return StopRule(status=TemplateStatus(values["status"]), lasts=_seconds(values))


def _read_cap(values: Mapping[str, Any]) -> CapRule:
    return CapRule(
        categories=frozenset(map(Category, values["categories"])),
        lasts=timedelta(seconds=values["seconds"]),
        hits=values.get("hits", 1),
        ends_when_contact_writes=values.get("ends_when_contact_writes", False),
    )


def _seconds(values: Mapping[str, Any]) -> timedelta | None:
    return timedelta(seconds=values["seconds"]) if "seconds" in values else None
