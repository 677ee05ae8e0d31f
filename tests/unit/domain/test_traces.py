"""A person is found by every way in which a number or an id is written, and nobody is taken for another."""

import base64

import pytest

from shared.domain.identifiers import ContactId
from shared.domain.identity import key_of, spellings_of
from shared.domain.traces import Traces

TRACES = Traces([ContactId("+393331234567"), ContactId("NL.90011223344"), ContactId("+5511987654321")])


@pytest.mark.parametrize(
    "text",
    [
        '{"wa_id":"393331234567"}',
        "+39 333 123-4567",
        "tel. 0039 (333) 1234567",
        '"\\u002b393331234567"',
        '\\"\\\\u002b39333123\\\\u0034567\\"',
        "NL.90011223344",
        "551187654321",
        "+55 11 98765-4321",
        "shop:wamid." + base64.b64encode(b"\x1d\x0b393331234567\x15\x02").decode(),
    ],
)
def test_a_trace_is_found(text):
    assert TRACES.are_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3933312345678",
        "1393331234567",
        "NL.900112233445",
        "XNL.90011223344",
        "NLx90011223344",
        "wamid.A",
        "wamid.####",
    ],
)
def test_another_number_or_id_is_none(text):
    assert not TRACES.are_in(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+551187654321", "+5511987654321"),
        ("+525512345678", "+5215512345678"),
        ("+541112345678", "+5491112345678"),
    ],
)
def test_both_spellings_of_a_number_are_known_from_either(one, other):
    expected = {ContactId(one), ContactId(other)}

    assert set(spellings_of(ContactId(one))) == set(spellings_of(ContactId(other))) == expected
    assert {key_of(name) for name in expected} == {key_of(ContactId(one))}


def test_other_names_have_one_spelling():
    assert spellings_of(ContactId("+393331234567")) == (ContactId("+393331234567"),)
    assert spellings_of(ContactId("NL.9")) == (ContactId("NL.9"),)
