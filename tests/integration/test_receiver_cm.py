"""CM.com at the public door: what comes twice is one thing, and what is bad costs only itself."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import redis
import structlog

from shared.domain.message import MessageState
from shared.domain.session_content import Text
from tests.builders import ANNA, NOW, World, cm_sender
from tests.play import accept, drain
from tests.public_door import cm_body
from webhook.app import create_receiver

HOOK = "/webhooks/negozio/cm-hook-token"


@pytest.fixture
def world(real_redis: redis.Redis) -> World:
    return World(real_redis)


@pytest.fixture
def app(world: World):
    return create_receiver(world.deps)


def report(reference: str, code: str = "2") -> dict:
    status = {"code": code, "errorCode": "", "errorDescription": ""}
    return {
        "received": NOW.strftime("%Y-%m-%dT%H:%M:%S"),
        "to": "00393331234567",
        "reference": reference,
        "status": status,
        "operator": "",
    }


def post(app, *bodies: dict, at_once: int = 1) -> Counter[str]:
    """How many updates of these bodies were recorded, duplicates, set aside, …; each POST is answered 200."""
    with structlog.testing.capture_logs() as logs, ThreadPoolExecutor(at_once) as senders:
        answers = list(senders.map(lambda body: app.test_client().post(HOOK, json=body), bodies))
    assert {answer.status_code for answer in answers} == {200}
    return sum((Counter(line["updates"]) for line in logs if "updates" in line), Counter())


def test_fifty_equal_posts_at_once_have_one_effect(app, world):
    words = post(app, *[cm_body()] * 50, at_once=50)

    assert words == {"recorded": 1, "duplicate": 49}
    contact = world.deps.contacts.get(cm_sender(), ANNA)
    assert contact.window.is_open(NOW)
    assert len(contact.inbound) == 1


def test_the_last_retry_of_a_month_is_a_duplicate(app, world):
    post(app, cm_body())

    world.clock.advance(timedelta(days=30))

    assert post(app, cm_body()) == {"duplicate": 1}


def test_the_mark_outlives_a_month_of_retries(app, world):
    post(app, cm_body())

    (mark,) = world.client.scan_iter("seen:*")
    assert timedelta(milliseconds=world.client.pttl(mark)) > timedelta(days=31)


@pytest.mark.parametrize("number", ["00393331234567", "393331234567", "+39 333 123 4567"])
def test_a_number_spelled_another_way_is_the_same_message(app, number):
    spelled = cm_body(**{"from": {"number": number, "name": "Anna"}, "to": {"number": "00390212345678"}})

    assert post(app, cm_body(), spelled) == {"recorded": 1, "duplicate": 1}


def test_equal_words_a_second_later_are_another_message(app):
    later = cm_body(timeUtc=(NOW + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S"))

    assert post(app, cm_body(), later) == {"recorded": 2}


def test_a_bad_report_between_two_good_ones_costs_neither(app, world):
    post(app, cm_body())
    sent = [accept(world, sender="negozio", content=Text(text)) for text in ("one", "two")]
    drain(world, "negozio")
    first, second = (str(outgoing.reference) for outgoing in world.providers["negozio"].sent)

    words = post(app, {"messages": {"msg": [report(first), "odd", report(second)]}})

    states = {world.deps.messages.get("default", message_id).state for message_id in sent}
    assert states == {MessageState.DELIVERED}
    assert words["set_aside"] == 1


def test_a_keyword_under_a_picture_is_no_opt_out(app, world):
    picture = {
        "text": "STOP",
        "media": {
            "mediaUri": "https://cdn-1.messaging.cm.com/fileproxy/files/00ff",
            "contentType": "image/png",
        },
    }

    post(app, cm_body(message=picture))

    assert world.deps.contacts.get(cm_sender(), ANNA).consent.records == {}


def test_xml_is_kept_and_answered_200(app, world):
    with structlog.testing.capture_logs() as logs:
        answer = app.test_client().post(HOOK, data=b"<MESSAGES><MSG/></MESSAGES>", content_type="text/xml")

    assert answer.status_code == 200
    assert [line["updates"] for line in logs if "updates" in line] == [{"set_aside": 1}]
