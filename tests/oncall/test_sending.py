"""From the alert to the cause, where messages do not leave as they should."""

import re
from datetime import timedelta

import pytest

from tests.engineer import Engineer

ANNA = "+393331234567"
SHOP = {"sender": "shop"}
PEOPLE = [f"+3933300000{number:02}" for number in range(12)]


@pytest.mark.parametrize(
    ("code", "status", "advice"),
    [(190, 401, "access token has expired"), (131031, 403, "locked")],
)
def test_a_sender_that_the_provider_stops(live, code, status, advice):
    live.writes(ANNA)
    live.provider_fails(1, kind="error", code=code, status=status)
    first = live.asks(ANNA)
    live.watch(3)
    second = live.asks(ANNA)
    live.watch(2)

    live.have_fired('FinestraSenderHalted{sender="shop"}')
    engineer = Engineer("FinestraSenderHalted", labels=SHOP, CODE=str(code))
    assert advice in engineer.looks()
    assert first in engineer.shown
    assert "delivered" not in (live.state(first), live.state(second))
    assert f"shop → deferred ({code})" in str(live.rows.shown), "what Flower shows of the message"

    engineer.does("finestra sender resume")
    live.watch(2)
    live.are_over('FinestraSenderHalted{sender="shop"}')
    assert (live.state(first), live.state(second)) == ("delivered", "delivered")


def test_a_sender_that_a_hand_stopped(live):
    live.desk.call("POST", "/v1/senders/shop/halt", json={"why": "being moved"})
    live.watch(3)

    live.have_fired('FinestraSenderHalted{sender="shop"}')
    shown = Engineer("FinestraSenderHalted", labels=SHOP, CODE=None, MESSAGE=None).looks()
    assert "being moved" in shown
    assert "sender.halt" in shown


def test_a_provider_that_is_away(live):
    live.writes(ANNA)
    live.is_provider_down = True
    asked = [live.asks(ANNA) for _ in range(6)]
    live.watch(8)

    live.have_fired('FinestraProviderAway{sender="shop"}')
    engineer = Engineer("FinestraProviderAway", labels=SHOP)
    shown = engineer.looks()
    assert "away" in shown
    assert "http_503" in shown
    assert "refused: http_503" in shown, "doctor asked the provider itself"

    live.is_provider_down = False
    live.watch(3)
    live.are_over('FinestraProviderAway{sender="shop"}')
    assert {live.state(message_id) for message_id in asked} == {"delivered"}


def test_a_provider_that_refuses_a_whole_import_at_once(live):
    for contact in PEOPLE:
        live.writes(contact)
    live.provider_fails(len(PEOPLE), kind="error", code=131026, status=400)
    asked = [live.asks(contact) for contact in PEOPLE]
    live.watch(8)

    live.have_fired('FinestraProviderRefuses{sender="shop"}')
    engineer = Engineer("FinestraProviderRefuses", labels=SHOP, CODE="131026")
    assert "no WhatsApp, an old app" in engineer.looks()
    assert any(f"failed {len(PEOPLE)} (131026)" in told for told in live.told), "what Flower shows of drains"

    said = engineer.does("finestra message retry", answer="y\n")
    live.watch(1)
    live.waits(14)
    assert f"done with {len(PEOPLE)} of {len(PEOPLE)}" in said
    live.are_over('FinestraProviderRefuses{sender="shop"}')
    assert {live.state(message_id) for message_id in asked} == {"delivered"}


def test_messages_of_which_nobody_knows_whether_they_left(live):
    live.writes(ANNA)
    live.writes(PEOPLE[0])
    live.provider("PUT", "settings", statuses=False)  # or a status would resolve the doubt
    live.provider_fails(2, kind="drop")
    asked = [live.asks(ANNA), live.asks(PEOPLE[0])]
    live.watch(3)
    live.waits(11)

    live.have_fired('FinestraMessagesInDoubt{state="unknown"}')
    engineer = Engineer("FinestraMessagesInDoubt", OUTCOME="delivered")
    shown = engineer.looks()
    assert all(message_id in shown for message_id in asked)
    assert "connection_lost" in shown

    live.provider("PUT", "settings", statuses=True)
    engineer.does("finestra message resolve")
    engineer.does("finestra message retry --state", answer="y\n")
    live.watch(2)
    live.are_over('FinestraMessagesInDoubt{state="unknown"}')
    assert {live.state(message_id) for message_id in asked} == {"delivered"}


def test_windows_that_the_provider_sees_closed(live):
    live.approves_template()
    for contact in PEOPLE[:6]:
        live.writes(contact)
        live.opts_in(contact)
    live.provider("PUT", "settings", window_seconds=1)
    template = {"name": "ordine_pronto", "language": "it", "variables": ["Anna", "991"]}
    asked = [live.asks(contact, text="È pronto.", template=template) for contact in PEOPLE[:6]]
    live.watch(2)

    live.have_fired('FinestraWindowDisagreement{sender="shop"}')
    shown = Engineer("FinestraWindowDisagreement", labels=SHOP, CODE="131047").looks()
    assert "131047" in shown
    assert "window" in shown
    assert {live.state(message_id) for message_id in asked} == {"delivered"}

    live.waits(61)
    live.are_over('FinestraWindowDisagreement{sender="shop"}')


def test_a_template_that_whatsapp_pauses(live):
    live.approves_template()
    live.opts_in(ANNA)
    decision = {"account": live.deps.sender("shop").account, "name": "ordine_pronto", "language": "it"}
    live.provider("POST", "templates/decide", **decision, status="PAUSED", reason="LOW_QUALITY")
    message_id = live.asks(
        ANNA, template={**{k: decision[k] for k in ("name", "language")}, "variables": ["Anna", "991"]}
    )
    live.watch(3)

    live.have_fired('FinestraTemplateStopped{sender="shop",status="paused"}')
    engineer = Engineer("FinestraTemplateStopped", labels=SHOP, NAME="ordine_pronto", LANGUAGE="it")
    shown = engineer.looks()
    assert "ordine_pronto/it" in shown
    assert message_id in shown

    live.provider("POST", "templates/decide", **decision, status="APPROVED")
    live.watch(2)
    live.are_over('FinestraTemplateStopped{sender="shop",status="paused"}')
    assert live.state(message_id) == "delivered"


def test_a_broker_that_is_away_so_that_no_worker_hears_its_bell(live, monkeypatch):
    live.writes(ANNA)
    message_id = live.asks(ANNA)
    monkeypatch.setenv("FINESTRA_BROKER_URL", "redis://127.0.0.1:1/0")
    live.has_broker = False
    live.watch(9)

    live.have_fired('FinestraQueueStuck{priority="normal",sender="shop"}')
    shown = Engineer("FinestraQueueStuck", labels=SHOP).looks()
    assert "not reachable" in shown
    assert message_id in shown

    live.has_broker = True
    live.watch(1)
    live.are_over('FinestraQueueStuck{priority="normal",sender="shop"}')
    assert live.state(message_id) == "delivered"


@pytest.mark.parametrize("live", ["messaging_limit_per_day = 10"], indirect=True)
def test_a_campaign_that_uses_up_the_day(live):
    live.approves_template()
    template = {"name": "ordine_pronto", "language": "it", "variables": ["Anna", "991"]}
    for contact in PEOPLE:
        live.opts_in(contact)
    asked = [live.asks(contact, template=template, reference="campaign") for contact in PEOPLE]
    live.watch(7)

    live.have_fired('FinestraDayNearlyFull{limit="messaging",sender="shop"}')
    engineer = Engineer("FinestraDayNearlyFull", labels=SHOP, APP="orders", REFERENCE="campaign")
    shown = engineer.looks()
    assert "10 of 10" in shown
    assert [live.state(message_id) for message_id in asked].count("deferred") == 2

    assert "done with 2 of 2" in engineer.does("finestra message cancel", answer="y\n")
    live.clock.advance(timedelta(days=1))
    live.watch(1)
    live.are_over('FinestraDayNearlyFull{limit="messaging",sender="shop"}')


def test_a_code_that_is_in_no_list(live):
    live.writes(ANNA)
    live.provider_fails(1, kind="error", code=99999, status=400)
    message_id = live.asks(ANNA)
    live.watch(2)

    alert = 'FinestraUnforeseen{kind="unlisted_code",sender="shop"}'
    live.have_fired(alert)
    engineer = Engineer("FinestraUnforeseen", labels=SHOP)
    shown = engineer.looks()
    assert message_id in shown
    assert "99999" in shown
    assert [line["code"] for line in live.log if line["event"] == "unlisted_error_code"] == ["99999"]

    live.waits(16)
    live.are_over(alert)


def test_a_message_that_broke_us_three_times(live):
    live.writes(ANNA)
    message_id = live.asks(ANNA)
    live.client.hset(f"message:{{default}}:{message_id}", "claims", 3)
    live.watch(2)

    alert = 'FinestraUnforeseen{kind="internal_error",sender="shop"}'
    live.have_fired(alert)
    engineer = Engineer("FinestraUnforeseen", labels=SHOP)
    assert "a bug of ours" in engineer.looks()
    assert message_id in engineer.shown

    assert "done with 1 of 1" in engineer.does("finestra message retry", answer="y\n")
    live.watch(1)
    assert live.state(message_id) == "delivered"
    live.waits(16)
    live.are_over(alert)


@pytest.mark.parametrize("live", ["throughput_per_second = 1"], indirect=True)
def test_more_than_the_rate_lets_go(live):
    for contact in PEOPLE:
        live.writes(contact)
    asked = [live.asks(contact) for contact in PEOPLE]
    live.watch(9)

    live.have_fired('FinestraQueueStuck{priority="normal",sender="shop"}')
    engineer = Engineer("FinestraQueueStuck", labels=SHOP)
    assert re.search(r"│ shop .*│ 100% of 1\.0/s │", engineer.looks())
    assert "not reachable" not in engineer.shown, "it is not the broker"
    assert all(told == "shop → submitted 1" for told in live.told if told.startswith("shop"))
    assert "delivered" in {live.state(message_id) for message_id in asked}, "it goes on, only slowly"
