import pytest

from shared.domain.retry import ErrorClass
from shared.providers.base import UNLISTED
from shared.providers.cm import errors as cm
from shared.providers.meta import errors as meta

TABLES = {"meta": meta.TABLE, "cm": cm.TABLE}
SCOPES = {"pair", "sender", "account", "app", "portfolio", "message"}
#: The send errors of Meta's page ("Error codes", read 2026-09), by our class.
META_CLASSES = {
    "halt": "0 3 10 33 104 190 200 368 131005 131031 131037 131042 131045 131064 133010 134011 134102",
    "retry": "1 2 131000 131014 131016 131053 131057 133004 134101",
    "throttle": "4 80007 80008 130429 131048 131056",
    "permanent": "100 131008 131009 131021 131030 131051 131055 131062 132000 132005 132008 132012 132018"
    " 132021 134100 135000",
    "recipient": "130403 130472 130497 131026 131049 131050",
    "template": "131063 132001 132007 132015 132016 132068 132069",
    "window": "131047",
}


@pytest.mark.parametrize("provider", TABLES)
def test_every_row_advises_names_its_source_and_a_known_scope(provider):
    table = TABLES[provider]

    for code in table.codes():
        row = table.row(code)
        assert row.advice.endswith("."), code
        assert row.source, code
        assert row.scope in SCOPES, code
        assert row.late in {None, "retry"}, code


@pytest.mark.parametrize("provider", TABLES)
def test_only_errors_that_may_pass_grant_tries_or_come_late(provider):
    table = TABLES[provider]
    passing = {ErrorClass.RETRY, ErrorClass.THROTTLE}

    odd = [
        code
        for code in table.codes()
        if table.row(code).error_class not in passing and (table.row(code).tries or table.row(code).late)
    ]
    assert odd == []


def test_meta_s_table_is_complete():
    found = {name: set() for name in META_CLASSES}
    for code in meta.TABLE.codes():
        found[meta.TABLE.row(code).error_class.value].add(code)

    assert found == {name: set(codes.split()) for name, codes in META_CLASSES.items()}


def test_the_two_code_spaces_of_cm_do_not_overlap():
    bare = [code.partition(".")[2] for code in cm.TABLE.codes()]

    assert len(set(bare)) == len(bare)


def test_a_code_of_cm_is_found_in_its_own_space_only():
    assert cm.status_row("62").error_class is ErrorClass.WINDOW
    assert cm.answer_row("62") is UNLISTED
    assert cm.answer_row("101").error_class is ErrorClass.HALT
    assert cm.status_row("101") is UNLISTED
    assert cm.row_of("62").error_class is ErrorClass.WINDOW
    assert cm.row_of("101").error_class is ErrorClass.HALT
