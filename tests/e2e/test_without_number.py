"""Contacts whose number is hidden, or not the one that people dial, through the real processes."""

import pytest

from tests.e2e.test_story import approve
from tests.stage import NUMBERS

HIDDEN = "NL.90011223344"
USER, NUMBER = "NL.55566677788", "+31612345678"
WRITTEN, DIALLED = "+551187654321", "+5511987654321"
#: No rule of ours leads from the one to the other: only the provider's answer does.
ASKED, KNOWN_AS = "+6281234567890", "+628123456789"


@pytest.fixture(scope="module")
def live(shared_stage):
    return shared_stage("receiver", "api", "worker", "sandbox")


def writes(live, **names):
    script = {**names, "to": NUMBERS["shop"], "text": "Buongiorno"}
    assert live.sandbox("POST", "inbound", **script)["webhook_status"] == 200


def contact(live, name):
    return live.app.call("GET", f"/v1/contacts/{name}?sender=shop")


def deliver(live, to, **content):
    """The message once it has arrived; a text, unless something else is given."""
    asked = {"to": to, "sender": "shop", **(content or {"text": "È pronto."})}
    message_id = live.app.call("POST", "/v1/messages", json=asked)["id"]
    live.until(lambda: live.message(message_id)["state"] == "delivered", "delivery", 10)
    return live.message(message_id)


def requests_for(live, *messages):
    """What the provider was given: it takes a number in `to`, an id in `recipient`, and nothing else."""
    ids = {message["id"].removeprefix("msg_") for message in messages}
    mine = [request for request in live.requests() if request["reference"][:26] in ids]
    return [(request["kind"], request["to"], request["outcome"]) for request in mine]


def test_a_contact_who_shows_no_number_is_answered_under_the_user_id(live):
    writes(live, user_id=HIDDEN)
    seen = contact(live, HIDDEN)
    asked = {"to": HIDDEN, "sender": "shop", "text": "È pronto."}
    body = live.app.call("POST", "/v1/messages?dry_run=true", json=asked)["request"]["json"]

    message = deliver(live, HIDDEN)

    assert seen["window"]["open"] is True
    assert seen["identities"] == {"phone_number": None, "whatsapp_number": None, "user_id": HIDDEN}
    assert (body["recipient"], body.get("to")) == (HIDDEN, None)
    assert (message["to"], message["route"]["kind"]) == (HIDDEN, "session")
    assert requests_for(live, message) == [("session", HIDDEN, "accepted")]


def test_number_and_user_id_are_one_contact_once_a_webhook_shows_both(live):
    writes(live, user_id=USER)
    earlier = contact(live, USER)
    was_open = contact(live, NUMBER)["window"]["open"]

    writes(live, **{"from": NUMBER, "user_id": USER})
    by_user, by_number = contact(live, USER), contact(live, NUMBER)
    message = deliver(live, NUMBER)

    assert not was_open
    assert by_user == by_number
    assert by_number["identities"] == {"phone_number": NUMBER, "whatsapp_number": NUMBER, "user_id": USER}
    assert by_number["window"]["open"] is True
    # Both may carry the same second, and then nobody can say which came first.
    assert len(by_number["latest"]) == 2
    assert earlier["latest"][0] in by_number["latest"]
    assert message["route"]["kind"] == "session"
    assert requests_for(live, message) == [("session", NUMBER, "accepted")]


def test_a_brazilian_is_answered_under_the_number_that_wrote(live):
    writes(live, **{"from": WRITTEN})

    message = deliver(live, DIALLED)

    assert message["route"]["kind"] == "session"
    assert requests_for(live, message) == [("session", WRITTEN, "accepted")]
    assert contact(live, DIALLED) == contact(live, WRITTEN)


def test_the_number_that_the_provider_answered_with_is_sent_to_from_then_on(live):
    approve(live)
    live.sandbox("PUT", "settings", wa_ids={ASKED: KNOWN_AS})
    consent = {"status": "opted_in", "source": "test"}
    live.app.call("PUT", f"/v1/contacts/{ASKED}/consent?sender=shop", json=consent)
    template = {"name": "ordine_pronto", "language": "it", "variables": ["Anna", "991"]}

    messages = [deliver(live, ASKED, template=template) for _ in range(2)]
    writes(live, **{"from": KNOWN_AS})
    messages.append(deliver(live, ASKED))

    assert requests_for(live, *messages) == [
        ("template", ASKED, "accepted"),
        ("template", KNOWN_AS, "accepted"),
        ("session", KNOWN_AS, "accepted"),
    ]
    assert contact(live, KNOWN_AS) == contact(live, ASKED)


def test_whoever_is_known_by_two_names_is_erased_by_one_and_the_opt_out_stands_again(live):
    """By the secret key that `up` made."""
    user, number = "NL.99988877766", "+31687654321"
    writes(live, **{"from": number, "user_id": user})
    deliver(live, number)
    live.app.call("PUT", f"/v1/contacts/{user}/consent?sender=shop", json={"status": "opted_out"})

    answer = live.desk.call("DELETE", f"/v1/contacts/{user}?sender=shop")

    assert answer["opt_out_kept"] is True
    assert {"messages": 1, "inbound": 1}.items() <= answer["erased"].items()
    with live.redis() as client:
        stored = [key for key in client.scan_iter(count=1_000) if number[1:] in key or user in key]
    assert stored == []
    assert [contact(live, name)["latest"] for name in (number, user)] == [[], []]
    writes(live, user_id=user)
    assert contact(live, user)["consent"]["categories"]["utility"]["source"] == "erased_opt_out"
