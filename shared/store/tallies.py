"""Counts that no script makes: added up in the process and written once a second, at no round trip.

A process that is killed takes at most the last second's along; one that stops in order writes them.
"""

import atexit
import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence

import redis

from shared.errors import StoreUnavailableError
from shared.metrics import LIMITS
from shared.observability import LogEvent, get_logger, place_of
from shared.store.scripts import REPEATED_WITHIN_MS, Argument, Call, Scripts

_EVERY_SECONDS = 1.0


class Tallies:
    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._lock = threading.Lock()
        #: (business, field) to what is not written yet.
        self._counts: Counter[tuple[str, str]] = Counter()
        self._writing = threading.Lock()
        #: On its way: repeated as it is, nonce and all, until Redis has said that it has it.
        self._batch: Sequence[Call] = ()

    def add(self, business: str, name: str, amount: int = 1) -> None:
        """`name`: of a counter, with its labels after ':'."""
        with self._lock:
            self._counts[business, name] += amount

    def add_seconds(self, business: str, name: str, seconds: float) -> None:
        """`name`: of a histogram, with its labels after ':'."""
        limit = next(limit for limit in LIMITS if seconds <= float(limit))
        with self._lock:
            self._counts[business, f"{name}:{limit}"] += 1
            self._counts[business, f"{name}:ms"] += round(seconds * 1000)

    def flush(self) -> None:
        """Write what has come together. Raises StoreUnavailableError; then it is written the next time."""
        with self._writing:
            while batch := self._batch or self._taken():
                self._batch = batch
                self._scripts.run_all(batch)
                self._batch = ()

    def _taken(self) -> Sequence[Call]:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        of_business: defaultdict[str, list[Argument]] = defaultdict(list)
        for (business, name), amount in counts.items():
            of_business[business] += (name, amount)
        nonce = secrets.token_hex(8)
        return [
            Call.of("tallies", business, nonce, REPEATED_WITHIN_MS, *pairs)
            for business, pairs in of_business.items()
        ]

    def keep_flushing(self) -> None:
        """On a thread of its own, for as long as the process lives, and once more when it stops."""
        threading.Thread(target=self._flush_for_ever, name="tallies", daemon=True).start()
        atexit.register(self._try)

    def _flush_for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(_EVERY_SECONDS):
            self._try()

    def _try(self) -> None:
        try:
            self.flush()
        except StoreUnavailableError:
            return  # the doors say so loudly; the counts are kept
        except redis.RedisError as exc:
            get_logger().error(LogEvent.BUG, where="tallies", error=type(exc).__name__, at=place_of(exc))
