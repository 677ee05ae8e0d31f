"""One key for all spellings of a number, and the right name on the envelope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.identifiers import ContactId
from shared.domain.identity import address_of, key_of

NUMBER, OTHER = ContactId("+393331234567"), ContactId("+390000000001")
USER = ContactId("IT.90011223344")


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [
        ("Brazil, mobile with and without its ninth digit", "+5511987654321", "+551187654321"),
        ("Mexico, with and without the 1", "+5215512345678", "+525512345678"),
        ("Argentina, with and without the 9", "+5491112345678", "+541112345678"),
    ],
)
def test_two_spellings_of_a_number_are_one_key(country, one, other):
    assert key_of(ContactId(one)) == key_of(ContactId(other)), country


@pytest.mark.parametrize(
    ("what", "number"),
    [
        ("a Brazilian landline", "+551133334444"),
        ("an Italian mobile", "+393331234567"),
        ("a number of the United States", "+15550783881"),
        ("a Mexican number that is too short to have a 1", "+521551234567"),
        ("a number of ten digits behind 549 less one", "+54911234567"),
    ],
)
def test_other_numbers_are_left_alone(what, number):
    assert key_of(ContactId(number)) == ContactId(number), what


@pytest.mark.parametrize("user_id", ["BR.5511987654321", "MX.5215512345678", "AR.5491112345678"])
def test_digits_of_a_user_id_are_never_touched(user_id):
    assert key_of(ContactId(user_id)) == ContactId(user_id)


@given(st.from_regex(r"\+5[245]\d{9,12}", fullmatch=True))
def test_a_key_is_its_own_key(number):
    key = key_of(ContactId(number))

    assert key_of(key) == key


@pytest.mark.parametrize(
    ("case", "asked", "contact", "proven", "needs_number", "address"),
    [
        ("nothing is known but what was asked for", NUMBER, NUMBER, None, False, NUMBER),
        ("another spelling has proved to work", NUMBER, NUMBER, OTHER, False, OTHER),
        ("asked by id, and no number is known", USER, USER, None, False, USER),
        ("asked by id, and the number is known", USER, NUMBER, None, False, NUMBER),
        ("the contact last wrote without a number", NUMBER, NUMBER, USER, False, USER),
        ("the contact last wrote without one, but one is needed", NUMBER, NUMBER, USER, True, NUMBER),
        ("asked by id, proven by id, a number is needed and known", USER, NUMBER, USER, True, NUMBER),
        ("a proven number goes before the one that was asked for", NUMBER, NUMBER, OTHER, True, OTHER),
        ("a number is needed and none is known", USER, USER, USER, True, USER),
    ],
)
def test_the_envelope_carries_the_name_that_works(case, asked, contact, proven, needs_number, address):
    found = address_of(asked, contact=contact, proven=proven, needs_number=needs_number)

    assert found == address, case
