"""The drains of one process: each sender may have several at once, and all share the threads that send."""

import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from shared.configuration import AnySender
from shared.deps import Deps
from workers.outbound import Drain
from workers.report import Report


class Drains:
    """Safe to use from many threads."""

    def __init__(
        self, deps: Deps, stopping: threading.Event, *, when_limited: Callable[[AnySender], None]
    ) -> None:
        self._deps = deps
        self._stopping = stopping
        self._when_limited = when_limited
        self._most_slots = deps.settings.worker_slots
        self._slots = ThreadPoolExecutor(max_workers=self._most_slots, thread_name_prefix="slot")
        self._running: defaultdict[str, list[Drain]] = defaultdict(list)

    def is_loaded_with(self, alias: str) -> bool:
        """More of this sender is in hand than is being worked on."""
        return any(one.is_loaded for one in tuple(self._running[alias]))

    def run(self, sender: AnySender) -> Report:
        one = Drain(
            self._deps,
            sender,
            self._slots,
            most_slots=self._most_slots,
            stopping=self._stopping,
            when_limited=partial(self._when_limited, sender),
        )
        self._running[sender.alias].append(one)
        try:
            return one.run()
        finally:
            self._running[sender.alias].remove(one)
