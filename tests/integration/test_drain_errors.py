"""What a provider's errors do to others than their message: pauses, caps, and words that come late."""

import pytest

from shared.domain.consent import Category
from shared.domain.provider_errors import ErrorRow
from shared.domain.retry import ErrorClass, backoff
from shared.providers.base import THROTTLED, Rejected
from tests.builders import (
    ANNA,
    DAY,
    NOW,
    World,
    call,
    request,
    status,
)
from tests.play import accept, drain, writes
from tests.three_senders import (
    ABROAD,
    BRUNO,
    DEFERRED,
    FAILED,
    KIOSK,
    QUEUED,
    REFUSED,
    SECOND,
    SHOP,
    SUBMITTED,
    error,
    later,
    reported,
    sent,
    states,
    stored,
    three_senders,
)


@pytest.fixture
def world(any_redis) -> World:
    return three_senders(any_redis)


class TestPauses:
    def test_a_sender_that_was_too_fast_takes_nothing_until_its_time(self, world):
        writes(world, ANNA, BRUNO)
        ids = [accept(world), accept(world, BRUNO)]
        too_fast = Rejected(code="http_429", row=THROTTLED, retry_after=30 * SECOND)
        world.providers["shop"].answers = [too_fast]

        drain(world)
        later(world, 29 * SECOND)
        assert len(sent(world)) == 1
        later(world, SECOND)

        assert states(world, *ids) == [SUBMITTED, SUBMITTED]

    def test_what_was_claimed_before_a_pause_stays_here_too(self, world):
        writes(world, ANNA, BRUNO)
        accept(world)
        accept(world, BRUNO)
        world.providers["shop"].answers = [error("130429")]

        drain(world)  # both were claimed together

        assert [to for to, _ in sent(world)] == [ANNA]

    def test_the_pair_limit_holds_one_contact_and_no_other(self, world):
        writes(world, ANNA, BRUNO)
        first, second, other = accept(world), accept(world), accept(world, BRUNO)
        world.providers["shop"].answers = [error("131056")]

        drain(world)
        assert states(world, first, second, other) == [DEFERRED, QUEUED, SUBMITTED]
        later(world, 5 * SECOND)
        assert [to for to, _ in sent(world)] == [ANNA, BRUNO]
        later(world, SECOND)

        assert states(world, first, second) == [SUBMITTED, SUBMITTED]

    @pytest.mark.parametrize("code", ["80007", "4"])
    def test_a_limit_of_account_or_app_pauses_all_its_senders_in_any_business(self, world, code):
        writes(world, ANNA)
        accept(world)
        world.providers["shop"].answers = [error(code)]

        drain(world)

        paused = [world.deps.senders.get(sender).is_paused(NOW) for sender in (SHOP, KIOSK, ABROAD)]
        assert paused == [True, True, True]

    def test_an_error_of_one_message_pauses_nobody(self, world):
        writes(world, ANNA, BRUNO)
        first, other = accept(world), accept(world, BRUNO)
        world.providers["shop"].answers = [error("131053")]

        drain(world)

        assert states(world, first, other) == [DEFERRED, SUBMITTED]


class TestCaps:
    def test_a_contact_capped_for_marketing_still_gets_what_it_needs(self, world):
        marketing = {"content": None, "templates": (call("promo"),), "category": Category.MARKETING}
        capped = accept(world, **marketing)
        world.providers["shop"].answers = [error("131049")]

        drain(world)
        again, needed = accept(world, **marketing), accept(world)
        drain(world)

        assert states(world, capped, again, needed) == [FAILED, REFUSED, SUBMITTED]
        assert stored(world, again).reason == "recipient_capped"
        assert "2086-11-23T12:00:00.000Z" in stored(world, again).route["explanation"]

    def test_a_contact_who_stopped_marketing_is_opted_out_of_it_at_once_and_again_by_status(self, world):
        marketing = {"content": None, "templates": (call("promo"),), "category": Category.MARKETING}
        first = accept(world, **marketing)
        world.providers["shop"].answers = [error("131050")]

        drain(world)
        reported(world, first, "131050")
        again, needed = accept(world, **marketing), accept(world)
        drain(world)

        assert states(world, first, again, needed) == [FAILED, REFUSED, SUBMITTED]
        assert stored(world, again).reason == "opted_out"
        words = world.deps.consents.history("default", ANNA)[1]
        assert [(word.by, word.evidence) for word in words if word.status == "opted_out"] == [
            ("provider_error", first.value)
        ]

    def test_a_cap_ends_by_its_time(self, world):
        marketing = {"content": None, "templates": (call("promo"),), "expires_at": NOW + 3 * DAY}
        accept(world, **marketing)
        world.providers["shop"].answers = [error("131049")]
        drain(world)

        world.clock.advance(DAY)
        again = accept(world, **marketing)
        drain(world)

        assert states(world, again) == [SUBMITTED]

    def test_one_who_cannot_be_reached_is_capped_after_two_messages(self, world):
        first = accept(world)
        world.providers["shop"].answers = [error("131026")]
        drain(world)
        reported(world, first, "131026")  # the same word once more is not a second message
        second = accept(world)
        world.providers["shop"].answers = [error("131026")]
        drain(world)
        third = accept(world)
        drain(world)

        assert states(world, first, second, third) == [FAILED, FAILED, REFUSED]

    def test_who_writes_can_be_reached(self, world):
        for _ in range(2):
            accept(world)
            world.providers["shop"].answers = [error("131026")]
            drain(world)
        world.clock.advance(SECOND)
        writes(world, ANNA)

        assert world.deps.contacts.get(SHOP, ANNA) is not None
        known = world.deps.messages.facts(SHOP, request())
        assert known.caps == {}


class TestLateErrors:
    def test_what_may_pass_is_tried_again_also_when_it_comes_late(self, world):
        writes(world, ANNA)
        message_id = accept(world)
        drain(world)

        assert reported(world, message_id, "131000") == ["rerouted"]
        assert reported(world, message_id, "131000") == ["unchanged"]
        assert states(world, message_id) == [DEFERRED]
        later(world, 2 * SECOND)

        assert states(world, message_id) == [SUBMITTED]
        assert len(sent(world)) == 2

    def test_late_or_not_it_has_so_many_tries(self, world):
        writes(world, ANNA)
        message_id = accept(world)
        world.providers["shop"].answers = [error("131000")]
        drain(world)
        later(world, 2 * SECOND)
        reported(world, message_id, "131000", attempt=2)
        later(world, 10 * SECOND)
        reported(world, message_id, "131000", attempt=3)

        assert (states(world, message_id), stored(world, message_id).reason) == ([FAILED], "tries_exhausted")

    @pytest.mark.parametrize("tries", [1, 2, 3, 6, 7, 9])
    def test_the_wait_grows_as_after_any_error(self, world, tries):
        writes(world, ANNA)
        message_id = accept(world)
        drain(world)
        world.client.hset(f"message:{{default}}:{message_id}", "tries", tries - 1)

        row = ErrorRow(error_class=ErrorClass.RETRY, late="retry", advice="…")
        world.deps.recorder.record([(SHOP, status(message_id, FAILED, row=row))], now=NOW)

        waits = stored(world, message_id).not_before - NOW
        assert backoff(tries, 0) <= waits <= backoff(tries, 1)

    def test_another_late_error_is_final(self, world):
        writes(world, ANNA)
        message_id = accept(world)
        drain(world)

        assert reported(world, message_id, "131056") == ["moved"]
        assert states(world, message_id) == [FAILED]
