from datetime import timedelta

import pytest

from shared.domain.provider_errors import Scope
from shared.domain.retry import ErrorClass
from shared.providers.base import UNLISTED
from shared.providers.cm import errors as cm
from shared.providers.meta import errors as meta
from shared.providers.rows import read_row

TABLES = {"meta": meta.TABLE, "cm": cm.TABLE}
ALL = "utility+marketing+authentication"
#: Every send error of Meta's page ("Error codes", read 2026-09): class, scope, what it does to others.
#: `wait` in seconds; `stop`, `cap`, `halt` with their seconds where they end by themselves.
META = """
0       halt      sender   halt=all
1       retry     message  wait=5 tries=2
2       retry     app      wait=300 outage
3       halt      account  halt=all
4       throttle  app      wait=300
10      halt      account  halt=all
33      halt      sender   halt=all
100     permanent message
104     halt      sender   halt=all
190     halt      sender   halt=all
200     halt      account  halt=all
368     halt      account  halt=all until_news
80007   throttle  account  wait=60
80008   throttle  account  wait=60
130403  recipient pair
130429  throttle  sender   wait=1
130472  recipient pair     cap=marketing,604800 until_written
130497  recipient account  cap={ALL},86400
131000  retry     message  wait=1 tries=3 late outage
131005  halt      account  halt=all
131008  permanent message
131009  permanent message
131014  retry     message  wait=1 tries=2 late
131016  retry     sender   wait=1 outage
131021  permanent message
131026  recipient pair     cap={ALL},86400 hits=2 until_written
131030  permanent message
131031  halt      account  halt=all
131037  halt      sender   halt=all
131042  halt      account  halt=all
131045  halt      sender   halt=all
131047  window    pair
131048  halt      sender   halt=template,3600
131049  recipient pair     cap=marketing,86400
131050  recipient pair     unwanted=marketing
131051  permanent message
131053  retry     message  wait=1 tries=2 late
131055  permanent message
131056  throttle  pair     wait=6
131057  retry     sender   wait=60 tries=6
131062  permanent message
131063  template  message  stop=paused
131064  halt      account  halt=template,21600
132000  permanent message
132001  template  message  stop=disabled
132005  permanent message
132007  template  message  stop=disabled
132008  permanent message
132012  permanent message
132015  template  message  stop=paused
132016  template  message  stop=disabled
132018  permanent message
132021  permanent message
132068  template  message  stop=paused
132069  template  message  stop=paused,3600
133004  retry     sender   wait=1 outage
133010  halt      sender   halt=all
134011  halt      account  halt=all
134100  permanent message
134101  retry     message  wait=600
134102  halt      account  halt=template
135000  permanent message
"""
#: CM.com: "Responses and errors (JSON)" and "WhatsApp standard errors", read 2026-11.
CM = """
submit.101 halt      app      halt=all
submit.102 halt      app      halt=all
submit.103 halt      app      halt=all
submit.201 permanent message
submit.202 permanent message
submit.203 permanent message
submit.301 permanent message
submit.302 permanent message
submit.303 permanent message
submit.304 permanent message
submit.305 permanent message
submit.401 permanent message
submit.402 recipient pair     cap={ALL},86400
submit.403 permanent message
submit.500 retry     message  wait=1 tries=3 outage
submit.999 in_doubt  message
status.28  recipient account  cap={ALL},86400
status.47  recipient pair     cap={ALL},3600
status.51  retry     message  wait=1 tries=2 late
status.52  halt      account  halt=all
status.53  permanent message
status.54  recipient pair     cap=marketing,604800 until_written
status.55  retry     message  wait=1 tries=3 late
status.56  permanent message
status.57  permanent message
status.58  permanent message
status.59  recipient pair     cap={ALL},86400 hits=2 until_written
status.60  halt      account  halt=all
status.61  halt      account  halt=all
status.62  window    pair
status.63  halt      sender   halt=template,3600
status.64  permanent message
status.65  throttle  pair     wait=6 late
"""
EXPECTED = {"meta": META, "cm": CM}
#: Not errors of sending, or of doors that we do not use: Meta's table says so.
OF_OTHER_DOORS = "613 131044 131052 133000 133005 133006 133008 133009 133015 133016 200005 1752041 2388019"


def lasting(word, lasts):
    return f"{word},{int(lasts.total_seconds())}" if lasts else word


def effects(row):
    if row.minimum_wait:
        yield f"wait={int(row.minimum_wait.total_seconds())}"
    if row.tries:
        yield f"tries={row.tries}"
    if row.late:
        yield "late"
    if row.is_outage:
        yield "outage"
    if row.error_class is ErrorClass.HALT:
        yield lasting(f"halt={row.halt.kind}", row.halt.lasts)
        if row.halt.until_news:
            yield "until_news"
    if row.stop:
        yield lasting(f"stop={row.stop.status}", row.stop.lasts)
    if row.unwanted:
        yield f"unwanted={row.unwanted}"
    yield from cap_effects(row)


def cap_effects(row):
    if row.cap:
        marks = "+".join(word for word in ALL.split("+") if word in row.cap.categories)
        yield lasting(f"cap={marks}", row.cap.lasts)
        if row.cap.hits > 1:
            yield f"hits={row.cap.hits}"
        if row.cap.ends_when_contact_writes:
            yield "until_written"


def said(table):
    for code in table.codes():
        row = table.row(code)
        yield " ".join([code, row.error_class, row.scope, *effects(row)])


@pytest.mark.parametrize("provider", TABLES)
def test_every_code_means_what_the_provider_s_pages_say(provider):
    lines = EXPECTED[provider].replace("{ALL}", ALL).strip().splitlines()

    assert sorted(said(TABLES[provider])) == sorted(" ".join(line.split()) for line in lines)


@pytest.mark.parametrize("provider", TABLES)
def test_every_row_advises_and_names_its_source(provider):
    table = TABLES[provider]

    for code in table.codes():
        row = table.row(code)
        assert row.advice.endswith("."), code
        assert row.source, code
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


@pytest.mark.parametrize("code", OF_OTHER_DOORS.split())
def test_codes_of_other_doors_have_no_row(code):
    assert meta.row_of(code) is UNLISTED


def test_all_of_meta_s_permissions_are_one():
    assert {meta.row_of(str(code)) for code in range(200, 300)} == {meta.TABLE.row("200")}


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


ROW = {"class": "throttle", "advice": "Wait.", "source": "a page", "scope": "pair", "minimum_wait_seconds": 6}


def test_a_row_is_read_as_it_stands():
    row = read_row(ROW)

    assert (row.scope, row.minimum_wait) == (Scope.PAIR, timedelta(seconds=6))


@pytest.mark.parametrize(
    "mistake", [{"clas": "retry"}, {"scope": "town"}, {"class": "odd"}, {"halt": {"kind": "some"}}]
)
def test_a_row_with_a_word_that_no_row_has_is_a_bug(mistake):
    with pytest.raises(ValueError):  # noqa: PT011 - each names its word
        read_row({**ROW, **mistake})
