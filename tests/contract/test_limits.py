"""The limiter in Lua (claim, begin) and the one in Python (domain/limits.py) let the same ones go.

On the fake only, for speed; test_store.py runs the same scripts on a real server too.
"""

from collections.abc import Sequence
from datetime import timedelta

import fakeredis
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import ManualClock, to_ms
from shared.configuration import MetaSender
from shared.domain.identifiers import ContactId
from shared.domain.limits import RateLimit, free_at, take
from shared.store.claims import Begin, Changed, Claim, Go, Outcome, Settle
from shared.store.limits import rate_of
from tests.builders import NOW, Stores, meta_sender

MANY = 100

#: Intervals of whole microseconds: Redis keeps three digits of a millisecond.
rates = st.sampled_from([0.5, 1.0, 2.0, 4.0, 5.0, 8.0, 10.0, 12.5, 16.0, 20.0])
gaps_ms = st.lists(
    st.sampled_from([0, 1, 49, 50, 80, 100, 125, 250, 333, 1000, 2500]), min_size=1, max_size=6
)


class LuaLimiter:
    """A sender with more to send than it may, each message to a contact of its own."""

    def __init__(self, client: fakeredis.FakeRedis, sender: MetaSender, contacts: int) -> None:
        self.stores = Stores(client)
        self.sender = sender
        for number in range(contacts):
            self.stores.accept(sender, to=ContactId(f"+39333{number:07}"))

    def claim(self, clock: ManualClock) -> list[Claim]:
        return self.stores.lanes.claim(self.sender, MANY, now=clock.now())

    def begin(self, claims: Sequence[Claim], clock: ManualClock) -> list[bool]:
        """Which of them may leave; those are settled, the others go back to their lanes."""
        begins = [
            Begin(
                claim=claim,
                nonce=claim.fence,
                versions=claim.known.versions,
                decided_at=clock.now(),
                begin_before=clock.now() + timedelta(days=1),
                attempt={},
            )
            for claim in claims
        ]
        answers = self.stores.lanes.step([], begins, now=clock.now()).answers
        assert all(isinstance(answer, Go | Changed) for answer in answers)
        settles = [
            Settle(claim=claim, outcome=Outcome.SUBMITTED if isinstance(answer, Go) else Outcome.RELEASED)
            for claim, answer in zip(claims, answers, strict=True)
        ]
        self.stores.lanes.step(settles, [], now=clock.now())
        return [isinstance(answer, Go) for answer in answers]


class PythonLimiter:
    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self.tat = 0.0

    def is_free(self, clock: ManualClock) -> bool:
        return free_at(self.limit, self.tat, to_ms(clock.now())) <= to_ms(clock.now())

    def let_go(self, most: int, clock: ManualClock) -> int:
        gone = 0
        while gone < most and self.is_free(clock):
            self.tat = take(self.limit, self.tat, to_ms(clock.now()))
            gone += 1
        return gone


def pair_of(per_second: float, contacts: int) -> tuple[LuaLimiter, PythonLimiter, ManualClock]:
    client = fakeredis.FakeRedis(decode_responses=True, version=(7,))
    sender = meta_sender(throughput_per_second=per_second)
    return LuaLimiter(client, sender, contacts), PythonLimiter(rate_of(sender)), ManualClock(NOW)


@settings(max_examples=25, deadline=None)
@given(rates, gaps_ms)
def test_both_limiters_let_the_same_number_go_at_the_same_times(per_second, gaps):
    lua, python, clock = pair_of(per_second, contacts=30)
    waiting = 30

    for gap in gaps:
        clock.advance(timedelta(milliseconds=gap))
        gone = sum(lua.begin(lua.claim(clock), clock))

        assert gone == python.let_go(waiting, clock)
        waiting -= gone


@settings(max_examples=25, deadline=None)
@given(rates, gaps_ms)
def test_two_claims_at_once_get_no_more_than_one_would(per_second, gaps):
    lua, python, clock = pair_of(per_second, contacts=30)
    waiting = 30

    for gap in gaps:
        clock.advance(timedelta(milliseconds=gap))
        two_claims = lua.claim(clock) + lua.claim(clock)  # a claim takes no token, only a begin does
        gone = sum(lua.begin(two_claims, clock))

        assert gone == python.let_go(waiting, clock)
        waiting -= gone


@settings(max_examples=25, deadline=None)
@given(rates, gaps_ms)
def test_nothing_is_claimed_exactly_when_nothing_may_go(per_second, gaps):
    lua, python, clock = pair_of(per_second, contacts=60)

    for gap in gaps:
        clock.advance(timedelta(milliseconds=gap))
        claims = lua.claim(clock)

        assert bool(claims) is python.is_free(clock)
        assert python.let_go(MANY, clock) == len(claims) == sum(lua.begin(claims, clock))
