"""After an error: wait how long, or give up.

Knows error classes and counts, not providers. Meta advises 4^n seconds for throttling ("About the
platform", read 2025-12); we use it for every error that may pass, with jitter, within the expiry.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_BASE = 4
_LONGEST = timedelta(hours=1)
_JITTER = 0.2


class ErrorClass(StrEnum):
    """What a provider's error means for what we do next; the codes are data beside each provider."""

    RETRY = "retry"
    THROTTLE = "throttle"
    WINDOW = "window"
    TEMPLATE = "template"
    RECIPIENT = "recipient"
    PERMANENT = "permanent"
    HALT = "halt"
    IN_DOUBT = "in_doubt"


_PASSING = frozenset({ErrorClass.RETRY, ErrorClass.THROTTLE})


@dataclass(frozen=True, slots=True)
class RetryAt:
    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    reason: str


def next_step(
    error_class: ErrorClass,
    *,
    tries: int,
    allowed: int | None,
    minimum_wait: timedelta,
    jitter: float,
    now: datetime,
    expires_at: datetime,
) -> RetryAt | GiveUp:
    """`tries`: attempts that ended so, this one included. `jitter`: 0 to 1, chance comes from the caller.

    `allowed`: how many tries the error's row grants; None: as many as fit before `expires_at`.
    """
    if error_class not in _PASSING:
        return GiveUp(error_class.value)
    if allowed is not None and tries >= allowed:
        return GiveUp("tries_exhausted")
    at = now + max(backoff(tries, jitter), minimum_wait)
    return RetryAt(at) if at < expires_at else GiveUp("expires_before_retry")


def backoff(tries: int, jitter: float) -> timedelta:
    """4^(tries-1) seconds, give or take a fifth, never over an hour."""
    longest_power = 6  # 4^6 s is already over an hour
    seconds = float(_BASE ** min(tries - 1, longest_power))
    spread = 1 + _JITTER * (2 * jitter - 1)
    return min(timedelta(seconds=seconds * spread), _LONGEST)
