"""What libraries log becomes a line of ours, with nothing in it from outside."""

import json
import logging
import threading

import pytest
import structlog

from shared.errors import SettingsError
from shared.library_logs import LibraryHandler
from shared.observability import configure_logging

PERSON = "Ginevra +393338765432"


@pytest.fixture
def say(capsys):
    logger = logging.getLogger("a.library")
    logger.propagate, logger.handlers = False, [LibraryHandler()]

    def said(words, *arguments, **more):
        configure_logging("json")
        logger.error(words, *arguments, **more)
        (line,) = capsys.readouterr().out.splitlines()
        return json.loads(line)

    yield said
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("words", "arguments", "shown"),
    [
        ("Cannot read %r: %s", (PERSON, ValueError(PERSON)), "Cannot read '…': ValueError"),
        ("Task %(name)s: %(exc)r", ({"name": PERSON, "exc": PERSON},), "Task …: '…'"),
        ("Retry %d in %.1f s", (3, 0.5), "Retry 3 in 0.5 s"),
        (f"Invalid request from ip=10.0.0.1: 'GET /{PERSON}'", (), "Invalid request from ip=10.0.0.1"),
        (f'{{"{PERSON}": 1}}', (), ""),
        ("two\nlines %s", (PERSON,), "two\nlines …"),
    ],
)
def test_a_line_keeps_its_own_words_and_no_others(say, words, arguments, shown):
    line = say(words, *arguments)

    assert (line["event"], line["library"], line["said"]) == ("library_message", "a.library", shown)


def test_an_error_is_named_with_its_place_and_not_quoted(say):
    try:
        raise ValueError(PERSON)  # noqa: TRY301
    except ValueError:
        line = say("it fell", exc_info=True)

    assert line["error"] == "ValueError"
    assert "test_library_logs.py" in line["at"]
    assert "Ginevra" not in json.dumps(line)


def test_our_own_errors_say_what_to_mend(say):
    try:
        raise SettingsError(["API_BIND: write host:port"])  # noqa: TRY301
    except SettingsError:
        line = say("it did not start", exc_info=True)

    assert line["why"] == "settings: API_BIND: write host:port"


def test_a_thread_that_falls_is_named_without_its_words(capsys):
    configure_logging("json")
    before = threading.excepthook
    from shared.library_logs import _tell_of_thread

    threading.excepthook = _tell_of_thread
    try:
        thread = threading.Thread(target=int, args=(PERSON,), name="bell")
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before
        structlog.reset_defaults()

    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["event"], line["where"], line["error"]) == ("bug", "thread bell", "ValueError")
    assert "Ginevra" not in json.dumps(line)
