"""Loads the Lua scripts once and runs them, one or many in one round trip.

A server that lost its scripts (a restart, a failover) gets them again, and what it had not is sent once more:
only then may a call run after one that was to follow it.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import redis

from shared.store.connection import as_unavailable, translated
from shared.store.keys import Keys

Argument = str | int | float
#: How long a mark lives that tells a repeat by a nonce: redis-py repeats at once what it has no answer to.
REPEATED_WITHIN_MS = 600_000
#: Rows of one command at most, unless the script says otherwise: a millisecond or two for Redis.
_MOST_ROWS = 50
_ROWS = re.compile(r"^-- (?:ROWS|EACH) \d+(?:, at most (\d+) at once)?$", re.MULTILINE)
_EACH = re.compile(r"^-- EACH (\d+)", re.MULTILINE)
_USES = re.compile(r"^-- USES (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Call:
    """One script with its arguments; `root` is the business' key."""

    script: str
    root: str
    arguments: tuple[Argument, ...]

    @classmethod
    def of(cls, script: str, business: str, *arguments: Argument) -> "Call":
        return cls(script, _root_of(business), arguments)


@cache
def _root_of(business: str) -> str:
    return Keys(business).root()


@cache
def source_of(script: str) -> str:
    """The text that Redis gets: the prelude, the parts that the script says it uses, then the script.

    One that says EACH is written for a single call: here it becomes what is done with each row.
    """
    own = _text(f"{script}.lua")
    if each := _EACH.search(own):
        own = f"local function step(ARGV)\n{own}\nend\nreturn each_row({each[1]}, step)"
    uses = _USES.search(own)
    parts = [_text(f"parts/{name}.lua") for name in (uses[1].split() if uses else ())]
    return "\n".join([_text("prelude.lua"), *parts, own])


def _text(name: str) -> str:
    return resources.files("shared.store").joinpath("lua", name).read_text(encoding="utf-8")


@cache
def _most_rows(script: str) -> int:
    """How many rows go into one command; 0: it takes its arguments alone."""
    found = _ROWS.search(_text(f"{script}.lua"))
    return int(found[1] or _MOST_ROWS) if found else 0


@cache
def sha_of(script: str) -> str:
    return hashlib.sha1(source_of(script).encode(), usedforsecurity=False).hexdigest()


class Scripts:
    """The scripts on one server."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._loaded: set[str] = set()

    def run(self, call: Call) -> Any:  # noqa: ANN401 - each store gives its answer a type
        return self.run_all([call])[0]

    def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """One round trip. Raises StoreUnavailableError when the server is the trouble."""
        return answers_of(self.run_each(calls))

    def run_each(self, calls: Sequence[Call]) -> list[Any]:
        """The same, with a fault of ours as the answer of its call, so that it costs the others nothing."""
        with translated(self._client):
            answers = self._execute(calls)
            for answer in answers:
                if isinstance(answer, redis.RedisError) and as_unavailable(answer) is not None:
                    raise answer
        return answers

    def _execute(self, calls: Sequence[Call]) -> list[Any]:
        commands = list(_commands(calls))
        # Before, not when they are missed: what a script has missed runs after the others.
        self._load({command.script for command in commands} - self._loaded)
        answers = self._send(commands)
        missed = [n for n, a in enumerate(answers) if isinstance(a, redis.exceptions.NoScriptError)]
        if missed:
            self._loaded.clear()
            self._load({commands[n].script for n in missed})
            # Only those: what has run is done, and some of it is counted.
            for n, answer in zip(missed, self._send([commands[n] for n in missed]), strict=True):
                answers[n] = answer
        return [
            each
            for command, answer in zip(commands, answers, strict=True)
            for each in (_rows(answer, command.rows) if command.rows else [answer])
        ]

    def _load(self, scripts: AbstractSet[str]) -> None:
        for script in sorted(scripts):
            self._client.script_load(source_of(script))
        self._loaded |= scripts

    def _send(self, commands: Sequence["_Command"]) -> list[Any]:
        if len(commands) == 1:
            (command,) = commands
            try:
                return [self._client.evalsha(sha_of(command.script), 1, command.root, *command.arguments)]
            except redis.ResponseError as exc:
                return [exc]
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.evalsha(sha_of(command.script), 1, command.root, *command.arguments)
        return list(pipeline.execute(raise_on_error=False))


@dataclass(slots=True)
class _Command:
    """What Redis gets: one call, or the neighbouring calls of a script that takes its arguments in rows."""

    script: str
    root: str
    arguments: list[Argument]
    #: 0: not in rows.
    rows: int = 0


def _commands(calls: Sequence[Call]) -> Iterator[_Command]:
    """Law 7 counts round trips, Redis counts commands: fewer of them, and each begins a script anew."""
    current: _Command | None = None
    for call in calls:
        most = _most_rows(call.script)
        if not most:
            if current is not None:
                yield current
                current = None
            yield _Command(call.script, call.root, list(call.arguments))
            continue
        fits = current is not None and current.rows < most
        if current is None or not fits or (current.script, current.root) != (call.script, call.root):
            if current is not None:
                yield current
            current = _Command(call.script, call.root, [])
        current.arguments.extend(call.arguments)
        current.rows += 1
    if current is not None:
        yield current


def _rows(answer: Any, rows: int) -> list[Any]:  # noqa: ANN401 - as Redis answered
    """One answer a row; a fault of ours in a row is an error as if the row had come alone."""
    if isinstance(answer, redis.RedisError):
        return [answer] * rows
    if len(answer) != rows:  # arguments that are no rows: nobody knows whose answer is whose
        return [redis.ResponseError(f"{len(answer)} answers for {rows} rows")] * rows
    return [redis.ResponseError(row[1]) if row[0] == "error" else row for row in answer]


def answers_of(answers: list[Any]) -> list[Any]:
    """The answers, none of which is a fault of ours; else raises the first one."""
    for answer in answers:
        if isinstance(answer, redis.RedisError):
            raise answer
    return answers
