"""What the Celery door refused, raw: for whoever is on call to look at and remove."""

from datetime import datetime, timedelta

import redis

from shared.clock import duration_ms, to_ms
from shared.store.keys import Keys
from shared.store.quarantine import Quarantine
from shared.store.scripts import Call, Scripts

_MOST_ENTRIES = 2_000
_MOST_RAW_BYTES = 256 * 1024
_MARK_LIFE = timedelta(hours=24)


class RefusedSubmissions(Quarantine):
    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        super().__init__(client, lambda business: Keys(business).submissions())
        self._scripts = scripts

    def keep(
        self,
        business: str,
        task_id: str,
        raw: str,
        *,
        reason: str,
        app: str,
        sender: str,
        errors: str,
        now: datetime,
    ) -> bool:
        """False: this task was kept before. `errors` is JSON; too large a text is cut."""
        whole = raw.encode("utf-8", "replace")
        kept = whole[:_MOST_RAW_BYTES].decode("utf-8", "ignore")
        arguments = (
            to_ms(now),
            task_id,
            sender,
            reason,
            kept,
            int(len(whole) > _MOST_RAW_BYTES),
            app,
            errors,
            _MOST_ENTRIES,
            duration_ms(_MARK_LIFE),
        )
        return bool(self._scripts.run(Call.of("refuse_submission", business, *arguments)))
