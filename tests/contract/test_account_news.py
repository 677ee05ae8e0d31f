"""News of an account halt its senders and let them go on; what a hand halted they do not touch."""

from datetime import timedelta

from shared.domain.events import AccountChanged, ReportedError
from shared.domain.halts import Halt, HaltKind, HaltSource
from shared.providers.base import THROTTLED
from tests.builders import DAY, NOW, Stores, meta_sender

SECOND = timedelta(seconds=1)
SENDER = meta_sender()


def news(event: str, at=NOW, **changes) -> AccountChanged:
    return AccountChanged(account=SENDER.account, topic="account_update", event=event, at=at, **changes)


def halt(kind: HaltKind = HaltKind.ALL, until=None) -> Halt:
    return Halt(kind=kind, source=HaltSource.NEWS, code="disable", scope="account", why="banned", until=until)


def record(stores: Stores, *events: AccountChanged, now=NOW) -> list[str]:
    return stores.recorder.record([(SENDER, event) for event in events], now=now)


def kinds(stores: Stores) -> list[tuple[HaltKind, HaltSource]]:
    return [(one.kind, one.source) for one in stores.senders.get(SENDER).halts]


def test_a_ban_halts_and_a_reinstatement_lifts_it(stores):
    stores.accept()

    record(stores, news("disabled_update", halts=(halt(),)))
    assert stores.lanes.claim(SENDER, 1, now=NOW) == []
    record(stores, news("disabled_update", at=NOW + SECOND, lifts=True), now=NOW + SECOND)

    assert stores.lanes.claim(SENDER, 1, now=NOW + SECOND)


def test_older_news_halt_nothing(stores):
    record(stores, news("disabled_update", lifts=True))

    assert record(stores, news("disabled_update", at=NOW - SECOND, halts=(halt(),))) == ["unchanged"]
    assert kinds(stores) == []


def test_what_a_hand_halted_no_news_lift(stores):
    stores.senders.halt(SENDER, "moving", now=NOW)

    record(stores, news("disabled_update", halts=(halt(HaltKind.TEMPLATE),)))
    record(stores, news("disabled_update", at=NOW + SECOND, lifts=True), now=NOW + SECOND)

    assert kinds(stores) == [(HaltKind.ALL, HaltSource.HAND)]


def test_a_restriction_ends_by_itself(stores):
    record(stores, news("account_restriction", halts=(halt(HaltKind.TEMPLATE, until=NOW + DAY),)))

    stores.lanes.tick([SENDER], now=NOW + DAY - SECOND)
    assert kinds(stores) == [(HaltKind.TEMPLATE, HaltSource.NEWS)]
    stores.lanes.tick([SENDER], now=NOW + DAY)

    assert kinds(stores) == []


def test_an_error_among_the_news_does_what_it_does_elsewhere(stores):
    error = ReportedError(code="130429", row=THROTTLED, detail="")

    record(stores, AccountChanged(account=None, topic="errors", event="130429", error=error))

    assert stores.senders.get(SENDER).paused_until == NOW + SECOND


def test_resuming_by_hand_lifts_everything(stores):
    record(stores, news("disabled_update", halts=(halt(), halt(HaltKind.SESSION))))
    stores.senders.halt(SENDER, "moving", now=NOW)

    stores.senders.resume(SENDER, now=NOW)

    assert kinds(stores) == []
