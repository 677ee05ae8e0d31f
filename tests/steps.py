"""The steps of one message through the store, as a worker takes them, in short words for tests."""

from datetime import timedelta

from shared.store.claims import Begin, Claim, Go, Outcome, Settle
from tests.builders import (
    DAY,
    NOW,
    Stores,
    meta_sender,
)

SENDER = meta_sender()
SECOND = timedelta(seconds=1)


def begin_of(claim: Claim, nonce: str = "n1", **changes: object) -> Begin:
    values = {
        "claim": claim,
        "nonce": nonce,
        "versions": claim.known.versions,
        "decided_at": NOW,
        "begin_before": NOW + DAY,
        "attempt": {"route": {"kind": "template"}},
    }
    return Begin(**{**values, **changes})


def claim_one(stores: Stores, now=NOW) -> Claim:
    (claim,) = stores.lanes.claim(SENDER, 10, now=now)
    return claim


def begin(stores: Stores, claim: Claim, now=NOW, **changes: object):
    (answer,) = stores.lanes.step([], [begin_of(claim, **changes)], now=now).answers
    return answer


def settle(stores: Stores, claim: Claim, outcome: Outcome, now=NOW, **changes: object):
    return stores.lanes.step([Settle(claim=claim, outcome=outcome, **changes)], [], now=now)


def sending(stores: Stores, now=NOW, **changes: object) -> Claim:
    stores.accept(at=now, **changes)
    claim = claim_one(stores, now)
    assert begin(stores, claim, now) == Go(1)
    return claim
