"""How much of one kind of work a process does at once: what comes on top is refused, it does not queue."""

from collections.abc import Callable
from threading import BoundedSemaphore

from shared.problems import Code
from webhook.errors import ProblemError

_BUSY_SECONDS = "1"


class Slots:
    """As many pieces of work at once as there are slots, and no queue before them."""

    def __init__(self, most: int) -> None:
        self._free = BoundedSemaphore(most)

    def take(self) -> Callable[[], None]:
        """Take a slot; the answer gives it back."""
        if not self._free.acquire(blocking=False):
            raise ProblemError(
                Code.TOO_MANY_AT_ONCE,
                "As many of these are under way as there may be at once. Come back in a moment.",
                headers={"Retry-After": _BUSY_SECONDS},
            )
        return self._free.release
