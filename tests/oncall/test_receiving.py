"""From the alert to the cause, where what providers and apps send is not taken, or apps do not take it."""

from datetime import timedelta

import pytest
import requests

from tests.engineer import Engineer
from tests.integration.test_receiver import meta_body, sign, text
from workers.submissions import Handed, Submissions

ANNA = "+393331234567"
SHOP = {"sender": "shop"}


def lines(live, event):
    """What the log says of an event, as on-call searches for it."""
    return [line for line in live.log if line["event"] == event]


def test_a_provider_that_signs_with_another_secret(live):
    live.provider_has(app_secret="a new one")
    live.watch(11, lambda: [live.writes(ANNA) for _ in range(10)])

    live.have_fired('FinestraWebhooksRefused{outcome="refused",sender="shop"}')
    shown = Engineer("FinestraWebhooksRefused", labels=SHOP).looks()
    assert "0 recorded, 110 refused" in shown
    assert {(line["sender"], line["why"]) for line in lines(live, "webhook_refused")} == {
        ("shop", "signature")
    }

    live.provider_has()  # the new one is put beside the old one, here and there
    assert live.writes(ANNA) == 200
    live.watch(6)
    live.are_over('FinestraWebhooksRefused{outcome="refused",sender="shop"}')


def test_a_token_in_the_address_that_is_not_ours(live):
    wrong = f"{live.receiver_url}/webhooks/negozio/an-old-token"
    live.watch(10, lambda: requests.post(wrong, json={}, timeout=5))

    live.have_fired('FinestraWebhooksRefused{outcome="refused",sender="negozio"}')
    shown = Engineer("FinestraWebhooksRefused", labels={"sender": "negozio"}).looks()
    assert "0 recorded, 10 refused" in shown
    assert {(line["sender"], line["why"]) for line in lines(live, "webhook_refused")} == {
        ("negozio", "token")
    }


def test_statuses_that_are_refused_while_nobody_else_writes(live):
    live.writes(ANNA)
    live.provider_has(app_secret="a new one")
    message_id = live.asks(ANNA)
    live.watch(1)
    live.waits(60)
    live.watch(12)

    live.have_fired('FinestraNothingHeard{sender="shop"}')
    shown = Engineer("FinestraNothingHeard", labels=SHOP).looks()
    assert message_id in shown
    assert "1 recorded, 2 refused" in shown
    assert {line["why"] for line in lines(live, "webhook_refused")} == {"signature"}

    live.provider_has()
    (asked,) = live.sandbox.recorded(None)
    late = {"id": asked.provider_message_id, "status": "delivered", "recipient_id": ANNA[1:]}
    late |= {
        "timestamp": str(int(live.clock.now().timestamp())),
        "biz_opaque_callback_data": asked.sketch.reference,
    }
    post(live, meta_body(statuses=[late]))
    live.watch(1)
    live.are_over('FinestraNothingHeard{sender="shop"}')
    assert live.state(message_id) == "delivered"


def test_updates_for_a_number_that_we_do_not_have(live):
    at = str(int(live.clock.now().timestamp()))
    assert post(live, meta_body(text(timestamp=at), pnid="999999999999999")) == 200
    live.watch(2)

    live.have_fired('FinestraQuarantineGrows{sender="shop"}')
    engineer = Engineer("FinestraQuarantineGrows", labels=SHOP)
    shown = engineer.looks()
    assert "unknown_number" in shown
    assert "999999999999999" in shown

    assert "is deleted: unknown_number" in engineer.does("finestra quarantine delete")
    live.waits(16)
    live.are_over('FinestraQuarantineGrows{sender="shop"}')


def test_a_webhook_that_is_no_json(live):
    assert post(live, b"<html>") == 200
    live.watch(2)

    live.have_fired('FinestraQuarantineGrows{sender="shop"}')
    shown = Engineer("FinestraQuarantineGrows", labels=SHOP).looks()
    assert "not_json" in shown
    assert "<html>" in shown


def test_a_provider_that_lives_in_the_future(live):
    ahead = (live.clock.now() + timedelta(hours=1)).timestamp()
    for _ in range(11):
        live.writes(ANNA, at=ahead)
    live.watch(2)

    live.have_fired('FinestraClockFault{sender="shop"}')
    shown = Engineer("FinestraClockFault", labels=SHOP).looks()
    assert "agrees with Redis's" in shown
    assert "agrees with Meta's" in shown
    live.waits(16)
    live.are_over('FinestraClockFault{sender="shop"}')


def test_an_app_that_takes_nothing_for_three_days(live):
    live.app_status = 503
    live.writes(ANNA)
    live.watch(1)
    live.clock.advance(timedelta(days=3))
    live.watch(3)

    live.have_fired('FinestraCallbacksParked{app="orders"}')
    engineer = Engineer("FinestraCallbacksParked", labels={"app": "orders"})
    shown = engineer.looks()
    assert "status_503" in shown
    assert "inbound.received" in shown
    assert {line["reason"] for line in lines(live, "callback_not_taken")} == {"status_503"}

    live.app_status = 204
    assert "orders: 2 events are pushed again" in engineer.does("finestra callbacks retry")
    live.watch(1)
    live.are_over('FinestraCallbacksParked{app="orders"}')


@pytest.mark.parametrize(
    ("reason", "handed", "mend"),
    [
        ("unknown_app", {"app": "nobody", "request": {}}, "there is no such app"),
        (
            "invalid_request",
            {"app": "orders", "request": {"to": ANNA, "sender": "shop", "txt": "ciao"}},
            "txt",
        ),
    ],
)
def test_submissions_that_the_celery_door_refuses(live, reason, handed, mend):
    Submissions(live.deps).take(Handed(task_id="task-1", arguments=(), named=handed))
    live.watch(2)

    alert = f'FinestraSubmissionsRefused{{reason="{reason}"}}'
    live.have_fired(alert)
    engineer = Engineer("FinestraSubmissionsRefused", labels={"reason": reason})
    assert mend in engineer.looks()

    assert f"is deleted: {reason}" in engineer.does("finestra submissions delete")
    live.waits(16)
    live.are_over(alert)


def post(live, body: bytes) -> int:
    signed = sign(body, live.development.secret("shop_app_secret"))
    return requests.post(
        f"{live.receiver_url}/webhooks/shop", data=body, headers=signed, timeout=5
    ).status_code
