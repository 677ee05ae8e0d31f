"""What may be kept of somebody who was erased: keyed hashes, which say nothing to whoever has not the key.

HMAC-SHA-256 under FINESTRA_SECRET_KEY. Its first key makes hashes; those of the others are recognised.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from shared.configuration import Secret
from shared.domain.identifiers import ContactId
from shared.domain.identity import key_of


@dataclass(frozen=True, slots=True)
class KeyedHashes:
    #: Without any nothing can be kept, nothing is recognised.
    keys: tuple[Secret, ...] = ()

    def of_name(self, name: ContactId) -> str:
        """The one to keep; the same for all spellings of a number."""
        return self._hash(self.keys[0], f"contact {key_of(name)}")

    def of_event(self, sender: str, event_id: str) -> str:
        return self._hash(self.keys[0], f"event {sender} {event_id}")

    def known_as(self, names: Iterable[ContactId]) -> str:
        """All hashes under which something may have been kept of these names, space between."""
        return " ".join(self._hash(key, f"contact {key_of(name)}") for name in names for key in self.keys)

    def known_event(self, sender: str, event_id: str) -> str:
        return " ".join(self._hash(key, f"event {sender} {event_id}") for key in self.keys)

    def check(self) -> str:
        """Of nobody: kept to see later whether the key is still among those that we have."""
        return self._hash(self.keys[0], "check")

    def has_made(self, check: str) -> bool:
        return any(self._hash(key, "check") == check for key in self.keys)

    @staticmethod
    def _hash(key: Secret, text: str) -> str:
        return hmac.digest(key.reveal().encode(), text.encode(), "sha256").hex()


NO_HASHES = KeyedHashes()
