"""An app's backlog: over it nothing more is accepted, message by message, until some have left."""

from ulid import ULID

from shared.acceptance import Receipt, Refusal, RefusalCode, accept, read_submission
from shared.domain.identifiers import MessageId
from shared.domain.message import MessageState, WhenClosed
from shared.store.claims import Outcome, Settle
from shared.store.messages import Acceptance, Accepted, BacklogFull
from tests.builders import DAY, NOW, Stores, World, app, meta_sender, request
from webhook.errors import problem_of

SENDER = meta_sender()


def offer(stores: Stores, number: int, *, most: int = 2, of: str = "orders", key: str | None = None):
    acceptance = Acceptance(
        message_id=MessageId.from_ulid(str(ULID())),
        app=of,
        request=request(when_closed=WhenClosed.WAIT, expires_at=NOW + DAY),
        idempotency_key=key,
        max_backlog=most,
    )
    return [stores.messages.accept(SENDER, acceptance, now=NOW) for _ in range(number)][-1]


def test_over_it_nothing_is_accepted_until_some_have_left(stores):
    first = offer(stores, 1)
    offer(stores, 1)

    assert isinstance(offer(stores, 1), BacklogFull)
    (claim,) = stores.lanes.claim(SENDER, 1, now=NOW)
    assert claim.message_id == first.message_id
    stores.lanes.step([Settle(claim=claim, outcome=Outcome.REFUSED)], [], now=NOW)
    assert isinstance(offer(stores, 1), Accepted)
    assert isinstance(offer(stores, 1), BacklogFull)


def test_what_is_held_is_still_in_hand_and_what_expired_is_not(stores):
    offer(stores, 1, most=1)
    (claim,) = stores.lanes.claim(SENDER, 1, now=NOW)
    stores.lanes.step([Settle(claim=claim, outcome=Outcome.HELD, groups=("window:shop:x",))], [], now=NOW)

    assert isinstance(offer(stores, 1, most=1), BacklogFull)
    stores.lanes.sweep("default", now=NOW + DAY)
    assert stores.state(claim.message_id) is MessageState.EXPIRED
    assert isinstance(offer(stores, 1, most=1), Accepted)


def test_another_app_has_its_own(stores):
    offer(stores, 1, most=1)

    assert isinstance(offer(stores, 1, most=1, of="desk"), Accepted)


def test_a_repeat_is_answered_and_counted_once(stores):
    offer(stores, 3, most=2)

    assert stores.client.hget("backlog:{default}", "orders") == "1"
    first = offer(stores, 1, most=2, key="k")
    again = offer(stores, 1, most=2, key="k")
    assert again.message_id == first.message_id


def test_a_batch_is_taken_up_to_the_backlog(any_redis):
    world = World(any_redis)
    document = {"to": "+393331234567", "sender": "shop", "text": "Ciao"}

    answers = accept(world.deps, app("orders", max_backlog=3), [read_submission(document, None)] * 5)

    assert [isinstance(answer, Receipt) for answer in answers] == [True, True, True, False, False]
    assert isinstance(answers[4], Refusal)
    assert answers[4].code is RefusalCode.BACKLOG_FULL


def test_the_door_says_when_to_come_again():
    problem = problem_of(Refusal(code=RefusalCode.BACKLOG_FULL))

    assert problem.headers["Retry-After"] == "5"
