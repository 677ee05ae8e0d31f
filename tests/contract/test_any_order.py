"""Providers promise no order, repeat what they like, deliver for days: what stands in the end is the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.consent import DEFAULT_CATEGORIES, Category, ConsentRecord, ConsentStatus
from shared.domain.content import SystemNotice
from shared.domain.events import MessageReceived, PreferenceChanged, ProviderEvent, TemplateStatusChanged
from shared.domain.identifiers import ContactId, MessageId
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.domain.templates import Approval, TemplateStatus
from shared.domain.window import InboundKind
from shared.store.claims import Begin, Outcome, Settle
from shared.store.consents import Decision
from tests.builders import DAY, NOW, Stores, meta_sender, status, template, wrote

SENDER = meta_sender()
NUMBER, USER = ContactId("+393331234567"), ContactId("IT.90011223344")
SPELLING, OTHER_SPELLING = ContactId("+5511987654321"), ContactId("+551187654321")
NEW_USER = ContactId("IT.55566677788")
NAMES = (NUMBER, USER, NEW_USER, SPELLING, OTHER_SPELLING)
HOUR = timedelta(hours=1)
END = NOW + timedelta(hours=3)

# Up to 30 hours old: some open a window, some come too late for one; some within seconds, so that they tie.
ages = (st.integers(0, 2) | st.integers(0, 30 * 3600)).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def messages(draw) -> ProviderEvent:
    """From one of two people, shown now by number, now by id, now by both, now in another spelling."""
    contact, user = draw(
        st.sampled_from(
            [(NUMBER, None), (USER, None), (NUMBER, USER), (SPELLING, None), (OTHER_SPELLING, None)]
        )
    )
    event = wrote(
        NOW - draw(ages),
        contact=contact,
        text=draw(st.sampled_from(["ciao", "ciao", "stop", "start"])),
    )
    kinds = [InboundKind.TEXT, InboundKind.TEXT, InboundKind.REACTION, InboundKind.CALL]
    kind = draw(st.sampled_from(kinds))
    return replace(event, kind=kind, user_id=user)


@st.composite
def notices(draw) -> ProviderEvent:
    notice = SystemNotice(type="user_changed_user_id", new_user_id=NEW_USER)
    event = wrote(NOW - draw(ages), contact=draw(st.sampled_from([NUMBER, USER])))
    return replace(event, kind=InboundKind.SYSTEM, text=None, content=notice)


@st.composite
def preferences(draw) -> ProviderEvent:
    return PreferenceChanged(
        recipient="1",
        contact=draw(st.sampled_from([NUMBER, SPELLING])),
        category=Category.MARKETING,
        status=draw(st.sampled_from(ConsentStatus)),
        at=NOW - draw(ages),
    )


@st.composite
def decisions(draw) -> Decision:
    """By an app or out of a file, as their doors hand them on."""
    status = draw(st.sampled_from(ConsentStatus))
    return Decision(
        contact=draw(st.sampled_from([NUMBER, USER, SPELLING])),
        record=ConsentRecord(
            status=status,
            at=NOW - draw(ages),
            source=draw(st.sampled_from(["web", "shop"])),
            evidence=draw(st.sampled_from([None, "order-991"])),
        ),
        categories=draw(st.sampled_from([DEFAULT_CATEGORIES[status], (Category.MARKETING,)])),
        by=draw(st.sampled_from(["api", "import"])),
        app="desk",
    )


@st.composite
def template_news(draw) -> ProviderEvent:
    decisions = [
        (Approval.APPROVED, None),
        (Approval.REJECTED, None),
        (None, TemplateStatus.PAUSED),
        (None, TemplateStatus.DISABLED),
    ]
    approval, stopped = draw(st.sampled_from(decisions))
    return TemplateStatusChanged(
        account=SENDER.account,
        name="ordine_pronto",
        language="it",
        approval=approval,
        stopped=stopped,
        reason=None,
        at=NOW - timedelta(seconds=draw(st.integers(0, 5))),
    )


@dataclass(frozen=True)
class Report:
    """Of one of the three messages under way; the message's id differs from run to run."""

    message: int
    state: MessageState
    error_class: ErrorClass | None


reports = st.builds(
    lambda message, what: Report(message, *what),
    st.integers(0, 2),
    st.sampled_from(
        [
            (MessageState.SENT, None),
            (MessageState.DELIVERED, None),
            (MessageState.READ, None),
            (MessageState.FAILED, ErrorClass.PERMANENT),
            (MessageState.FAILED, ErrorClass.WINDOW),
        ]
    ),
)
updates = st.lists(
    messages() | notices() | preferences() | decisions() | template_news() | reports, min_size=1, max_size=12
)


@st.composite
def deliveries(draw):
    """The same updates twice: as they happened, and as a provider might bring them."""
    drawn = draw(updates)
    happened = [
        replace(update, event_id=f"wamid.{number}") if isinstance(update, MessageReceived) else update
        for number, update in enumerate(drawn)
    ]
    repeated = happened + draw(st.lists(st.sampled_from(happened), max_size=6))
    return happened, draw(st.permutations(repeated)), draw(st.randoms(use_true_random=False))


class Run:
    """Three messages begun, the updates in posts of any size over three hours, and what stands at the end."""

    def __init__(self, client: redis.Redis) -> None:
        client.flushdb()
        self.stores = Stores(client)
        self.stores.templates.create("default", template(), nonce="n")
        begun_at = NOW - HOUR
        self.ids: list[MessageId] = []
        for contact in (NUMBER, SPELLING, ContactId("+393339999999")):
            self.ids.append(self.stores.accept(to=contact, templates=(), at=begun_at).message_id)
        claims = self.stores.lanes.claim(SENDER, 10, now=begun_at)
        begins = [
            Begin(
                claim=claim,
                nonce="n",
                versions=claim.known.versions,
                decided_at=begun_at,
                begin_before=begun_at + DAY,
                attempt={"started_at": 0},
            )
            for claim in claims
        ]
        self.stores.lanes.step([], begins, now=begun_at)
        self.settles = [Settle(claim=claim, outcome=Outcome.SUBMITTED) for claim in claims]

    def settle(self) -> None:
        self.stores.lanes.step(self.settles, [], now=NOW)

    def bring(self, posts: Sequence[Sequence[object]], nows: Sequence[datetime]) -> None:
        for post, now in zip(posts, nows, strict=True):
            decisions = [update for update in post if isinstance(update, Decision)]
            self.stores.consents.record_all(SENDER, decisions, now=now)
            events = [self.event(update) for update in post if not isinstance(update, Decision)]
            self.stores.recorder.record([(SENDER, event) for event in events], now=now)

    def event(self, update: object) -> ProviderEvent:
        if isinstance(update, Report):
            return status(self.ids[update.message], update.state, error_class=update.error_class)
        return update

    def history(self, name: ContactId) -> set[object]:
        """What was said, whenever we heard it and whatever it changed then."""
        words = self.stores.consents.history("default", name)[1]
        return {(w.status, w.at, w.categories, w.source, w.evidence, w.by) for w in words}

    def end(self) -> dict[str, object]:
        """Windows, consents, who is who, message and template states."""
        found: dict[str, object] = {}
        for name in NAMES:
            seen = self.stores.contacts.get(SENDER, name)
            is_open = seen.window.is_open(END)
            found[name.value] = (
                seen.contact,
                seen.address,
                seen.user_id,
                seen.window.last_inbound_at if is_open else None,
                {c: (r.status, r.at, r.source, r.evidence) for c, r in seen.consent.records.items()},
                self.history(name),
            )
        found["messages"] = [self.stores.state(id_) for id_ in self.ids]
        found["template"] = self.stores.templates.get("default", template().id).status
        return found


@pytest.mark.timeout(300)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(deliveries())
def test_order_repetition_and_delay_change_nothing(real_redis, delivered):
    happened, brought, chance = delivered
    plain = Run(real_redis)
    plain.settle()
    plain.bring([[update] for update in happened], [NOW] * len(happened))
    expected = plain.end()

    wild = Run(real_redis)
    is_settled_first = chance.random() < 0.5
    if is_settled_first:
        wild.settle()
    posts, start = [], 0
    while start < len(brought):
        size = chance.randint(1, 4)
        posts.append(brought[start : start + size])
        start += size
    wild.bring(posts, sorted(NOW + timedelta(seconds=chance.randint(0, 10_000)) for _ in posts))
    if not is_settled_first:
        wild.settle()

    assert wild.end() == expected
