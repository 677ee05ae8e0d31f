"""Which news of an account stop its numbers, and which let them go on.

Meta, "account_update" and "account_review_update" webhook references, and "Policy enforcement", read 2025-12.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.domain.halts import Halt, HaltKind, HaltSource
from shared.domain.provider_errors import Scope
from shared.providers.reading import moment_if_any, object_at, objects_at, text_at

#: Restrictions of messaging; the others are about creating templates and adding numbers.
_RESTRICTED: Mapping[str | None, HaltKind] = {
    "RESTRICTED_BIZ_INITIATED_MESSAGING": HaltKind.TEMPLATE,
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING": HaltKind.SESSION,
}
#: Words after which nothing leaves any more, and those after which it may again. A ban that is only scheduled
#: halts nothing yet.
_STOPS: Mapping[str, frozenset[str]] = {
    "account_update": frozenset({"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED", "DISABLE"}),
    "account_review_update": frozenset({"REJECTED"}),
}
_LIFTS: Mapping[str, frozenset[str]] = {
    "account_update": frozenset({"ACCOUNT_RECONNECTED", "REINSTATE"}),
    "account_review_update": frozenset({"APPROVED"}),
}


def halts_of(topic: str, event: str, value: Mapping[str, Any]) -> Iterator[Halt]:
    """What may not leave any more since this news, `event` being its word for what happened."""
    for stop in sorted(_words(event, value) & _STOPS.get(topic, frozenset())):
        yield _halt(HaltKind.ALL, stop, f"WhatsApp says of the account: {stop.lower()}.")
    for restriction in objects_at(value, "restriction_info") if topic == "account_update" else ():
        word = text_at(restriction, "restriction_type")
        kind = _RESTRICTED.get(word)
        if word is not None and kind is not None:
            mend = text_at(restriction, "remediation") or "see the account's quality page."
            why = f"WhatsApp has restricted the account: {mend}"
            yield _halt(kind, word, why, moment_if_any(restriction.get("expiration")))


def is_lifted(topic: str, event: str, value: Mapping[str, Any]) -> bool:
    return bool(_words(event, value) & _LIFTS.get(topic, frozenset()))


def _words(event: str, value: Mapping[str, Any]) -> frozenset[str]:
    """A ban says what it is in an object of its own."""
    ban = text_at(object_at(value, "ban_info"), "waba_ban_state") or ""
    return frozenset({event.upper(), ban.upper()})


def _halt(kind: HaltKind, word: str, why: str, until: datetime | None = None) -> Halt:
    return Halt(
        kind=kind, source=HaltSource.NEWS, code=word.lower(), scope=Scope.ACCOUNT, why=why, until=until
    )
