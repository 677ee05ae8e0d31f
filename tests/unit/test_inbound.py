"""What a contact's message does: opens the window or not, and is a consent keyword or not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.consent import Category, ConsentRecord, ConsentStatus
from shared.domain.content import Reply
from shared.domain.inbound import Inbound, understand
from shared.domain.window import InboundKind, WindowPolicy
from tests.builders import NOW, wrote

SECOND = timedelta(seconds=1)


def understood(text="ciao", received_at=NOW, **changes) -> Inbound:
    event = replace(wrote(text=text, event_id="wamid.1"), **changes)
    return understand(event, received_at=received_at, policy=WindowPolicy(), languages=("it", "en"))


def test_an_ordinary_message_opens_the_window_and_says_nothing_of_consent():
    inbound = understood()

    assert inbound.opens_window
    assert inbound.consent is None
    assert inbound.at == NOW


@pytest.mark.parametrize(
    ("kind", "opens"),
    [
        (InboundKind.BUTTON, True),
        (InboundKind.UNKNOWN, True),
        (InboundKind.REACTION, False),
        (InboundKind.SYSTEM, False),
        (InboundKind.EDIT, False),
        (InboundKind.REVOKE, False),
    ],
)
def test_whether_it_opens_the_window_is_the_policys_word(kind, opens):
    assert understood(kind=kind).opens_window is opens


def test_the_policy_is_the_one_that_was_given():
    silent = WindowPolicy(unsupported_opens=False)
    event = replace(wrote(), kind=InboundKind.UNKNOWN)

    assert not understand(event, received_at=NOW, policy=silent, languages=()).opens_window


def test_a_late_event_keeps_its_own_time():
    assert understood(received_at=NOW + 5 * 3600 * SECOND).at == NOW


def test_an_event_of_the_future_counts_from_now():
    inbound = understood(text="stop", received_at=NOW - SECOND)

    assert inbound.at == NOW - SECOND
    assert inbound.consent.at == NOW - SECOND


def test_a_keyword_is_a_record_with_the_message_as_its_evidence():
    assert understood(text=" STOP! ").consent == ConsentRecord(
        status=ConsentStatus.OPTED_OUT, at=NOW, source="keyword", evidence="wamid.1"
    )


@pytest.mark.parametrize(
    ("text", "payload", "status"),
    [
        (None, "STOP", ConsentStatus.OPTED_OUT),
        ("Non scrivetemi più", "stop", ConsentStatus.OPTED_OUT),
        ("Iscrivimi", "start-button", ConsentStatus.OPTED_IN),
    ],
)
def test_a_button_named_for_it_is_a_keyword_by_its_payload(text, payload, status):
    inbound = understood(text=text, payload=payload, kind=InboundKind.BUTTON)

    assert inbound.consent.status is status


def test_a_button_may_stop_marketing_only_whatever_it_shows():
    inbound = understood(text="Stop", payload="STOP_PROMO", kind=InboundKind.BUTTON)

    assert inbound.keyword.categories == (Category.MARKETING,)


@pytest.mark.parametrize("type_", ["list_reply", "nfm_reply"])
def test_a_row_or_a_form_is_no_button(type_):
    content = Reply(type=type_)

    assert understood(text="Via Roma", payload="stop-1", content=content).consent is None
    assert understood(text="Via Roma", payload="STOP", content=content).consent is not None


@pytest.mark.parametrize("text", ["STOP 12345", "", None, "perché non ti fermi?"])
def test_a_sentence_is_no_keyword(text):
    assert understood(text=text).consent is None


def test_a_keyword_counts_however_late_it_arrives():
    six_hours_later = NOW + timedelta(hours=6)

    assert understood(text="stop", received_at=six_hours_later).consent.at == NOW


def test_a_keyword_counts_also_where_the_window_stays_closed():
    inbound = understood(text="stop", kind=InboundKind.SYSTEM)

    assert not inbound.opens_window
    assert inbound.consent.status is ConsentStatus.OPTED_OUT


def test_languages_may_be_read_only_once():
    keywords = iter(["it", "en"])
    event = replace(wrote(text="no"), payload="unsubscribe")
    inbound = understand(event, received_at=NOW, policy=WindowPolicy(), languages=keywords)

    assert inbound.consent.status is ConsentStatus.OPTED_OUT
