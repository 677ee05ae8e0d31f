"""Loads the Lua scripts once and runs them, one or many in one round trip.

A server that lost its scripts (a restart, a failover) gets them again and the whole pipeline is repeated:
every script is safe to repeat.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import redis

from shared.store.connection import as_unavailable, translated
from shared.store.keys import Keys

Argument = str | int | float
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
    """The text that Redis gets: the prelude, the parts that the script says it uses, then the script."""
    own = _text(f"{script}.lua")
    uses = _USES.search(own)
    parts = [_text(f"parts/{name}.lua") for name in (uses[1].split() if uses else ())]
    return "\n".join([_text("prelude.lua"), *parts, own])


def _text(name: str) -> str:
    return resources.files("shared.store").joinpath("lua", name).read_text(encoding="utf-8")


@cache
def _sha_of(script: str) -> str:
    return hashlib.sha1(source_of(script).encode(), usedforsecurity=False).hexdigest()


class Scripts:
    """The scripts on one server."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def run(self, call: Call) -> Any:  # noqa: ANN401 - each store gives its answer a type
        return self.run_all([call])[0]

    def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """One round trip. Raises StoreUnavailableError when the server is the trouble."""
        return answers_of(self.run_each(calls))

    def run_each(self, calls: Sequence[Call]) -> list[Any]:
        """The same, with a fault of ours as the answer of its call, so that it costs the others nothing."""
        with translated(self._client):
            answers = self._execute(calls)
            if any(isinstance(answer, redis.exceptions.NoScriptError) for answer in answers):
                for script in {call.script for call in calls}:
                    self._client.script_load(source_of(script))
                answers = self._execute(calls)
            for answer in answers:
                if isinstance(answer, redis.RedisError) and as_unavailable(answer) is not None:
                    raise answer
        return answers

    def _execute(self, calls: Sequence[Call]) -> list[Any]:
        if len(calls) == 1:
            (call,) = calls
            try:
                return [self._client.evalsha(_sha_of(call.script), 1, call.root, *call.arguments)]
            except redis.ResponseError as exc:
                return [exc]
        pipeline = self._client.pipeline(transaction=False)
        for call in calls:
            pipeline.evalsha(_sha_of(call.script), 1, call.root, *call.arguments)
        return list(pipeline.execute(raise_on_error=False))


def answers_of(answers: list[Any]) -> list[Any]:
    """The answers, none of which is a fault of ours; else raises the first one."""
    for answer in answers:
        if isinstance(answer, redis.RedisError):
            raise answer
    return answers
