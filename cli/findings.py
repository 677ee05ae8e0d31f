"""What a check of `finestra doctor` found: how bad it is, what was seen, what to do. No secret, no person."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    #: Nobody looked, since nothing can be asked: not the same as well.
    UNCHECKED = "unchecked"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    #: The check's name: stable, programs match on it.
    check: str
    level: Level
    seen: str
    #: Empty where nothing is to be done.
    todo: str = ""
    #: Alias, app or business; empty: all of them.
    about: str = ""


def ok(check: str, seen: str, *, about: str = "") -> Finding:
    return Finding(check=check, level=Level.OK, seen=seen, about=about)


def unchecked(check: str, seen: str, *, about: str = "") -> Finding:
    return Finding(check=check, level=Level.UNCHECKED, seen=seen, about=about)


def warning(check: str, seen: str, todo: str, *, about: str = "") -> Finding:
    return Finding(check=check, level=Level.WARNING, seen=seen, todo=todo, about=about)


def error(check: str, seen: str, todo: str, *, about: str = "") -> Finding:
    return Finding(check=check, level=Level.ERROR, seen=seen, todo=todo, about=about)
