"""Records what providers tell us: every update of one POST in one round trip, each in one atomic step."""

from collections.abc import Sequence
from datetime import datetime

from shared.configuration import AnySender
from shared.domain.events import ProviderEvent
from shared.store.grouped import GroupedScripts
from shared.store.scripts import Scripts
from shared.store.updates import RecordingPolicy, Updates


class Recorder:
    def __init__(self, scripts: Scripts, policy: RecordingPolicy) -> None:
        self._scripts = GroupedScripts(scripts)
        self._updates = Updates(policy)

    def record(self, updates: Sequence[tuple[AnySender, ProviderEvent]], *, now: datetime) -> list[str]:
        """One word an update, in order: `recorded`, `duplicate`, `moved`, … Raises StoreUnavailableError.

        Windows opened by these updates are open for whoever asks after this returns.
        """
        if not updates:
            return []
        calls = [self._updates.call(sender, update, now) for sender, update in updates]
        return [_word(answer) for answer in self._scripts.run_all(calls)]


def _word(answer: object) -> str:
    return str(answer[0] if isinstance(answer, list) else answer)
