"""An erased person is nowhere: every kind of key is filled with them, then all that is stored is searched."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event as Signal

import pytest
import redis

from shared.clock import to_ms
from shared.configuration import Configuration, Policy, Secret
from shared.domain.consent import Category, ConsentRecord, ConsentStatus
from shared.domain.content import Media
from shared.domain.events import MessageReceived, UpdateSetAside
from shared.domain.identifiers import ContactId, MessageId, PhoneNumber
from shared.domain.message import MessageState, WhenClosed
from shared.domain.session_content import MediaKind, MediaLink, Text
from shared.domain.window import InboundKind
from shared.errors import StoreUnavailableError
from shared.providers.base import Submitted
from shared.store.callbacks import PushOutcome, first_place
from shared.store.claims import Begin, Outcome, Settle
from shared.store.erasure import Erasure, NoSecretKeyError
from shared.store.keyed_hash import KeyedHashes
from shared.store.messages import Acceptance
from shared.store.scripts import Scripts
from tests.builders import DAY, NOW, World, app, call, meta_sender, opt_in, opt_out, request, status, template
from workers.outbound import Drain

NUMBER, USER_ID = ContactId("+393337654321"), ContactId("IT.90011223344canary")
OTHER_NUMBER = PhoneNumber("+393337654999")
BRUNO = ContactId("+393339999999")
KEY = Secret("the key of this test")
SECOND = timedelta(seconds=1)
WAMID = (
    "wamid." + base64.b64encode(b"\x1d\x0c" + NUMBER.value[1:].encode() + b"\x15\x02\x00\x12canary").decode()
)
CANARIES = (
    NUMBER.value[1:],
    OTHER_NUMBER.value[1:],
    USER_ID.value,
    "Ginevra",
    "canary-evidence",
    "canary-text",
    "canary-value",
    "canary-caption",
    WAMID[6:],
)


@pytest.fixture
def world(any_redis) -> World:
    shop = meta_sender(pair_interval=6 * SECOND, pair_burst=45, messaging_limit_per_day=1_000)
    configuration = Configuration(
        senders={"shop": shop, "quiet": meta_sender("quiet", phone_number_id="2")},
        apps={"orders": app("orders", ("messages", "contacts")), "desk": app("desk", ("admin",))},
        policy=Policy(),
    )
    world = World(any_redis, secret_keys=(KEY,), configuration=configuration)
    for name in ("ordine_pronto", "altro"):
        id_ = replace(template().id, name=name)
        world.deps.templates.create("default", template(id=id_), nonce="n")
    return world


def shop(world: World):
    return world.deps.sender("shop")


def accept(world: World, sender: str = "shop", key: str | None = None, **changes: object) -> MessageId:
    values = {"to": NUMBER, "content": Text("canary-text"), **changes}
    asked = request(sender=sender, expires_at=world.clock.now() + DAY, **values)
    acceptance = Acceptance(
        message_id=world.deps.new_message_id(), app="orders", request=asked, idempotency_key=key
    )
    return world.deps.messages.accept(world.deps.sender(sender), acceptance, now=world.clock.now()).message_id


def drain(world: World) -> None:
    with ThreadPoolExecutor(4) as slots:
        Drain(world.deps, shop(world), slots, most_slots=4, stopping=Signal()).run()


def writes(world: World, contact: ContactId = NUMBER, **changes: object) -> list[str]:
    world.clock.advance(SECOND)
    values = {
        "recipient": "106540352242922",
        "contact": contact,
        "event_id": f"{WAMID}.{to_ms(world.clock.now())}",
        "kind": InboundKind.TEXT,
        "at": world.clock.now(),
        "text": "canary-text",
    }
    event = MessageReceived(**{**values, **changes})
    return world.deps.recorder.record([(shop(world), event)], now=world.clock.now())


def erase(world: World, contact: ContactId = NUMBER):
    return world.deps.erasure.erase("default", contact, now=world.clock.now())


def everything(client: redis.Redis) -> Iterator[str]:
    """All that is stored, as text."""
    for key in client.scan_iter(count=1_000):
        kind = client.type(key)
        reads = {
            "string": client.get,
            "hash": client.hgetall,
            "list": lambda key: client.lrange(key, 0, -1),
            "set": client.smembers,
            "zset": lambda key: client.zrange(key, 0, -1),
            "stream": client.xrange,
        }
        yield f"{key} {json.dumps(reads[kind](key), ensure_ascii=False, default=list)}"


def found(client: redis.Redis, canaries: tuple[str, ...] = CANARIES) -> list[str]:
    return [line for line in everything(client) if any(canary in line for canary in canaries)]


def fill(world: World) -> dict[str, MessageId]:
    """Something of the person in every kind of key that there is."""
    evidence = ConsentRecord(
        status=ConsentStatus.OPTED_IN, at=NOW - DAY, source="checkout", evidence="canary-evidence"
    )
    contacts, clock = world.deps.contacts, world.clock
    contacts.set_consent(shop(world), NUMBER, evidence, list(Category), now=NOW)
    contacts.set_consent(shop(world), NUMBER, opt_out(), [Category.MARKETING], now=NOW)
    accept(world, key="before-the-window", templates=(call(values={"1": "Ginevra", "2": "canary-value"}),))
    drain(world)
    writes(world, contact=USER_ID)
    media = Media(media_id="m1", caption="canary-caption", filename="Ginevra.pdf")
    writes(world, user_id=USER_ID, profile_name="Ginevra", kind=InboundKind.IMAGE, content=media, text=None)
    sent = accept(
        world, content=MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/1", caption="canary-caption")
    )
    world.providers["shop"].answers.append(
        Submitted(provider_message_id="wamid.x", wa_id=OTHER_NUMBER.value[1:])
    )
    clock.advance(6 * SECOND)
    drain(world)
    delivered = status(sent, MessageState.DELIVERED, at=clock.now())
    world.deps.recorder.record([(shop(world), delivered)], now=clock.now())
    ids = {"sent": sent, "held": accept(world, "quiet", when_closed=WhenClosed.WAIT, reference="order-991")}
    held = world.deps.lanes.claim(world.deps.sender("quiet"), 1, nonce="quiet", now=clock.now()).claims[0]
    group = f"window:quiet:{held.contact}"
    settle = Settle(claim=held, outcome=Outcome.HELD, reason="waiting_for_window", groups=(group,))
    world.deps.lanes.step([settle], [], now=clock.now())
    ids["queued"] = accept(world, key=f"welcome-{NUMBER}")
    raw = json.dumps({"from": "\\u002b" + NUMBER.value[1:], "text": "canary-text", "name": "Ginevra"})
    set_aside = UpdateSetAside(reason="unreadable", raw=raw.replace("\\\\u", "\\u"))
    world.deps.recorder.record([(shop(world), set_aside)], now=clock.now())
    world.deps.refused_submissions.keep(
        "default",
        "task-1",
        json.dumps({"request": {"to": "+39 333 765-4321", "text": "canary-text"}}),
        reason="invalid_request",
        app="orders",
        sender="shop",
        errors="{}",
        now=clock.now(),
    )
    push(world)
    world.client.sadd("a_kind_of_tomorrow:{default}", f"{NUMBER} canary-text", BRUNO.value)
    return ids


def push(world: World) -> None:
    """One event is parked, the others wait in their lanes."""
    feed, callbacks, now = world.deps.feed, world.deps.callbacks, world.clock.now()
    entries = feed.entries("default", after=first_place("0-0"), most=500)
    lanes = [
        (event.contact, entry)
        for entry in entries
        for event in feed.render("default", [entry])
        if event.contact
    ]
    callbacks.spread("default", "orders", lanes, read_from=None, read_to=entries[-1].id, now=now)
    for item in callbacks.claim("default", "orders", 50, now=now):
        callbacks.settle(item, PushOutcome.PARKED, now=now, reason="gone")


class TestEverything:
    def test_of_an_erased_person_nothing_is_found_under_any_name(self, world):
        fill(world)
        kinds = {line.partition(":")[0] for line in found(world.client)}
        wanted = {
            *("contact", "consent_history", "consented", "alias", "message", "inbound", "seen", "recent"),
            *("lane", "held", "ready", "placed", "window", "closing", "pair", "reached", "idem", "claim"),
            *(
                "events",
                "quarantine",
                "submissions",
                "callback_parked",
                "callback_lane",
                "a_kind_of_tomorrow",
            ),
        }
        assert wanted - kinds == set()

        erased = erase(world)

        assert found(world.client) == []
        assert world.client.smembers("a_kind_of_tomorrow:{default}") == {BRUNO.value}
        assert erased.cancelled == 2
        counts = {"messages": 4, "inbound": 2, "quarantine": 1, "submissions": 1, "consents": 1}
        assert {kind: erased.counts[kind] for kind in counts} == counts
        assert NUMBER.value[1:] not in repr(erased)

    @pytest.mark.parametrize("name", [USER_ID, ContactId(OTHER_NUMBER.value)])
    def test_any_name_of_theirs_erases_them(self, world, name):
        fill(world)

        erase(world, name)

        assert found(world.client) == []

    def test_the_other_people_keep_all_that_they_have(self, world):
        world.deps.contacts.set_consent(shop(world), BRUNO, opt_in(), list(Category), now=NOW)
        kept = accept(world, to=BRUNO, content=Text(f"Ginevra ha il numero {NUMBER}"))
        writes(world, contact=BRUNO, event_id="wamid.bruno", text="ciao")
        before = world.deps.contacts.get(shop(world), BRUNO)
        accept(world)
        writes(world)

        erase(world)

        assert world.deps.contacts.get(shop(world), BRUNO) == before
        assert world.deps.messages.get("default", kept).state is MessageState.QUEUED
        drain(world)
        assert [outgoing.to for outgoing in world.providers["shop"].sent] == [BRUNO]

    def test_erasing_again_finds_nothing_and_keeps_the_opt_out(self, world):
        fill(world)
        first, second = erase(world), erase(world)

        assert second.counts == {}
        assert (first.is_suppressed, second.is_suppressed) == (True, True)

    def test_what_may_still_leave_goes_before_everything_is_looked_through(self, fake_redis):
        world = world_on(fake_redis)
        fill(world)
        broken = Erasure(fake_redis, Breaking(fake_redis, 2), KeyedHashes((KEY,)), {})

        with pytest.raises(StoreUnavailableError):
            broken.erase("default", NUMBER, now=world.clock.now())

        assert fake_redis.keys("lane:*") == fake_redis.keys("held:*") == fake_redis.keys("ready:*") == []
        assert fake_redis.keys("inbound:*")

    def test_one_that_was_interrupted_anywhere_is_completed_by_another_name(self, fake_redis):
        for calls in range(1, 100):
            fake_redis.flushdb()
            world = world_on(fake_redis)
            fill(world)
            broken = Erasure(
                fake_redis, Breaking(fake_redis, calls), KeyedHashes((KEY,)), {"default": ("shop",)}
            )
            try:
                broken.erase("default", NUMBER, now=world.clock.now())
            except StoreUnavailableError:
                assert erase(world, USER_ID).is_suppressed
                assert found(fake_redis) == []
            else:
                assert calls > 5
                return

    def test_who_came_back_since_an_erase_that_never_cut_keeps_what_is_new(self, fake_redis):
        world = world_on(fake_redis)
        old = accept(world)
        broken = Erasure(fake_redis, Breaking(fake_redis, 1), KeyedHashes((KEY,)), {"default": ("shop",)})
        with pytest.raises(StoreUnavailableError):
            broken.erase("default", NUMBER, now=world.clock.now())
        assert fake_redis.hlen("erasing:{default}") == 1
        world.clock.advance(SECOND)
        now = world.clock.now()
        world.deps.contacts.set_consent(shop(world), NUMBER, opt_in(now), list(Category), now=now)
        new = accept(world)

        world.deps.erasure.resume("default")

        assert world.deps.messages.get("default", old) is None
        assert world.deps.messages.get("default", new) is not None
        assert world.deps.contacts.get(shop(world), NUMBER).consent.is_opted_in(Category.UTILITY)
        assert fake_redis.hlen("erasing:{default}") == 0

    def test_without_a_secret_key_nobody_is_erased(self, any_redis):
        world = World(any_redis)
        accept(world)

        with pytest.raises(NoSecretKeyError):
            erase(world)
        assert world.client.keys("message:*")


class TestSpellings:
    def test_every_spelling_of_a_number_goes(self, world):
        raw = '{"wa_id": "551187654321", "to": "+55 (11) 98765-4321"}'
        set_aside = UpdateSetAside(reason="unreadable", raw=raw)
        world.deps.recorder.record([(shop(world), set_aside)], now=NOW)
        writes(world, contact=ContactId("+551187654321"), event_id="wamid.br")

        erase(world, ContactId("+5511987654321"))

        assert found(world.client, ("1187654321", "11987654321", "98765-4321")) == []


class TestOptOut:
    def test_it_outlives_the_person_as_hashes_and_times(self, world):
        fill(world)
        erase(world)

        kept = world.client.hgetall("suppressed:{default}")
        assert set(kept.values()) == {f"consent:marketing={int(NOW.timestamp())}"}
        assert all(len(mark) == 64 for mark in kept)

    @pytest.mark.parametrize("name", [NUMBER, USER_ID, ContactId(OTHER_NUMBER.value)])
    def test_it_stands_again_under_any_name(self, world, name):
        fill(world)
        erase(world)

        world.deps.contacts.set_consent(shop(world), name, opt_in(NOW - SECOND), list(Category), now=NOW)

        consent = world.deps.contacts.get(shop(world), name).consent
        assert consent.opted_out_at(Category.MARKETING) == NOW
        assert consent.is_opted_in(Category.UTILITY)

    def test_who_changed_their_mind_before_is_not_suppressed(self, world):
        contacts = world.deps.contacts
        contacts.set_consent(shop(world), NUMBER, opt_out(), list(Category), now=NOW)
        assert erase(world).is_suppressed
        contacts.set_consent(shop(world), NUMBER, opt_in(NOW + SECOND), list(Category), now=NOW)

        assert not erase(world).is_suppressed
        assert world.client.exists("suppressed:{default}") == 0


class TestLateWords:
    """Of what was on its way when the person was erased nothing brings them back."""

    def test_a_late_settle_a_late_status_and_a_repeated_webhook(self, world):
        world.deps.contacts.set_consent(shop(world), NUMBER, opt_in(NOW - DAY), list(Category), now=NOW)
        event = MessageReceived(
            recipient="106540352242922",
            contact=NUMBER,
            user_id=USER_ID,
            event_id=WAMID,
            kind=InboundKind.TEXT,
            at=NOW,
        )
        world.deps.recorder.record([(shop(world), event)], now=NOW)
        message_id = accept(world)
        (claim,) = world.deps.lanes.claim(shop(world), 1, nonce="n", now=NOW).claims
        begin = Begin(
            claim=claim,
            nonce="n",
            versions=claim.known.versions,
            decided_at=NOW,
            begin_before=NOW + DAY,
            attempt={"route": {"kind": "session"}},
        )
        world.deps.lanes.step([], [begin], now=NOW)

        erase(world)
        assert found(world.client) == []
        settle = Settle(claim=claim, outcome=Outcome.SUBMITTED, provider_message_id=WAMID)
        world.deps.lanes.step([settle], [], now=NOW)
        world.deps.contacts.learn("default", NUMBER, OTHER_NUMBER, by=message_id, now=NOW)
        late = replace(status(message_id, MessageState.DELIVERED), contact=NUMBER, user_id=USER_ID)
        words = world.deps.recorder.record([(shop(world), late), (shop(world), event)], now=NOW)

        assert words == ["unknown_message", "duplicate"]
        assert found(world.client) == []

    def test_a_claim_that_was_not_begun_is_lost(self, world):
        writes(world)
        accept(world)
        (claim,) = world.deps.lanes.claim(shop(world), 1, nonce="n", now=world.clock.now()).claims

        erase(world)

        begin = Begin(
            claim=claim,
            nonce="n",
            versions=claim.known.versions,
            decided_at=NOW,
            begin_before=NOW + DAY,
            attempt={},
        )
        (answer,) = world.deps.lanes.step([], [begin], now=world.clock.now()).answers
        assert type(answer).__name__ == "Lost"

    def test_the_app_hears_that_its_message_was_cancelled_and_owes_nothing(self, world):
        message_id = accept(world)
        erase(world)

        entries = world.deps.feed.entries("default", after="0-0", most=100)
        (told,) = world.deps.feed.render("default", [e for e in entries if e.type.startswith("message.")])
        assert (told.type, told.app) == ("message.cancelled", "orders")
        assert told.data == {"id": message_id.value, "sender": "shop", "contact": None, "reason": "erased"}
        assert world.client.hget("backlog:{default}", "orders") == "0"

    def test_a_repeat_of_an_accepted_body_is_answered_and_not_sent(self, world):
        message_id = accept(world, key="k")
        erase(world)

        assert accept(world, key="k") == message_id
        assert found(world.client) == []

    def test_what_comes_later_is_new(self, world):
        accept(world)
        erase(world)
        world.clock.advance(SECOND)

        later = accept(world, content=Text("new"))
        writes(world, text="new", event_id="wamid.new")
        drain(world)

        assert world.deps.messages.get("default", later).state is MessageState.SUBMITTED
        assert found(world.client, ("canary-text",)) == []


class TestRealServer:
    def test_the_rewritten_append_only_file_holds_nothing(self, real_redis):
        world = world_on(real_redis)
        fill(world)
        assert any_in_files(real_redis)
        wait_for_rewrite(real_redis)  # of the tests before

        assert erase(world).append_only_file == "rewriting"
        wait_for_rewrite(real_redis)

        assert not any_in_files(real_redis)

    def test_whatever_is_racing_nothing_from_before_survives(self, real_redis):
        world = world_on(real_redis)
        world.deps.contacts.set_consent(shop(world), NUMBER, opt_in(NOW - DAY), list(Category), now=NOW)
        for _ in range(40):
            accept(world, key=str(world.deps.new_message_id()))
            writes(world)
        before = world.clock.now()
        done, accepted = Signal(), []

        def racing(step):
            while not done.is_set():
                step()

        with ThreadPoolExecutor(4) as threads:
            steps = [
                lambda: drain(world),
                lambda: accepted.append(accept_later(world, before)),
                lambda: write_later(world, before),
            ]
            running = [threads.submit(racing, step) for step in steps]
            for _ in range(3):
                world.deps.erasure.erase("default", NUMBER, now=before)
            done.set()
            for future in running:
                future.result()

        assert found(real_redis, ("canary-text", WAMID)) == []
        assert len(world.deps.messages.get_all("default", accepted)) == len(accepted) > 0


world_on = world.__wrapped__
LATER = timedelta(hours=1)


def accept_later(world: World, before) -> MessageId:
    asked = request(to=NUMBER, content=Text("new"), expires_at=before + DAY)
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=asked)
    return world.deps.messages.accept(shop(world), acceptance, now=before + LATER).message_id


def write_later(world: World, before) -> None:
    event = MessageReceived(
        recipient="106540352242922",
        contact=NUMBER,
        event_id=str(world.deps.new_message_id()),
        kind=InboundKind.TEXT,
        at=before + LATER,
        text="new",
    )
    world.deps.recorder.record([(shop(world), event)], now=before + LATER)


class Breaking(Scripts):
    """Runs so many scripts, then the server is gone."""

    def __init__(self, client: redis.Redis, calls: int) -> None:
        super().__init__(client)
        self.left = calls

    def run_all(self, calls):
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailableError("away")
        return super().run_all(calls)


def files_of(client: redis.Redis) -> list[Path]:
    folder = Path(client.config_get("dir")["dir"])
    return [path for path in folder.rglob("*") if ".aof" in path.name and path.is_file()]


def any_in_files(client: redis.Redis) -> bool:
    return any(canary.encode() in path.read_bytes() for path in files_of(client) for canary in CANARIES)


def wait_for_rewrite(client: redis.Redis) -> None:
    info = {"aof_rewrite_in_progress": 1}
    while info["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"]:
        info = client.info("persistence")
