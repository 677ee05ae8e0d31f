"""Numbers and ids: what is read, what is refused, and that reading twice changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.identifiers import (
    AttemptReference,
    ContactId,
    InvalidIdentifierError,
    MessageId,
    PhoneNumber,
)
from tests.unit.domain.strategies import bsuids, phone_numbers, ulids

ULID = "01JD8Z6Q4R5S6T7V8W9X0Y1Z2A"
MESSAGE = MessageId(f"msg_{ULID}")


@pytest.mark.parametrize(
    "text",
    [
        "+393331234567",
        "+39 333 123 4567",
        "+39-333-123-4567",
        "+39 (333) 123.4567",
        "0039 333 1234567",
        " +393331234567 ",
        "+39\u00a0333\u00a01234567",
    ],
)
def test_a_phone_number_is_read_however_people_write_it(text):
    assert PhoneNumber.parse(text) == PhoneNumber("+393331234567")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "3331234567",  # no country: nobody guesses one
        "+0393331234567",
        "+123456",  # 6 digits
        "+1234567890123456",  # 16 digits
        "+39333123456a",
        "++393331234567",
        "+39333١٢٣٤٥٦٧",  # noqa: RUF001 - Arabic-Indic digits
        "+393331234567\x00",
        "+39333123/4567",
    ],
)
def test_what_is_no_phone_number_is_refused(text):
    with pytest.raises(InvalidIdentifierError):
        PhoneNumber.parse(text)


def test_a_refusal_never_repeats_what_it_was_given():
    with pytest.raises(InvalidIdentifierError) as refusal:
        ContactId.parse("3339876543")

    assert "3339876543" not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_a_wa_id_is_the_number_without_its_plus():
    number = PhoneNumber.from_digits("393331234567")

    assert number.value == "+393331234567"
    assert number.digits == "393331234567"


@given(phone_numbers)
def test_parsing_a_phone_number_twice_changes_nothing(text):
    once = PhoneNumber.parse(text)

    assert PhoneNumber.parse(str(once)) == once
    assert PhoneNumber.from_digits(once.digits) == once


@given(phone_numbers | bsuids)
def test_parsing_a_contact_twice_changes_nothing(text):
    once = ContactId.parse(text)

    assert ContactId.parse(str(once)) == once


@given(st.text(max_size=40))
def test_any_text_is_a_contact_or_is_refused(text):
    try:
        contact = ContactId.parse(text)
    except InvalidIdentifierError:
        return

    assert ContactId.parse(contact.value) == contact


def test_a_contact_known_by_number_has_that_number():
    assert ContactId.parse("+39 333 1234567").phone_number == PhoneNumber("+393331234567")


@pytest.mark.parametrize("text", ["NL.90011223344", "IT.ENT.90011223344", "US.aB9"])
def test_a_business_scoped_id_is_a_contact_without_a_phone_number(text):
    contact = ContactId.parse(text)

    assert contact.value == text
    assert contact.phone_number is None


@pytest.mark.parametrize(
    "text", ["nl.90011223344", "NLD.9001", "NL.", "NL.90 01", "NL.ENT.", "NL." + "9" * 129, "NL.9\n"]
)
def test_what_is_no_business_scoped_id_is_refused(text):
    with pytest.raises(InvalidIdentifierError):
        ContactId.parse(text)


@given(ulids)
def test_parsing_a_message_id_twice_changes_nothing(ulid):
    once = MessageId.from_ulid(ulid)

    assert MessageId.parse(str(once)) == once


@pytest.mark.parametrize("text", ["", "msg_", ULID, f"msg_{ULID}0", f"msg_{ULID.lower()}", f"msg_msg_{ULID}"])
def test_what_is_no_message_id_is_refused(text):
    with pytest.raises(InvalidIdentifierError):
        MessageId.parse(text)


@given(ulids, st.integers(1, 99_999))
def test_a_reference_comes_back_as_it_was_sent(ulid, attempt):
    reference = AttemptReference(MessageId.from_ulid(ulid), attempt)

    assert AttemptReference.parse(str(reference)) == reference


@given(ulids, st.integers(1, 99_999))
def test_a_reference_is_1_to_32_alphanumerics(ulid, attempt):
    text = str(AttemptReference(MessageId.from_ulid(ulid), attempt))

    assert text.isascii()
    assert text.isalnum()
    assert len(text) <= 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        ULID,  # no attempt
        f"{ULID}0",  # attempts are counted from 1
        f"{ULID}01",  # a second way to write attempt 1
        f"{ULID}-1",
        f"{ULID}²",
        f"{ULID}1 ",
        f"{MESSAGE}1",
        ULID + "9" * 7,
        ULID + "9" * 5000,  # more digits than int() reads
        "order-991",
    ],
)
def test_a_reference_of_another_program_is_refused(text):
    with pytest.raises(InvalidIdentifierError):
        AttemptReference.parse(text)


@given(ulids, st.integers(1, 99_999), st.integers(1, 99_999))
def test_two_attempts_of_a_message_never_share_a_reference(ulid, one, other):
    message = MessageId.from_ulid(ulid)

    assert (str(AttemptReference(message, one)) == str(AttemptReference(message, other))) is (one == other)
