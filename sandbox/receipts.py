"""What a business told the provider about messages of its customers: read, and an answer is being written."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    at: float
    provider: str
    number: str
    #: "read", "typing" or "block".
    kind: str
    message_id: str
    #: The customer, where the request names one (CM.com).
    to: str | None = None


class Receipts:
    """All that came in, in order. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receipts: list[Receipt] = []

    def add(self, receipt: Receipt) -> None:
        with self._lock:
            self._receipts.append(receipt)

    def all(self) -> list[Receipt]:
        with self._lock:
            return list(self._receipts)

    def clear(self) -> None:
        with self._lock:
            self._receipts.clear()
