"""A CSV file of consents: what each record says, whose mistake is whose, and where to go on."""

from io import BytesIO

import pytest

from cli.consent_file import ConsentFile, UnreadableFileError

HEADER = "contact,status,categories,source,evidence,at"
ANNA = "+393331234567,opted_in,utility marketing,checkout,order-991,2026-11-20T09:30:00Z"


def rows(*lines: str | bytes, header: str = HEADER):
    encoded = [line if isinstance(line, bytes) else line.encode() for line in (header, *lines)]
    return list(ConsentFile(BytesIO(b"\n".join(encoded) + b"\n")))


def test_a_record_is_an_entry_as_the_api_takes_it():
    (row,) = rows(ANNA)

    assert row.entry == {
        "contact": "+393331234567",
        "status": "opted_in",
        "categories": ["utility", "marketing"],
        "source": "checkout",
        "evidence": "order-991",
        "at": "2026-11-20T09:30:00Z",
    }
    assert (row.number, row.mistakes) == (2, {})


def test_what_is_empty_is_not_given():
    (row,) = rows("+393331234567,opted_out, ,,,2026-11-20T09:30:00Z")

    assert set(row.entry) == {"contact", "status", "at"}


@pytest.mark.parametrize(
    "written", ["utility marketing", '"utility, marketing"', "utility|marketing", "utility;marketing"]
)
def test_categories_are_told_apart_however_they_are_listed(written):
    (row,) = rows(f"+393331234567,opted_in,{written},,,2026-11-20T09:30:00Z")

    assert row.entry["categories"] == ["utility", "marketing"]


@pytest.mark.parametrize(
    "header",
    ["\ufeffcontact,status,at", "contact;status;at", "At,STATUS,contact", '"contact","status","at"'],
)
def test_columns_stand_in_any_order_as_spreadsheets_write_them(header):
    separator = ";" if ";" in header else ","
    values = {"contact": "+393331234567", "status": "opted_in", "at": "2026-11-20T09:30:00Z"}
    order = [name.strip('\ufeff"').lower() for name in header.split(separator)]

    (row,) = rows(separator.join(values[name] for name in order), header=header)

    assert row.entry == values


@pytest.mark.parametrize("header", ["", "contact,status", "contact,status,at,phone", "contact,status,at,at"])
def test_a_file_without_the_columns_is_not_read(header):
    with pytest.raises(UnreadableFileError, match="line 1"):
        rows(ANNA, header=header)


def test_a_record_of_another_length_is_its_own_mistake():
    short, good = rows("+393331234567,opted_in", ANNA)

    assert short.mistakes == {"line": ["has 2 columns, and the first line has 6"]}
    assert good.entry["contact"] == "+393331234567"


def test_a_line_that_is_no_utf_8_is_its_own_mistake():
    bad, good = rows(ANNA.replace("order-991", "è").encode("latin-1"), ANNA)

    assert bad.mistakes == {"line": ["save the file as UTF-8"]}
    assert not good.mistakes


def test_lines_are_counted_as_an_editor_counts_them():
    found = rows("", ANNA.replace("order-991", '"two\nlines"'), "", ANNA)

    assert [row.number for row in found] == [3, 6]
    assert found[0].entry["evidence"] == "two\nlines"


@pytest.mark.parametrize("line", ['"never closed,opted_in,,,,', "x" * 70_000])
def test_what_makes_the_rest_unreadable_ends_the_reading_with_its_line(line):
    with pytest.raises(UnreadableFileError, match="line 3"):
        rows(ANNA, line, ANNA)


def test_reading_goes_on_where_a_row_ended():
    content = "\n".join([HEADER, ANNA, ANNA.replace("567", "568"), ANNA.replace("567", "569")]).encode()
    first, *others = ConsentFile(BytesIO(content))
    again = ConsentFile(BytesIO(content))
    again.go_on(first.end, first.lines)

    assert list(again) == others
