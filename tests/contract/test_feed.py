"""What apps are told: what happened, in the order of recording, with the text of the inbound alone."""

from dataclasses import replace
from datetime import timedelta

from shared.configuration import Configuration
from shared.domain.consent import Category, ConsentStatus
from shared.domain.content import Media
from shared.domain.events import (
    AccountChanged,
    PreferenceChanged,
    TemplateQualityChanged,
    UpdateNoted,
    UpdateSetAside,
)
from shared.domain.identifiers import MessageId
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.domain.session_content import Text
from shared.domain.window import InboundKind
from shared.store.callbacks import Callbacks, PushOutcome, first_place
from shared.store.claims import Outcome, Settle
from shared.store.feed import START, Event, Feed
from tests.builders import (
    ANNA,
    DAY,
    NOW,
    Stores,
    app,
    cm_sender,
    meta_sender,
    opt_in,
    status,
    template,
    wrote,
)

SENDER = meta_sender()
SECOND = timedelta(seconds=1)
CONFIGURATION = Configuration(senders={"shop": meta_sender(), "negozio": cm_sender()})


def told(stores: Stores, after: str = START) -> list[Event]:
    feed = Feed(stores.client)
    return feed.render("default", feed.entries("default", after=after, most=100))


def types(stores: Stores) -> list[str]:
    return [event.type for event in told(stores)]


class TestFeed:
    def test_a_record_that_cannot_be_read_keeps_nobody_from_the_rest(self, stores):
        spoilt = stores.accept().message_id
        stores.accept()
        stores.client.hset(f"message:{{default}}:{spoilt}", "request", "{")

        assert types(stores) == ["message.accepted"]

    def test_a_first_message_is_told_with_its_text_and_its_window(self, stores):
        stores.recorder.record([(SENDER, wrote(text="Buongiorno"))], now=NOW)

        received, opened = told(stores)
        assert (received.type, opened.type) == ("inbound.received", "window.opened")
        assert received.data["text"] == "Buongiorno"
        assert received.data["contact"] == ANNA.value
        assert opened.data["expires_at"] == "2086-11-23T12:00:00.000Z"

    def test_a_second_message_in_the_window_opens_nothing(self, stores):
        for _ in range(2):
            stores.recorder.record([(SENDER, wrote())], now=NOW)

        assert types(stores) == ["inbound.received", "window.opened", "inbound.received"]

    def test_a_duplicate_is_told_once(self, stores):
        for _ in range(2):
            stores.recorder.record([(SENDER, wrote(event_id="wamid.1"))], now=NOW)

        assert types(stores).count("inbound.received") == 1

    def test_what_was_sent_is_told_as_it_came(self, stores):
        photo = replace(wrote(), kind=InboundKind.IMAGE, text=None, content=Media(media_id="7001"))
        stores.recorder.record([(SENDER, photo)], now=NOW)

        assert told(stores)[0].data["content"] == {"media_id": "7001"}

    def test_a_message_is_told_step_by_step_and_never_its_text(self, stores):
        stores.accept(content=Text("SEGRETO"), reference="order-991")
        (claim,) = stores.lanes.claim(SENDER, 1, now=NOW)
        refused = Settle(claim=claim, outcome=Outcome.REFUSED, reason="window_closed")
        stores.lanes.step([refused], [], now=NOW)

        accepted, last = told(stores)
        assert (accepted.type, last.type) == ("message.accepted", "message.refused")
        assert (last.data["reference"], last.data["reason"]) == ("order-991", "window_closed")
        assert "SEGRETO" not in str(accepted) + str(last)

    def test_a_keyword_changes_consent_once(self, stores):
        for text in ("stop", "stop"):
            stores.recorder.record([(SENDER, wrote(NOW, text=text, event_id=f"wamid.{text}"))], now=NOW)

        (changed,) = [event for event in told(stores) if event.type == "consent.changed"]
        assert changed.data["status"] == "opted_out"
        assert changed.data["categories"] == ["utility", "marketing", "authentication"]

    def test_a_window_is_told_before_it_closes_and_when_it_has(self, stores):
        stores.recorder.record([(SENDER, wrote())], now=NOW)
        for at in (
            NOW + DAY - timedelta(hours=2),
            NOW + DAY - timedelta(minutes=59),
            NOW + DAY,
            NOW + 2 * DAY,
        ):
            stores.client.delete("ticker:{default}")
            stores.lanes.sweep("default", now=at)

        assert types(stores)[2:] == ["window.expiring", "window.closed"]

    def test_a_window_that_was_refreshed_is_not_about_to_close(self, stores):
        stores.recorder.record([(SENDER, wrote())], now=NOW)
        stores.recorder.record([(SENDER, wrote(NOW + timedelta(hours=22)))], now=NOW + timedelta(hours=22))
        stores.lanes.sweep("default", now=NOW + timedelta(hours=23, minutes=30))

        assert "window.expiring" not in types(stores)

    def test_news_of_a_sender_and_of_a_template_are_told(self, stores):
        stores.templates.create("default", template(), nonce="n")
        quality = TemplateQualityChanged(
            account=SENDER.account, name="ordine_pronto", language="it", quality="red", at=NOW
        )
        banned = AccountChanged(
            account=SENDER.account, topic="account_update", event="disabled_update", at=NOW
        )
        stores.recorder.record([(SENDER, quality), (SENDER, banned)], now=NOW)

        _, changed, news = told(stores)
        assert (changed.type, changed.data["quality"]) == ("template.changed", "red")
        assert (news.type, news.data["event"]) == ("sender.changed", "disabled_update")

    def test_halting_and_resuming_are_told(self, stores):
        stores.senders.halt(SENDER, "why", now=NOW)
        stores.senders.resume(SENDER, now=NOW)

        assert types(stores) == ["sender.halted", "sender.resumed"]

    def test_what_was_erased_is_not_told(self, stores):
        stores.recorder.record([(SENDER, wrote(event_id="wamid.1"))], now=NOW)
        stores.client.delete("inbound:{default}:shop:wamid.1")

        assert "inbound.received" not in types(stores)


class TestWhoMayRead:
    def test_an_app_reads_its_own_messages_and_an_admin_all(self, stores):
        stores.accept()
        (event,) = told(stores)

        assert event.is_for(app("orders"), CONFIGURATION)
        assert not event.is_for(app("support"), CONFIGURATION)
        assert event.is_for(app("desk", ("admin",)), CONFIGURATION)

    def test_an_app_reads_what_concerns_a_sender_that_it_may_use(self, stores):
        stores.recorder.record([(SENDER, wrote())], now=NOW)
        event = told(stores)[0]

        assert event.is_for(app("orders", senders=("shop",)), CONFIGURATION)
        assert not event.is_for(app("orders", senders=("negozio",)), CONFIGURATION)

    def test_a_template_is_for_whoever_may_use_a_sender_of_its_account(self, stores):
        stores.templates.create("default", template(), nonce="n")
        (event,) = told(stores)

        assert event.is_for(app("orders", senders=("shop",)), CONFIGURATION)
        assert not event.is_for(app("orders", senders=("negozio",)), CONFIGURATION)


class TestPreference:
    def told_whatsapp(self, stores, status, at=NOW):
        event = PreferenceChanged(
            recipient="1", contact=ANNA, category=Category.MARKETING, status=status, at=at
        )
        stores.recorder.record([(SENDER, event)], now=NOW)

    def consent(self, stores):
        return stores.contacts.get(SENDER, ANNA).consent

    def test_a_stop_told_to_whatsapp_opts_out_of_marketing_only(self, stores):
        stores.contacts.set_consent(SENDER, ANNA, opt_in(), list(Category), now=NOW)
        self.told_whatsapp(stores, ConsentStatus.OPTED_OUT)

        assert not self.consent(stores).is_opted_in(Category.MARKETING)
        assert self.consent(stores).is_opted_in(Category.UTILITY)

    def test_resuming_lifts_only_that_stop(self, stores):
        stores.contacts.set_consent(SENDER, ANNA, opt_in(), list(Category), now=NOW)
        self.told_whatsapp(stores, ConsentStatus.OPTED_OUT, NOW - SECOND)
        self.told_whatsapp(stores, ConsentStatus.OPTED_IN)

        assert self.consent(stores).is_opted_in(Category.MARKETING)

    def test_resuming_is_no_opt_in(self, stores):
        self.told_whatsapp(stores, ConsentStatus.OPTED_IN)

        assert not self.consent(stores).is_opted_in(Category.MARKETING)

    def test_a_report_that_the_contact_wants_no_marketing_is_such_a_stop(self, stores):
        stores.contacts.set_consent(SENDER, ANNA, opt_in(NOW - DAY), list(Category), now=NOW)
        sent = stores.accept()
        report = status(sent.message_id, MessageState.FAILED, error_class=ErrorClass.PERMANENT)
        stores.recorder.record([(SENDER, replace(report, unwanted=Category.MARKETING))], now=NOW)

        assert not self.consent(stores).is_opted_in(Category.MARKETING)
        assert self.consent(stores).is_opted_in(Category.UTILITY)

    def test_of_one_second_the_stop_stands_in_either_order(self, stores):
        stores.contacts.set_consent(SENDER, ANNA, opt_in(), list(Category), now=NOW)
        self.told_whatsapp(stores, ConsentStatus.OPTED_OUT)
        self.told_whatsapp(stores, ConsentStatus.OPTED_IN)
        self.told_whatsapp(stores, ConsentStatus.OPTED_OUT)

        assert not self.consent(stores).is_opted_in(Category.MARKETING)


class TestCallbacks:
    def begin(self, stores, *texts):
        callbacks, feed = Callbacks(stores.client, stores.scripts, retention=30 * DAY), Feed(stores.client)
        for index, text in enumerate(texts):
            stores.recorder.record([(SENDER, wrote(NOW, text=text, event_id=f"wamid.{index}"))], now=NOW)
        entries = [e for e in feed.entries("default", after=START, most=100) if e.type == "inbound.received"]
        lanes = [(ANNA.value, entry) for entry in entries]
        read_to = feed.last_id("default")
        assert callbacks.spread("default", "orders", lanes, read_from=None, read_to=read_to, now=NOW)
        return callbacks

    def claim(self, callbacks, now=NOW):
        return callbacks.claim("default", "orders", 10, now=now)

    def test_events_of_one_contact_go_one_after_the_other(self, stores):
        callbacks = self.begin(stores, "uno", "due")
        (first,) = self.claim(callbacks)
        assert self.claim(callbacks) == []

        callbacks.settle(first, PushOutcome.TAKEN, now=NOW)
        (second,) = self.claim(callbacks)
        assert first.entry.id < second.entry.id

    def test_one_that_was_not_taken_keeps_its_place_and_its_id(self, stores):
        callbacks = self.begin(stores, "uno", "due")
        (first,) = self.claim(callbacks)
        later = NOW + 5 * SECOND
        callbacks.settle(
            first, PushOutcome.AGAIN, now=NOW, again_at=later, reason="timeout", paused_until=NOW
        )
        assert self.claim(callbacks) == []

        (again,) = self.claim(callbacks, later)
        assert (again.entry, again.tries) == (first.entry, 1)

    def test_failures_in_a_row_say_since_when_until_one_is_taken(self, stores):
        callbacks = self.begin(stores, "uno")
        for tries in range(2):
            now = NOW + tries * SECOND
            (item,) = self.claim(callbacks, now)
            callbacks.settle(
                item, PushOutcome.AGAIN, now=now, again_at=now, reason="timeout", paused_until=NOW
            )
        failing = callbacks.state("default", "orders")
        (item,) = self.claim(callbacks, NOW + SECOND)
        callbacks.settle(item, PushOutcome.TAKEN, now=NOW + SECOND)

        assert (failing.failures_in_a_row, failing.failing_since) == (2, NOW)
        assert callbacks.state("default", "orders").failing_since is None

    def test_one_that_nobody_settled_is_pushed_again(self, stores):
        callbacks = self.begin(stores, "uno")
        (first,) = self.claim(callbacks)

        (again,) = self.claim(callbacks, NOW + 21 * SECOND)
        assert again.entry == first.entry

    def test_settling_twice_takes_one(self, stores):
        callbacks = self.begin(stores, "uno", "due")
        (first,) = self.claim(callbacks)

        assert callbacks.settle(first, PushOutcome.TAKEN, now=NOW)
        assert not callbacks.settle(first, PushOutcome.TAKEN, now=NOW)
        assert len(self.claim(callbacks)) == 1

    def test_what_is_parked_is_listed_and_comes_back_when_asked_for(self, stores):
        callbacks = self.begin(stores, "uno")
        (item,) = self.claim(callbacks)
        callbacks.settle(item, PushOutcome.PARKED, now=NOW, reason="status_410", paused_until=NOW)
        (parked,) = callbacks.parked("default", "orders", most=10)
        assert (parked.reason, parked.entry) == ("status_410", item.entry)
        assert callbacks.state("default", "orders").parked_since == NOW
        assert self.claim(callbacks) == []

        assert callbacks.retry("default", "orders", most=10, now=NOW) == 1
        assert [one.entry for one in self.claim(callbacks)] == [item.entry]
        assert callbacks.parked("default", "orders", most=10) == []

    def test_the_same_entries_are_handed_out_once(self, stores):
        callbacks = self.begin(stores, "uno")
        place = callbacks.place("default", "orders")

        assert not callbacks.spread("default", "orders", [], read_from=None, read_to="9-9", now=NOW)
        assert callbacks.place("default", "orders") == place

    def test_an_app_that_is_away_is_left_alone_and_then_asked_for_one(self, stores):
        callbacks = self.begin(stores, "uno")
        others = [(f"+39333000000{n}", self.claim(callbacks)[0].entry) for n in range(1)]
        (contact, entry), place = others[0], callbacks.place("default", "orders")
        lanes = [(f"{contact}{n}", entry) for n in range(5)]
        callbacks.spread("default", "orders", lanes, read_from=place, read_to="9-9", now=NOW)
        for item in self.claim(callbacks)[:3]:
            until = NOW + 2 * SECOND
            callbacks.settle(
                item, PushOutcome.AGAIN, now=NOW, again_at=NOW, reason="timeout", paused_until=until
            )

        assert self.claim(callbacks, NOW + SECOND) == []
        assert len(self.claim(callbacks, NOW + 3 * SECOND)) == 1

    def test_a_bell_is_rung_once_until_somebody_is_done(self, stores):
        callbacks = self.begin(stores, "uno")
        assert callbacks.due("default", ["orders"], now=NOW) == ["orders"]
        assert callbacks.due("default", ["orders"], now=NOW) == []
        callbacks.done("default", "orders")
        assert callbacks.due("default", ["orders"], now=NOW) == ["orders"]

    def test_nobody_is_rung_for_without_anything_to_tell(self, stores):
        callbacks = self.begin(stores, "uno")
        (item,) = self.claim(callbacks)
        callbacks.settle(item, PushOutcome.TAKEN, now=NOW)

        assert callbacks.due("default", ["orders"], now=NOW) == []

    def test_an_app_begins_an_hour_back(self):
        assert first_place("7200000-5") == "3600000-0"
        assert first_place(START) == START


class TestCounters:
    def counters(self, stores):
        return stores.client.hgetall("counters:{default}")

    def test_messages_are_counted_by_kind_and_duplicates_apart(self, stores):
        for _ in range(2):
            stores.recorder.record([(SENDER, wrote(event_id="wamid.1"))], now=NOW)

        assert self.counters(stores) == {
            "inbound_messages_total:shop:text": "1",
            "inbound_duplicates_total:shop": "1",
        }

    def test_a_time_in_the_future_counts_as_now_and_as_a_fault_of_a_clock(self, stores):
        stores.recorder.record([(SENDER, wrote(NOW + timedelta(minutes=5)))], now=NOW)

        assert self.counters(stores)["clock_faults_total:shop"] == "1"
        assert stores.contacts.get(SENDER, ANNA).window.last_inbound_at == NOW

    def test_an_update_that_changes_nothing_is_counted_by_what_it_is(self, stores):
        stores.recorder.record([(SENDER, UpdateNoted(kind="group_message"))], now=NOW)

        assert self.counters(stores) == {"updates_noted_total:shop:group_message": "1"}

    def test_a_status_of_nobodys_message_is_counted(self, stores):
        unknown = status(MessageId("msg_01JD0000000000000000000000"), MessageState.DELIVERED)
        stores.recorder.record([(SENDER, unknown), (SENDER, replace(unknown, reference=None))], now=NOW)

        assert self.counters(stores) == {"statuses_unmatched_total:shop": "2"}

    def test_what_could_not_be_read_is_counted_by_reason(self, stores):
        stores.recorder.record([(SENDER, UpdateSetAside(reason="no_id", raw="{}"))], now=NOW)

        assert self.counters(stores) == {"quarantined_total:shop:no_id": "1"}
