"""Scripts that number what they do in the order in which Redis did it, each call in one step."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import redis

from shared.deps import Deps
from shared.settings import LEASE
from shared.store.contacts import Contacts
from shared.store.lanes import Lanes
from shared.store.recorder import Recorder
from shared.store.scripts import Scripts, sha_of
from shared.store.templates import Templates
from shared.store.updates import RecordingPolicy

_ORDER = "order-of-the-test"


@dataclass(frozen=True)
class Begun:
    """An attempt that may leave: `order` says when, among all that was done."""

    order: int
    contact: str
    #: None: it goes as a session message.
    template: str | None


class OrderedScripts(Scripts):
    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self.begun: list[Begun] = []
        self._threads = threading.local()

    @property
    def last_order(self) -> int:
        """Of the last call of this thread."""
        return self._threads.order

    def order_now(self) -> int:
        """All that comes later has a higher one."""
        return int(self._client.incr(_ORDER))

    def _send(self, commands: Sequence[Any]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=True)
        for command in commands:
            pipeline.evalsha(sha_of(command.script), 1, command.root, *command.arguments)
            pipeline.incr(_ORDER)
        answers = pipeline.execute(raise_on_error=False)
        for command, answer, order in zip(commands, answers[::2], answers[1::2], strict=True):
            self._threads.order = order
            if command.script == "begin" and isinstance(answer, list):
                self._note_begun(command.arguments, answer, order)
        return answers[::2]

    def _note_begun(self, arguments: Sequence[Any], answers: list[Any], order: int) -> None:
        for row, answer in enumerate(answers):
            if answer[0] == "go":
                width = len(arguments) // len(answers)
                given = arguments[row * width : (row + 1) * width]
                attempt = json.loads(given[11])
                self.begun.append(Begun(order, str(given[2]), attempt["route"].get("template")))


def ordered(deps: Deps, client: redis.Redis, policy: RecordingPolicy) -> tuple[Deps, OrderedScripts]:
    """The same deps, with all that decides about templates numbered."""
    scripts, settings = OrderedScripts(client), deps.settings
    lanes = Lanes(
        scripts,
        window_length=settings.window_length,
        lease=LEASE,
        grace=settings.doubt_grace,
        retention=settings.retention,
    )
    aliases = settings.configuration.aliases_of
    contacts = Contacts(scripts, window_length=settings.window_length, aliases_of=aliases)
    numbered = replace(
        deps,
        lanes=lanes,
        contacts=contacts,
        templates=Templates(client, scripts),
        recorder=Recorder(scripts, policy),
    )
    return numbered, scripts
