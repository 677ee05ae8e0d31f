"""What is to be done now and then, a quarter of an hour apart: reading the provider's list of templates.

Rung by the ticker and done by a task of its own, so that no drain and no beat waits for a slow provider.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.configuration import AnySender, MetaSender
from shared.deps import Deps

SYNC_EVERY = timedelta(minutes=15)
#: How often a worker asks whether it is time: with a beat each half second that is seldom.
_ASK_EVERY = timedelta(minutes=1)


class Upkeep:
    def __init__(self, deps: Deps, *, ring_for_templates: Callable[[AnySender], None]) -> None:
        self._deps = deps
        self._ring = ring_for_templates
        senders = deps.settings.configuration.senders.values()
        #: One sender for each account: they share its templates.
        self._askers = {(one.business, one.account): one for one in senders if isinstance(one, MetaSender)}
        self._asked_at: dict[str, datetime] = {}

    def beat(self, business: str) -> None:
        """Ring for each account of the business whose list was not read lately; one worker does."""
        now = self._deps.clock.now()
        asked_at = self._asked_at.get(business)
        if asked_at is not None and now - asked_at < _ASK_EVERY:
            return
        self._asked_at[business] = now
        for (owner, account), sender in self._askers.items():
            if owner == business and self._deps.template_sync.may_ring(business, account, SYNC_EVERY):
                self._ring(sender)
