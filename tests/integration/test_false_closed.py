"""A window that we had not heard of when a message was routed as closed: counted, once."""

import pytest

from shared.domain.message import WhenClosed
from tests.builders import (
    ANNA,
    NOW,
    World,
    wrote,
)
from tests.play import accept, drain, writes
from tests.three_senders import KIOSK, SECOND, SHOP, three_senders


@pytest.fixture
def world(any_redis) -> World:
    return three_senders(any_redis)


def disagreements(world: World) -> int:
    return int(world.client.hget("counters:{default}", "window_disagreements_total:shop:false_closed") or 0)


class TestFalselyClosed:
    @pytest.mark.parametrize("when_closed", list(WhenClosed))
    def test_a_message_routed_as_closed_in_a_window_we_had_not_heard_of_is_counted(self, world, when_closed):
        accept(world, when_closed=when_closed)
        drain(world)
        world.clock.advance(10 * SECOND)

        event = wrote(NOW - 5 * SECOND)
        world.deps.recorder.record([(SHOP, event)] * 2, now=world.clock.now())

        assert disagreements(world) == 1

    def test_an_answer_to_a_template_is_no_disagreement(self, world):
        accept(world)
        drain(world)
        world.clock.advance(10 * SECOND)
        writes(world, ANNA)

        assert disagreements(world) == 0

    def test_the_window_of_another_sender_proves_nothing(self, world):
        accept(world)
        drain(world)
        world.clock.advance(10 * SECOND)
        world.deps.recorder.record([(KIOSK, wrote(NOW - 5 * SECOND))], now=world.clock.now())

        assert disagreements(world) == 0
