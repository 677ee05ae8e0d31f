"""What the scripts are told of a sender's limits, and what of them is used."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import redis

from shared.clock import duration_ms, from_ms, to_ms
from shared.configuration import AnySender
from shared.domain.limits import DAY_MS, PairLimit, RateLimit, free_at
from shared.store.connection import translated
from shared.store.keys import Keys

#: So much at once, in seconds: a worker looks again every tenth of one, on a busy machine later.
_BURST_SECONDS = 0.4
#: How much must have come together before a worker is called for it.
_WORTH_A_RING = timedelta(seconds=0.1)


def rate_of(sender: AnySender) -> RateLimit:
    """0.4 s worth at once. The provider's own bucket holds a second's: what is on its way may bunch up."""
    return _rate(sender.throughput_per_second)


def pair_limit_of(sender: AnySender) -> PairLimit:
    return _pair_limit(sender.pair_interval, sender.pair_burst)


@cache
def _rate(per_second: float) -> RateLimit:
    """Made once: every claim, decision and begin asks."""
    return RateLimit(per_second=per_second, burst=max(1, int(per_second * _BURST_SECONDS)))


@cache
def _pair_limit(interval: timedelta, burst: int) -> PairLimit:
    return PairLimit(interval_ms=duration_ms(interval), burst=burst)


def worth_a_ring_ms(rate: RateLimit) -> float:
    """How long after the first may go a worker is called: several go then, or the burst is full."""
    several = _WORTH_A_RING / timedelta(milliseconds=1) - rate.interval_ms
    return min(rate.tolerance_ms, max(0.0, several))


def watched_word(sender: AnySender) -> str:
    """The sender's limits as `parts/limits.lua` reads them."""
    pair = pair_limit_of(sender)
    return f"{pair.interval_ms} {pair.burst} {sender.messaging_limit_per_day} {sender.portfolio}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsUsed:
    """`throughput`: of what may go at once, the share that is used, 0 to 1."""

    throughput: float
    #: Contacts of the last 24 hours outside their windows; None: not watched.
    messaging: int | None
    #: When there is room for the next new contact; None: now.
    messaging_until: datetime | None


class Limits:
    """What is used of the limits at this moment."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def used(self, sender: AnySender, *, now: datetime) -> LimitsUsed:
        keys, at, most = Keys(sender.business), to_ms(now), sender.messaging_limit_per_day
        reached = keys.reached(sender.portfolio)
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hget(keys.sender(sender.alias), "tat")
            pipeline.zcount(reached, f"({at - DAY_MS}", "+inf")
            pipeline.zrange(reached, -max(most, 1), -max(most, 1), withscores=True)
            tat, used, full = pipeline.execute()
        rate = rate_of(sender)
        behind = max(0.0, free_at(rate, float(tat or 0), at) - at + rate.tolerance_ms)
        is_full = bool(most) and used >= most
        return LimitsUsed(
            throughput=min(1.0, behind / (rate.interval_ms * rate.burst)),
            messaging=int(used) if most else None,
            messaging_until=from_ms(int(full[0][1]) + DAY_MS) if is_full else None,
        )
